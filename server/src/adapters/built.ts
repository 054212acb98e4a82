/** Where a whole model is built and gets a name: `model = GPT(config)`, `model = AutoModel.from_pretrained(name).to(device)`. */
import type { Call, Range } from "../python/facts";
import { indentationAt, lineEnd } from "./callSites/callSite";
import { lineStart, type SourceFile } from "./definitions";

export interface Built {
  /** The variable: `model`. */
  readonly name: string;
  readonly call: Call;
  /** Statements that build it: several where branches of one `if` each do. */
  readonly statements: readonly Range[];
  /** Which of the models that the file builds of this class under this name, from 0. */
  readonly number: number;
  /** Class or factory as imports have it, without `.from_pretrained`: `GPT`, `gpt.GPT`, `transformers.AutoModel`. */
  readonly type: string;
  /** End of the line after which the model has its weights: its own, or that of a `load_state_dict` below. */
  readonly readyAt: number;
  /** Of the statements that go there. */
  readonly indentation: string;
}

const chained =
  /^(?:\s*\.\s*(?:to|cuda|cpu|eval|train|half|bfloat16|float|double|requires_grad_)\s*\([^()]*\))*\s*$/;

/** The models that a file builds outside of classes, in source order; `calls` narrows to those that some of them build. */
export function builtIn(file: SourceFile, calls?: readonly Call[]): Built[] {
  const near = calls === undefined ? [] : builtBy(file, calls);
  // most names are given a model once
  if (calls !== undefined && !near.some((each) => isGivenAgain(file.text, each.name, each.type))) return near;
  const all = inBranches(file, builtBy(file, file.facts.calls));
  const isNear = ({ statements }: Built): boolean =>
    near.some(({ call }) => statements.some(({ from }) => from === call.statement.from));
  return all
    .map((each, index) => ({
      ...each,
      number: all.slice(0, index).filter((other) => isAlike(each, other)).length,
    }))
    .filter((each) => calls === undefined || isNear(each));
}

const isAlike = (one: Built, other: Built): boolean => other.name === one.name && other.type === one.type;

/** Whether a name is given what is built by this class, or one of its name, more than once. */
export function isGivenAgain(text: string, name: string, type: string): boolean {
  const given = new RegExp(
    `^[ \\t]*${name}\\b[^=\\r\\n]*=[^=\\r\\n]*\\b${type.split(".").at(-1) ?? type}\\b`,
    "gm",
  );
  return [...text.matchAll(given)].length > 1;
}

/** Models that the branches of one `if` build are one: what goes below goes below the whole of it. */
function inBranches(file: SourceFile, models: readonly Built[]): Built[] {
  return byBranches(file.text, models, ({ call }) => call.statement, isAlike).map(
    ({ items, indentation }) => {
      const [first, last] = [items[0], items.at(-1)];
      if (indentation === undefined) return first;
      const statements = items.map(({ call }) => call.statement);
      return {
        ...first,
        statements,
        indentation,
        readyAt: endOfBranches(file, last?.readyAt ?? first.readyAt, indentation),
      };
    },
  );
}

/** Lines of a kind, those together that stand in branches of one `if`, which has the `indentation`. */
function byBranches<T>(
  text: string,
  items: readonly T[],
  statementOf: (item: T) => Range,
  isAlike: (one: T, other: T) => boolean,
): { readonly items: readonly [T, ...T[]]; readonly indentation?: string }[] {
  const found: { items: [T, ...T[]]; indentation?: string }[] = [];
  for (const item of items) {
    const before = found.findLast(({ items: [first] }) => isAlike(first, item));
    const last = before?.items.at(-1);
    const indentation =
      last === undefined ? undefined : branchesBetween(text, statementOf(last).to, statementOf(item).from);
    if (before === undefined || indentation === undefined) found.push({ items: [item] });
    else {
      before.items.push(item);
      before.indentation = indentation;
    }
  }
  return found;
}

