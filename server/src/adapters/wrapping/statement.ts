/**
 * The line breaks of one statement as Black and Ruff set them: in the last brackets whose opening line fits, what they
 * hold on one line where that fits, else one item a line with a comma after the last.
 */
import { commaPriority, delimitersOf, dotPriority } from "./delimiters";
import type { Range } from "../../python/facts";
import type { LogicalLine, Token } from "./tokens";

/** A token, or a comma or bracket that is added. */
export interface Item {
  readonly kind: Token["kind"];
  readonly text: string;
  /** Index of the token; absent for what is added. */
  readonly token?: number;
}

interface Line {
  readonly items: readonly Item[];
  /** Levels below the statement. */
  readonly level: number;
  /** Whether it stands in brackets, where it can be broken at its delimiters. */
  readonly inside: boolean;
  /** The items of a list, a tuple or a dictionary have a line each. */
  readonly isDisplay?: boolean;
}

export interface Shape {
  readonly width: number;
  readonly indent: string;
}

/** What stands before each token, and after the last; undefined for a statement that is better left alone. */
export function layout(text: string, line: LogicalLine, shape: Shape): string[] | undefined {
  const { tokens, indentation } = line;
  const items = tokens.map(({ kind, text: own }, token): Item => ({ kind, text: own, token }));
  if (!isPlain(text, line)) return undefined;
  const wrapper = new Wrapper(text, tokens, indentation, shape);
  const lines = wrapper.transform({ items, level: 0, inside: false });
  const gaps: string[] = tokens.map(() => "");
  let pending = "";
  for (const [index, { items: own, level }] of lines.entries()) {
    if (index > 0) pending += `\n${indentation}${shape.indent.repeat(level)}`;
    for (const [at, item] of own.entries()) {
      if (at > 0) pending += wrapper.gap(own[at - 1], item);
      if (item.token === undefined) pending += item.text;
      else {
        gaps[item.token] = pending;
        pending = "";
      }
    }
  }
  return [...gaps, pending];
}

/**
 * The same without the comma that asks for a line an item, in the innermost brackets that something at one of the
 * offsets stands in. `(a,)` and `a[b,]` are nothing without theirs.
 */
export function withoutTrailingCommas(line: LogicalLine, offsets: readonly number[]): LogicalLine {
  const code = line.tokens.filter(({ kind }) => kind !== "comment");
  const brackets = offsets.flatMap((offset) => innermostBrackets(code, offset) ?? []);
  const innermost = brackets.filter(
    ({ from, to }) => !brackets.some((other) => from < other.from && other.to < to),
  );
  const dropped = code.filter(
    (each, at) => each.text === "," && isTrailingComma(code, at) && innermost.some(({ to }) => to === at + 1),
  );
  return { ...line, tokens: line.tokens.filter((each) => !dropped.includes(each)) };
}

/** Indices of the brackets around an offset. */
function innermostBrackets(code: readonly Token[], offset: number): Range | undefined {
  const opened: number[] = [];
  for (const [at, { kind, from }] of code.entries()) {
    if (kind === "close") {
      const open = opened.pop();
      if (open !== undefined && (code[open]?.to ?? 0) <= offset && offset <= from)
        return { from: open, to: at };
    }
    if (kind === "open") opened.push(at);
  }
  return undefined;
}

