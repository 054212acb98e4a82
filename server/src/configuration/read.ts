/** Reads YAML; loaded with its library when the first configuration file is opened. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { Expression, Range, Value } from "../python/facts";
import type { Entry, Mapping, Tree } from "./tree";

/** Never fails: an unclosed quote or bracket takes down nothing beyond the key at the top that it stands under. */
export function readConfiguration(text: string): Tree {
  const comments = commentsIn(text);
  const whole = parse(text);
  if (whole.errors.length === 0)
    return { top: topOf([{ document: whole, base: 0 }], text), comments, complete: true };
  const parts = partsOf(text).map(({ from, to }) => ({ document: parse(text.slice(from, to)), base: from }));
  return { top: topOf(parts, text), comments, complete: false };
}

interface Part {
  readonly document: Document;
  /** Where its text begins. */
  readonly base: number;
}

/** As PyYAML reads it: `yes` and `off` are truth values. */
const parse = (text: string): Document =>
  parseDocument(text, { version: "1.1", merge: false, uniqueKeys: false, prettyErrors: false });

/** One piece for each key at the top. */
function partsOf(text: string): Range[] {
  const starts = [...text.matchAll(/^(?=[\w"'])/gm)].map(({ index }) => index);
  return starts.map((from, index) => ({ from, to: starts[index + 1] ?? text.length }));
}

function topOf(parts: readonly Part[], text: string): Mapping {
  const entries = parts.flatMap(({ document, base }) =>
    isMap(document.contents) ? entriesOf(document.contents, text, base) : [],
  );
  return { range: { from: 0, to: text.length }, entries };
}

function entriesOf(map: YAMLMap, text: string, base: number): Entry[] {
  return map.items.flatMap((pair: Pair) => {
    const { key, value } = pair;
    if (!isScalar(key) || key.range == null) return [];
    const keyRange = spanOf(key.range, text, base);
    const node = isNode(value) ? value : undefined;
    const valueRange =
      node?.range == null ? { from: keyRange.to, to: keyRange.to } : spanOf(node.range, text, base);
    const name = key.source ?? String(key.value);
    return [
      {
        key: { name, range: keyRange },
        range: { from: keyRange.from, to: Math.max(keyRange.to, valueRange.to) },
        value: expression(node, valueRange, text),
        mappings: mappingsOf(node, text, base),
        items: isSeq(node)
          ? node.items.flatMap((item) =>
              isNode(item) && item.range != null
                ? [expression(item, spanOf(item.range, text, base), text)]
                : [],
            )
          : [],
        merge: name === "<<",
      },
    ];
  });
}

function mappingsOf(node: Node | undefined, text: string, base: number): Mapping[] {
  const maps = isMap(node) ? [node] : isSeq(node) ? node.items.filter((item) => isMap(item)) : [];
  return maps.flatMap((map) =>
    map.range == null ? [] : [{ range: spanOf(map.range, text, base), entries: entriesOf(map, text, base) }],
  );
}

const expression = (node: Node | undefined, range: Range, text: string): Expression => ({
  range,
  text: text.slice(range.from, range.to),
  value: valueOf(node),
});

function valueOf(node: Node | undefined): Value {
  if (node === undefined) return { kind: "none" };
  if (isAlias(node)) return { kind: "unknown" };
  if (isSeq(node))
    return {
      kind: "list",
      items: node.items.map((item) => (isNode(item) ? valueOf(item) : { kind: "none" })),
    };
  if (isMap(node))
    return {
      kind: "dict",
      entries: node.items.flatMap(({ key, value }) =>
        isScalar(key)
          ? [[valueOf(key), isNode(value) ? valueOf(value) : { kind: "none" as const }] as const]
          : [],
      ),
    };
  if (!isScalar(node)) return { kind: "unknown" };
  const { value } = node;
  if (value === null) return { kind: "none" };
  if (typeof value === "number") return { kind: "number", value };
  if (typeof value === "boolean") return { kind: "boolean", value };
  // a template or a variable of the shell stands for something else
  if (typeof value === "string" && !/\$\{|\{\{/.test(value)) return { kind: "string", value };
  return { kind: "unknown" };
}

/** From the first character of a node to its last; a block has its last line break in it. */
function spanOf([from, to]: readonly [number, number, number], text: string, base: number): Range {
  const written = text.slice(base + from, base + to).trimEnd();
  return { from: base + from, to: base + from + written.length };
}

/** Marks that the lexer puts between pieces of the source; `scalar` stands before the text of one. */
const marks = { document: "\x02", flowEnd: "\x18", scalar: "\x1f" };

function commentsIn(text: string): Range[] {
  const found: Range[] = [];
  let at = 0;
  let before = "";
  for (const token of new Lexer().lex(text)) {
    if (token.startsWith("#") && before !== marks.scalar)
      found.push({ from: at, to: at + token.trimEnd().length });
    if (!Object.values(marks).includes(token)) at += token.length;
    before = token;
  }
  return found;
}
