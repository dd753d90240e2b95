import type { TextKey } from "../i18n";

/** Layout is what the gateway shows room terminals; docs/layouts.md says what each is. */
export type Layout = "auto" | "single" | "speaker" | "grid" | "2x2" | "3x3" | "4x4" | "5x5" | "lecture";

/** Shown is what terminals of the meeting are shown who have no layout of their own. */
export interface Shown {
  layout: Layout;
  default: Layout;
  pinned: string;
}

/** layouts in the order they are offered, with their names; grids of a size are named by it. */
export const layouts: [Layout, TextKey | null][] = [
  ["auto", "layoutAuto"],
  ["speaker", "speakerView"],
  ["single", "layoutSingle"],
  ["grid", "grid"],
  ["2x2", null],
  ["3x3", null],
  ["4x4", null],
  ["5x5", null],
  ["lecture", "layoutLecture"],
];

/** Box is a tile of a picture of a layout, in fractions of the screen. */
export type Box = [x: number, y: number, width: number, height: number];

/** boxes draw a layout: the tiles that make it known at a glance. */
export function boxes(layout: Layout): Box[] {
  const side = /^(\d)x\1$/u.exec(layout);
  if (side) return rows(Number(side[1]), Number(side[1]) ** 2);
  const third = 1 / 3;
  switch (layout) {
    case "single":
    case "lecture":
      return [[0, 0, 1, 1]];
    case "grid":
      return rows(2, 3);
    case "speaker":
      return [[0, 0, 2 * third, 2 * third], ...[0, 1, 2].map((i): Box => [2 * third, i * third, third, third]), ...[0, 1].map((i): Box => [i * third, 2 * third, third, third])];
    default: // auto: large and small, by how many there are
      return [[0, 0, 0.75, 1], ...[0, 1, 2].map((i): Box => [0.75, i * third, 0.25, third])];
  }
}

/** rows are n tiles, so many side by side, the last line in the middle. */
function rows(across: number, n: number): Box[] {
  const size = 1 / across;
  return Array.from({ length: n }, (_, i): Box => {
    const line = Math.floor(i / across);
    const here = Math.min(across, n - line * across);
    return [(1 - here * size) / 2 + (i % across) * size, line * size, size, size];
  });
}