/** Whether nothing in it stands in the way: strings over several lines, comments on lines of their own, bodies behind a colon. */
function isPlain(text: string, { tokens, from, to }: LogicalLine): boolean {
  const source = text.slice(from, to);
  if (/\\(?:\r\n|\r|\n)/.test(source) || tokens.some(({ text: own }) => own === ";")) return false;
  if (tokens.some(({ kind, text: own }) => kind === "string" && /[\r\n]/.test(own))) return false;
  if (/^(?:with|class|async|lambda|try|except|match|case)\b/.test(source)) return false;
  if (/#\s*fmt:/.test(tokens.at(-1)?.text ?? "")) return false;
  const last = tokens.filter(({ kind }) => kind !== "comment").at(-1);
  if (/^(?:if|elif|while|for|def)\b/.test(source) && last?.text !== ":") return false;
  return tokens.every(({ kind }, index) => {
    if (kind !== "comment" || index === tokens.length - 1) return true;
    const previous = tokens[index - 1];
    // behind the comma of an item
    return previous?.text === "," && !/[\r\n]/.test(text.slice(previous.to, tokens[index]?.from));
  });
}

class Wrapper {
  constructor(
    private readonly text: string,
    private readonly tokens: readonly Token[],
    private readonly indentation: string,
    private readonly shape: Shape,
  ) {}

  /** The white space between two items on one line. */
  gap(one: Item | undefined, other: Item): string {
    const before = this.tokens[one?.token ?? -1];
    const after = this.tokens[other.token ?? -1];
    if (before !== undefined && after !== undefined && one?.token === (other.token ?? 0) - 1) {
      const own = this.text.slice(before.to, after.from);
      if (/^[ \t]*$/.test(own)) return own;
    }
    if (other.kind === "comment") return "  ";
    if (one?.kind === "open" || other.kind === "close" || /^[,.:]$/.test(other.text)) return "";
    return one?.text === "." ? "" : " ";
  }

  private written({ items, level }: Line): string {
    const code = items
      .map((item, at) => (at === 0 ? "" : this.gap(items[at - 1], item)) + item.text)
      .join("");
    return this.indentation + this.shape.indent.repeat(level) + code;
  }

  private fits(line: Line): boolean {
    const comment = line.items.findIndex(({ kind }) => kind === "comment");
    if (comment >= 0 && comment < line.items.length - 1) return false;
    return columns(this.written(line)) <= this.shape.width;
  }

  transform(line: Line): Line[] {
    if (this.fits(line) && !hasTrailingComma(line.items) && !isList(line)) return [line];
    const [first] = line.items;
    const isDefinition = !line.inside && first?.text === "def";
    const isImport = !line.inside && first?.text === "from";
    const split =
      (isImport ? this.splitImport(line) : undefined) ??
      (line.inside ? this.splitAtDelimiters(line) : undefined) ??
      (isDefinition ? this.splitFirst(line) : this.splitLast(line));
    return split === undefined ? [line] : split.flatMap((each) => this.transform(each));
  }

  /** `from typing import A, B` gets brackets. */
  private splitImport(line: Line): Line[] | undefined {
    const at = line.items.findIndex(({ text }) => text === "import");
    if (line.items[at + 1]?.kind === "open") return undefined;
    const comment = line.items.at(-1)?.kind === "comment" ? line.items.slice(-1) : [];
    const names = line.items.slice(at + 1, line.items.length - comment.length);
    return [
      { ...line, items: [...line.items.slice(0, at + 1), bracket("("), ...comment] },
      { items: withComma(names), level: line.level + 1, inside: true },
      { ...line, items: [bracket(")")] },
    ];
  }

  /** The parameters of a function. */
  private splitFirst(line: Line): Line[] | undefined {
    const open = line.items.findIndex(({ kind }) => kind === "open");
    const close = closingOf(line.items, open);
    if (close === undefined || close === open + 1) return undefined;
    const body = line.items.slice(open + 1, close);
    const single = !body.some(({ text }) => text === ",");
    return this.parts(line, open, close, single ? withComma(body) : body);
  }

  /** The last brackets, or those that are added around what follows `=` or `return`. */
  private splitLast(line: Line): Line[] | undefined {
    const { items } = line;
    const end = items.length - (items.at(-1)?.kind === "comment" ? 1 : 0);
    // what closes earlier brackets has no operand of its own
    const operand = line.inside || items[0]?.token !== 0 ? undefined : operandOf(items, end);
    if (operand === undefined) return this.splitBrackets(line, 0, end);
    const { from, to } = operand;
    const body = items.slice(from, to);
    // the rest of it stands on the lines below already
    if (body.length === 1 && body[0]?.kind === "open") return this.splitBrackets(line, 0, from);
    const whole = body[0]?.kind === "open" && closingOf(body, 0) === body.length - 1;
    const inner = whole ? undefined : this.splitBrackets(line, from, to);
    if (whole || (inner !== undefined && this.mayGoWithout(body, inner, line)))
      return inner ?? this.splitBrackets(line, from, to);
    const code = { ...line, items: items.slice(0, end) };
    // a long comment is no reason to put a single word in brackets
    if (body.some(({ kind }) => kind === "comment") || (body.length === 1 && this.fits(code))) return inner;
    const added = { items: body, level: line.level + 1, inside: true, isDisplay: true };
    if (!this.fits(added) && delimitersOf(body).length === 0) return inner;
    return [
      { ...line, items: [...items.slice(0, from), bracket("(")] },
      added,
      { ...line, items: [bracket(")"), ...items.slice(to)] },
    ];
  }

  /** Whether `body` is broken in brackets of its own rather than put in new ones. */
  private mayGoWithout(body: readonly Item[], [head]: readonly Line[], line: Line): boolean {
    if (head === undefined || !this.fits(head)) return false;
    const delimiters = delimitersOf(body);
    if (delimiters.length === 0) return true;
    const highest = Math.max(...delimiters.map(({ priority }) => priority));
    if (delimiters.filter(({ priority }) => priority === highest).length > 1) return false;
    if (highest === commaPriority) return false;
    if (highest === dotPriority) return true;
    const last = body.at(-1);
    if (body[0]?.kind === "open") {
      const close = closingOf(body, 0) ?? 0;
      const rest = { ...line, items: body.slice(close) };
      if (close > 1 && columns(this.written(rest)) <= this.shape.width) return true;
    }
    if (last?.kind !== "close" || body.at(-2)?.kind === "open") return false;
    const open = openingOf(body, body.length - 1);
    const before = body.slice(0, open);
    if (before.some(({ kind }) => kind === "open")) return true;
    return columns(this.written({ ...line, items: body.slice(0, open + 1) })) <= this.shape.width;
  }

  /** In the last brackets between two items whose opening line fits. */
  private splitBrackets(line: Line, from: number, to: number): Line[] | undefined {
    const { items } = line;
    let fallback: Line[] | undefined;
    for (let close = to - 1; close > from; close--) {
      if (items[close]?.kind !== "close") {
        // only what is called or looked up on the result may follow
        if (fallback !== undefined && !/^(?:word|operator)$/.test(items[close]?.kind ?? "")) break;
        if (fallback !== undefined && items[close]?.kind === "operator" && items[close]?.text !== ".") break;
        continue;
      }
      const open = openingOf(items, close);
      if (open < from) break;
      if (close > open + 1) {
        const split = this.parts(line, open, close, items.slice(open + 1, close));
        fallback ??= split;
        const [head] = split;
        if (head !== undefined && this.fits(head)) return split;
      }
      close = open;
    }
    return fallback;
  }

  private parts(line: Line, open: number, close: number, body: readonly Item[]): Line[] {
    const isDisplay = isDisplayAt(line.items, open) && body.some(({ text }) => text === ",");
    return [
      { ...line, items: line.items.slice(0, open + 1) },
      { items: body, level: line.level + 1, inside: true, isDisplay },
      { ...line, items: line.items.slice(close) },
    ];
  }

  /** One item a line, or one operand a line. */
  private splitAtDelimiters(line: Line): Line[] | undefined {
    const { items } = line;
    const last = items.length - (items.at(-1)?.kind === "comment" ? 2 : 1);
    const delimiters = delimitersOf(items).filter(({ at }) => at < last || items[at]?.text !== ",");
    const highest = Math.max(0, ...delimiters.map(({ priority }) => Math.ceil(priority)));
    const chosen = delimiters.filter(({ priority }) => Math.ceil(priority) === highest);
    if (chosen.length === 0 || (highest === dotPriority && chosen.length === 1)) return undefined;
    const isSequence = highest === commaPriority;
    const lines: Line[] = [];
    let start = 0;
    for (const { at } of chosen) {
      let end = isSequence ? at + 1 : at;
      // a comment behind the comma
      if (isSequence && items[end]?.kind === "comment") end++;
      if (end > start) lines.push({ ...line, items: items.slice(start, end) });
      start = end;
    }
    if (start < items.length) {
      const rest = items.slice(start);
      lines.push({ ...line, items: isSequence ? withComma(rest) : rest });
    }
    return lines.map(({ items: own, level }) => ({ items: own, level, inside: true }));
  }
}

const commasOf = (items: readonly Item[]): number =>
  delimitersOf(items).filter(({ priority }) => priority === commaPriority).length;

/** Several items that stand for themselves, not as the arguments of a call. */
const isList = ({ items, isDisplay }: Line): boolean =>
  isDisplay === true && Math.max(0, ...delimitersOf(items).map(({ priority }) => priority)) === commaPriority;

/** Whether a bracket opens a list, a tuple or a dictionary: it follows nothing that can be called or looked up in. */
function isDisplayAt(items: readonly Item[], open: number): boolean {
  const previous = items[open - 1];
  return (
    previous === undefined || !(previous.kind === "close" || previous.kind === "string" || isName(previous))
  );
}

const isName = ({ kind, text }: Item): boolean =>
  kind === "word" &&
  !/^(?:return|in|and|or|not|if|else|elif|while|yield|await|assert|is|for|del|import)$/.test(text);

const bracket = (text: "(" | ")"): Item => ({ kind: text === "(" ? "open" : "close", text });

/** With a comma at the end, before the comment if there is one. */
function withComma(items: readonly Item[]): Item[] {
  const comment = items.at(-1)?.kind === "comment" ? items.slice(-1) : [];
  const own = items.slice(0, items.length - comment.length);
  const last = own.at(-1);
  if (last?.text === "," || last === undefined) return [...items];
  return [...own, { kind: "operator", text: "," }, ...comment];
}

/** Whether brackets anywhere in it end in a comma, which asks for a line an item; `(a,)` and `a[b,]` do not. */
function hasTrailingComma(items: readonly Item[]): boolean {
  const code = items.filter(({ kind }) => kind !== "comment");
  return code.some((item, at) => {
    if (item.text !== ",") return false;
    const next = code[at + 1];
    if (next === undefined) return at > 0 && commasOf(code) > 1;
    return isTrailingComma(code, at);
  });
}

/** Whether the comma at an index stands before a closing bracket, and could as well not. */
function isTrailingComma(code: readonly Item[], at: number): boolean {
  const next = code[at + 1];
  if (next?.kind !== "close") return false;
  const open = openingOf(code, at + 1);
  const commas = commasOf(code.slice(open + 1, at + 1));
  if (next.text === "]") return commas > 1 || isDisplayAt(code, open);
  return next.text === "}" || commas > 1 || !isDisplayAt(code, open);
}

/** What Black would put brackets around: the right side of an assignment, what is returned, a condition. */
function operandOf(items: readonly Item[], end: number): { from: number; to: number } | undefined {
  const [first] = items;
  const to = items[end - 1]?.text === ":" ? end - 1 : end;
  if (/^(?:return|if|elif|while|assert)$/.test(first?.text ?? "")) {
    const comma = delimitersOf(items.slice(1, to)).find(({ priority }) => priority === commaPriority);
    if (first?.text === "assert" && comma !== undefined) return { from: comma.at + 2, to };
    return to > 1 ? { from: 1, to } : undefined;
  }
  let depth = 0;
  let found: number | undefined;
  items.slice(0, to).forEach(({ kind, text }, index) => {
    if (kind === "open") depth++;
    else if (kind === "close") depth--;
    else if (depth === 0 && /^(?:[-+*/%@&|^]|\*\*|\/\/|<<|>>)?=$/.test(text)) found = index;
    else if (depth === 0 && first?.text === "for" && text === "in") found ??= index;
  });
  return found === undefined ? undefined : { from: found + 1, to };
}

function closingOf(items: readonly Item[], open: number): number | undefined {
  let depth = 0;
  for (let at = Math.max(0, open); at < items.length; at++) {
    if (items[at]?.kind === "open") depth++;
    else if (items[at]?.kind === "close" && --depth === 0) return at;
  }
  return undefined;
}

function openingOf(items: readonly Item[], close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (items[at]?.kind === "close") depth++;
    else if (items[at]?.kind === "open" && --depth === 0) return at;
  }
  return -1;
}

/** Columns of a line: a tab takes four. */
const columns = (line: string): number => line.replaceAll("\t", "    ").length;
