/** Where a whole model is built and gets a name: `model = GPT(config)`, `model = AutoModel.from_pretrained(name).to(device)`. */
import type { Call, Range } from "../python/facts";
import { indentationAt, lineEnd } from "./callSites/callSite";
import { lineStart, type SourceFile } from "./definitions";

export interface Built {
  /** The variable: `model`. */
  readonly name: string;
  readonly call: Call;
  /** Class or factory as imports have it, without `.from_pretrained`: `GPT`, `gpt.GPT`, `transformers.AutoModel`. */
  readonly type: string;
  /** End of the line after which the model has its weights: its own, or that of a `load_state_dict` below. */
  readonly readyAt: number;
}

const chained =
  /^(?:\s*\.\s*(?:to|cuda|cpu|eval|train|half|bfloat16|float|double|requires_grad_)\s*\([^()]*\))*\s*$/;

/** The models that a file builds outside of classes, in source order; `calls` narrows to some of them. */
export function builtIn({ facts, text }: SourceFile, calls: readonly Call[] = facts.calls): Built[] {
  return calls.flatMap((call): Built[] => {
    const type = call.qualified?.replace(/\.(?:from_pretrained|from_config|load_from_checkpoint)$/, "");
    if (type === undefined || !/(?:^|\.)[A-Z]\w*$/.test(type)) return [];
    const { statement } = call;
    const name = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*$/.exec(text.slice(statement.from, call.range.from))?.[1];
    if (name === undefined || !chained.test(text.slice(call.range.to, statement.to))) return [];
    if (facts.modules.some(({ range }) => range.from <= call.range.from && call.range.from < range.to))
      return [];
    return [{ name, call, type, readyAt: readyAt({ facts, text }, name, statement) }];
  });
}

/** The innermost function around an offset, or the whole file. */
export function functionAround({ facts, text }: SourceFile, offset: number): Range {
  const around = [...facts.functions, ...facts.modules.flatMap(({ methods }) => methods)]
    .map(({ range }) => range)
    .filter(({ from, to }) => from <= offset && offset < to)
    .toSorted((a, b) => a.to - a.from - (b.to - b.from));
  return around[0] ?? { from: 0, to: text.length };
}

/** Checkpoints of the plain model are loaded before it gets adapters: strict loading knows no others. */
function readyAt(file: SourceFile, name: string, statement: Range): number {
  const { text } = file;
  const { to } = functionAround(file, statement.from);
  const rebuilt = new RegExp(`^[ \\t]*${name}\\s*=`, "m").exec(text.slice(lineEnd(text, statement.to), to));
  const end = rebuilt === null ? to : lineEnd(text, statement.to) + rebuilt.index;
  const below = text.slice(statement.to, end);
  const loading = [...below.matchAll(new RegExp(`^[^#\\n]*\\b${name}\\.load_state_dict\\(`, "gm"))].at(-1);
  if (loading === undefined) return lineEnd(text, statement.to);
  const indentation = indentationAt(text, statement.from);
  const at = lineEnd(text, closing(text, statement.to + loading.index + loading[0].length));
  const line = lineStart(text, statement.to + loading.index + loading[0].length - 1);
  // Inside an `if`: below the whole block, which is indented deeper than the model's own line.
  return indentationAt(text, line).length <= indentation.length ? at : blockEnd(text, at, indentation, end);
}

/** End of the last line below `at` that is indented deeper than `indentation`. */
function blockEnd(text: string, at: number, indentation: string, limit: number): number {
  let end = at;
  let start = at;
  while (start < limit) {
    const next = lineEnd(text, start) + 1;
    if (next > limit || next > text.length) break;
    const stop = lineEnd(text, next);
    const line = text.slice(next, stop);
    if (line.trim() !== "" && (/^[ \t]*/.exec(line)?.[0] ?? "").length <= indentation.length) break;
    if (line.trim() !== "") end = stop;
    start = stop;
  }
  return end;
}

/** Offset behind the bracket that closes the one just before `open`. */
function closing(text: string, open: number): number {
  let depth = 1;
  for (let at = open; at < text.length; at++) {
    const character = text[at] ?? "";
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character) && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Whether the code speaks of a name as of a module: `model.parameters()`, `model.to(device)`. */
export const isUsedAsModule = (text: string, name: string): boolean =>
  new RegExp(
    `\\b${name}\\.(?:parameters|named_parameters|state_dict|load_state_dict|train|eval|to|cuda|half|requires_grad_)\\(`,
  ).test(text);
