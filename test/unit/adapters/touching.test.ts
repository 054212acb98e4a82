/** What is offered at the cursor is what the whole file has there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { placesIn, placesTouching } from "../../../server/src/adapters/places";
import { readPython } from "../../../server/src/python/document";

for (const path of [
  "examples/gpt.py",
  "examples/unet.py",
  "examples/train.py",
  "test/fixtures/python/zoo.py",
])
  for (const lineBreak of ["\n", "\r\n"])
    test(`places at every fifth offset of ${path} with ${JSON.stringify(lineBreak)}`, () => {
      const text = readFileSync(path, "utf8").replaceAll("\n", lineBreak);
      const whole = readPython(text);
      const all = placesIn(whole.facts, text);
      assert.ok(all.length > 0);
      for (let from = 0; from <= text.length; from += 5) {
        const to = from % 3 === 0 ? from : Math.min(from + 60, text.length);
        // A document of its own, so that nothing of the whole file has been asked for before.
        const facts = from % 200 === 0 ? readPython(text).facts : whole.facts;
        assert.deepEqual(
          placesTouching(facts, text, from, to).map(({ key, label, obstacle }) => [key, label, obstacle]),
          all
            .filter(({ touch }) => touch.some((range) => range.from <= to && from <= range.to))
            .map(({ key, label, obstacle }) => [key, label, obstacle]),
          `at ${from}–${to}`,
        );
      }
    });

test("no helper is offered between lines that no blank line parts", () => {
  const text = "import torch\r\n\r\na = 1\r\nb = 2\r\n\r\nc = 3\r\n";
  const free = placesIn(readPython(text).facts, text).filter(({ kind }) => kind === "free");
  assert.deepEqual(
    free.map(({ touch }) => touch),
    [[{ from: 14, to: 16 }], [{ from: 30, to: 32 }], [{ from: 39, to: 39 }]],
  );
});
