import { describe, expect, it } from "vitest";
import { boxes, layouts, type Layout } from "./layouts";

describe("boxes", () => {
  it.each([
    ["single", 1],
    ["lecture", 1],
    ["grid", 3],
    ["speaker", 6],
    ["2x2", 4],
    ["5x5", 25],
  ] as [Layout, number][])("of %s are %i", (layout, want) => expect(boxes(layout)).toHaveLength(want));

  it.each(layouts)("of %s lie on the screen, apart from each other", (layout) => {
    const all = boxes(layout);
    for (const [i, [x, y, w, h]] of all.entries()) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(-1e-9);
      expect(Math.max(x + w, y + h)).toBeLessThanOrEqual(1 + 1e-9);
      for (const [ox, oy, ow, oh] of all.slice(0, i)) {
        expect(x + w <= ox + 1e-9 || ox + ow <= x + 1e-9 || y + h <= oy + 1e-9 || oy + oh <= y + 1e-9).toBe(true);
      }
    }
  });

  it("of a grid have their last line in the middle", () => expect(boxes("grid")[2]).toEqual([0.25, 0.5, 0.5, 0.5]));
});
