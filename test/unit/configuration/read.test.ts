/** The YAML reader: keys and values with their exact ranges, also while a file is half written. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfiguration } from "../../../server/src/configuration/read";
import type { Mapping } from "../../../server/src/configuration/tree";
import type { Range } from "../../../server/src/python/facts";

/** `key=value` of every entry as the ranges have it, those of inner mappings in brackets. */
function entries(text: string): string[] {
  const at = ({ from, to }: Range): string => text.slice(from, to);
  const show = ({ entries: found }: Mapping): string[] =>
    found.map(({ key, value, mappings }) =>
      mappings.length === 0
        ? `${at(key.range)}=${at(value.range)}`
        : `${at(key.range)}(${mappings.map((each) => show(each).join(" ")).join("; ")})`,
    );
  return show(readConfiguration(text).top);
}

const complete = (text: string): boolean => readConfiguration(text).complete;
const values = (text: string) => readConfiguration(text).top.entries.map(({ value: { value } }) => value);

describe("the YAML reader", () => {
  it("gives keys and values with their ranges", () => {
    assert.deepEqual(entries("lora_r: 8 # rank\n'adapter': \"qlora\"\nempty:\n"), [
      "lora_r=8",
      "'adapter'=\"qlora\"",
      "empty=",
    ]);
    assert.deepEqual(entries("a:\n  b: 1\n  c:\n    d: x y\nlist:\n- p: 1\n  q: 2\n- p: 3\n"), [
      "a(b=1 c(d=x y))",
      "list(p=1 q=2; p=3)",
    ]);
    assert.deepEqual(entries("a: 1\r\nb: |\r\n  text\r\nc: 2\r\n"), ["a=1", "b=|\r\n  text", "c=2"]);
  });

  it("reads values as PyYAML does, and leaves open what stands for something else", () => {
    assert.deepEqual(
      values("a: yes\nb: 0x10\nc: ~\nd: 'no'\ne: [q, 1]\nf: ${HOME}\ng: '{{ x }}'\nh: 1.5\n"),
      [
        { kind: "boolean", value: true },
        { kind: "number", value: 16 },
        { kind: "none" },
        { kind: "string", value: "no" },
        {
          kind: "list",
          items: [
            { kind: "string", value: "q" },
            { kind: "number", value: 1 },
          ],
        },
        { kind: "unknown" },
        { kind: "unknown" },
        { kind: "number", value: 1.5 },
      ],
    );
    assert.deepEqual(values("a: &x 1\nb: *x\n")[1], { kind: "unknown" });
  });

  it("finds what a merge brings to be unknown", () => {
    const [, merged] = readConfiguration("a: &x {q: 1}\n<<: *x\n").top.entries;
    assert.equal(merged?.merge, true);
    assert.equal(complete("a: &x {q: 1}\n<<: *x\n"), true);
  });

  it("loses nothing beyond the key at the top that is half written", () => {
    for (const [text, expected] of [
      ["a: 1\nb: 'open\nc: 3\n", ["a=1", "b='open", "c=3"]],
      ["a: [q_proj,\nc: 3\n", ["a=[q_proj,", "c=3"]],
      ["a: 1\nlora_\nc: 3\n", ["a=1", "c=3"]],
      ["a: 1\n  b: 2\nc: 3\n", ["c=3"]],
    ] as const) {
      const found = entries(text);
      for (const each of expected) assert.ok(found.includes(each), `${each} of ${JSON.stringify(found)}`);
      assert.equal(complete(text), false);
    }
    for (const text of [
      "",
      "- a\n- b\n",
      "text",
      "\t",
      "a: 1\n---\nb: 2\n",
      "%YAML",
      "? [a]\n: b\n",
      "{",
      "'",
    ])
      assert.doesNotThrow(() => entries(text), text);
  });

  it("tells comments from what only looks like one", () => {
    const text = "# one\na: 'x # no' # two\nb: |\n  # no\nc: x#no\n  # three\n";
    assert.deepEqual(
      readConfiguration(text).comments.map(({ from, to }) => text.slice(from, to)),
      ["# one", "# two", "# three"],
    );
  });
});
