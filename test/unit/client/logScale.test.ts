import assert from "node:assert/strict";
import { test } from "node:test";
import { logScale, shortNumber } from "../../../client/src/webview/logScale";

test("from the power of ten below the smallest to the one above the largest", () => {
  const { at, ticks } = logScale([27_648, 14_155_776]);
  assert.deepEqual(ticks, [1e4, 1e5, 1e6, 1e7, 1e8]);
  assert.deepEqual([at(1e4), at(1e6), at(1e8), at(0)], [0, 0.5, 1, 0]);
});

test("one value, and none", () => {
  assert.deepEqual(logScale([1000]).ticks, [1000, 10_000]);
  assert.deepEqual(logScale([]).ticks, [1, 10]);
});

test("figures of the axis", () => {
  assert.deepEqual([1, 100, 1000, 1e5, 1e6, 1e9].map(shortNumber), [
    "1",
    "100",
    "1 k",
    "100 k",
    "1 M",
    "1 B",
  ]);
});