/** End of the `if` of this indentation around an offset. */
function endOfBranches(file: SourceFile, at: number, indentation: string): number {
  const { to } = functionAround(file, at);
  return blockEnd(file.text, lineEnd(file.text, at), indentation, to, /^(?:elif|else)\b/);
}

/** Lines that give a name a model: one, or those of branches of one `if`. */
export interface BuiltLines {
  readonly built: Call;
  readonly statements: readonly Range[];
  /** `model`, for keys: of several of this name `model#1`. */
  readonly variable: string;
  /** Where branches build it: the end of their `if`, and its indentation. */
  readonly below?: { readonly at: number; readonly indentation: string };
}

/** Calls whose results have names, those together that stand in branches of one `if`. */
export function builtLines(file: SourceFile, calls: readonly Call[]): BuiltLines[] {
  const isSame = (one: Call, other: Call): boolean => one.assignedTo === other.assignedTo;
  const groups = byBranches(file.text, calls, ({ statement }) => statement, isSame);
  return groups.map(({ items, indentation }, index): BuiltLines => {
    const [built] = items;
    const number = groups.slice(0, index).filter(({ items: [other] }) => isSame(other, built)).length;
    const last = items.at(-1) ?? built;
    const at = indentation === undefined ? undefined : endOfBranches(file, last.statement.to, indentation);
    return {
      built,
      statements: items.map(({ statement }) => statement),
      variable: numberedKey(built.assignedTo ?? "", number),
      ...(at === undefined || indentation === undefined ? {} : { below: { at, indentation } }),
    };
  });
}

/** The name of a model in keys. */
export const numberedKey = (name: string, number: number): string =>
  number === 0 ? name : `${name}#${number}`;

/** The indentation of an `if` of which two offsets stand in different branches; undefined where there is none. */
function branchesBetween(text: string, from: number, to: number): string | undefined {
  const inner = indentationAt(text, from).length;
  const lines = text
    .slice(lineEnd(text, from), lineStart(text, to))
    .split(/\r\n|\r|\n/)
    .filter((line) => /^[ \t]*[^\s#]/.test(line));
  const outside = lines.filter((line) => (/^[ \t]*/.exec(line)?.[0].length ?? 0) < inner);
  const [header] = outside;
  if (header === undefined || !outside.every((line) => /^[ \t]*(?:elif|else)\b/.test(line))) return undefined;
  const indentation = /^[ \t]*/.exec(header)?.[0] ?? "";
  return outside.every((line) => /^[ \t]*/.exec(line)?.[0] === indentation) ? indentation : undefined;
}

function builtBy({ facts, text }: SourceFile, calls: readonly Call[]): Built[] {
  return calls.flatMap((call): Built[] => {
    const type = call.qualified?.replace(/\.(?:from_pretrained|from_config|load_from_checkpoint)$/, "");
    if (type === undefined || !/(?:^|\.)[A-Z]\w*$/.test(type)) return [];
    const { statement } = call;
    const name = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*$/.exec(text.slice(statement.from, call.range.from))?.[1];
    if (name === undefined || !chained.test(text.slice(call.range.to, statement.to))) return [];
    if (facts.modules.some(({ range }) => range.from <= call.range.from && call.range.from < range.to))
      return [];
    return [
      {
        name,
        call,
        type,
        statements: [statement],
        number: 0,
        readyAt: readyAt({ facts, text }, name, statement),
        indentation: indentationAt(text, statement.from),
      },
    ];
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

/** End of the last line below `at` that is indented deeper than `indentation`, or goes on with what is. */
function blockEnd(text: string, at: number, indentation: string, limit: number, goesOn = /(?!)/): number {
  let end = at;
  let start = at;
  while (start < limit) {
    const next = lineEnd(text, start) + 1;
    if (next > limit || next > text.length) break;
    const stop = lineEnd(text, next);
    const line = text.slice(next, stop);
    const isOutside = (/^[ \t]*/.exec(line)?.[0] ?? "").length <= indentation.length;
    if (line.trim() !== "" && isOutside && !goesOn.test(line.trim())) break;
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
