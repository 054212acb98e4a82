/** Where a list or an expression can be broken: at the delimiters of the lowest precedence that it has. */
import type { Item } from "./statement";

/** Higher is broken first. */
const priorities: Readonly<Record<string, number>> = {
  or: 14,
  and: 13.9,
  in: 10,
  is: 10,
  not: 10,
  "==": 10,
  "!=": 10,
  "<": 10,
  ">": 10,
  "<=": 10,
  ">=": 10,
  "|": 9,
  "^": 8,
  "&": 7,
  "<<": 6,
  ">>": 6,
  "+": 5,
  "-": 5,
  "*": 4,
  "/": 4,
  "//": 4,
  "%": 4,
  "@": 4,
  "**": 3,
};
const [comprehension, comma, ternary, strings, dot] = [20, 18, 16, 12, 1];
export const commaPriority = comma;
export const dotPriority = dot;

/** Words after which an operator has nothing to its left. */
const words =
  /^(?:return|in|and|or|not|if|else|elif|while|lambda|yield|await|assert|is|for|del|raise|from|import)$/;

const endsOperand = (item: Item | undefined): boolean =>
  item !== undefined &&
  (item.kind === "close" || item.kind === "string" || (item.kind === "word" && !words.test(item.text)));

export interface Delimiter {
  /** Index of the item that the delimiter is. */
  readonly at: number;
  readonly priority: number;
}

/** The delimiters outside all brackets. */
export function delimitersOf(items: readonly Item[]): Delimiter[] {
  const found: Delimiter[] = [];
  let depth = 0;
  let loops = 0;
  let lambda = false;
  items.forEach((item, at) => {
    if (item.kind === "close") depth--;
    const previous = items[at - 1];
    if (depth === 0) {
      const priority = priorityOf(item, previous, items, at, loops > 0, lambda);
      if (priority !== undefined && at > 0) found.push({ at, priority });
      if (item.text === "for" && item.kind === "word") loops++;
      if (item.text === "lambda") lambda = true;
      else if (item.text === ":") lambda = false;
    }
    if (item.kind === "open") depth++;
  });
  return found;
}

function priorityOf(
  item: Item,
  previous: Item | undefined,
  items: readonly Item[],
  at: number,
  inLoop: boolean,
  inLambda: boolean,
): number | undefined {
  const { kind, text } = item;
  if (inLambda) return undefined;
  if (kind === "string") return previous?.kind === "string" ? strings : undefined;
  if (kind === "word") {
    if (text === "for") return previous?.text === "async" ? undefined : comprehension;
    if (text === "async") return comprehension;
    if (text === "if") return inLoop && !hasElse(items, at) ? comprehension : ternary;
    if (text === "else") return ternary;
    if (text === "in")
      return inLoopHeader(items, at) || previous?.text === "not" ? undefined : priorities["in"];
    if (text === "not")
      return items[at + 1]?.text === "in" && endsOperand(previous) ? priorities["not"] : undefined;
    return priorities[text];
  }
  if (kind !== "operator") return undefined;
  if (text === ".") return previous?.kind === "close" ? dot : undefined;
  if (text === ",") return inLoopHeader(items, at) ? undefined : comma;
  if (endsOperand(previous)) return priorities[text];
  return undefined;
}

/** Whether the `if` at an index is that of `a if b else c`. */
function hasElse(items: readonly Item[], at: number): boolean {
  let depth = 0;
  for (const item of items.slice(at + 1)) {
    if (item.kind === "open") depth++;
    else if (item.kind === "close") depth--;
    else if (depth === 0 && item.text === "else") return true;
    else if (depth === 0 && (item.text === "for" || item.text === "if")) return false;
  }
  return false;
}

/** Whether the `in` at an index belongs to a `for`. */
function inLoopHeader(items: readonly Item[], at: number): boolean {
  let depth = 0;
  for (let index = at - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.kind === "close") depth++;
    else if (item?.kind === "open") depth--;
    else if (depth === 0 && item?.text === "for") return true;
    else if (depth === 0 && (item?.text === "in" || item?.text === "if")) return false;
  }
  return false;
}
