import { describe, expect, it } from "vitest";
import { columns, initials, kindOf, spotlit } from "./people";

describe("initials", () => {
  it.each([
    ["Nguyễn Thị Ánh", "TÁ"],
    ["demo", "D"],
    ["  Đỗ   Đức ", "ĐĐ"],
    ["", ""],
  ])("of %s are %s", (name, want) => expect(initials(name)).toBe(want));
});

describe("kindOf", () => {
  it.each([
    [{ "roomgate.kind": "terminal" }, "terminal"],
    [{ "roomgate.kind": "phone" }, "phone"],
    [{ "roomgate.kind": "elephant" }, "browser"],
    [{}, "browser"],
  ])("%o is a %s", (attributes, want) => expect(kindOf({ attributes: attributes as Record<string, string> })).toBe(want));
});

describe("spotlit", () => {
  const people: { attributes: Record<string, string> }[] = [{ attributes: {} }, { attributes: { "roomgate.spotlight": "yes" } }];
  it("is whoever the attribute names", () => expect(spotlit(people)).toBe(people[1]));
  it("is nobody otherwise", () => expect(spotlit(people.slice(0, 1))).toBeUndefined());
});

describe("columns", () => {
  it.each([
    [1, 1600, 900, 1],
    [2, 1600, 900, 2],
    [2, 500, 900, 1],
    [4, 1600, 900, 2],
    [9, 1600, 900, 3],
    [12, 1600, 900, 4],
  ])("%i tiles in %ix%i stand in %i columns", (n, w, h, want) => expect(columns(n, w, h)).toBe(want));
});
