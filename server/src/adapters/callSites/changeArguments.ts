/** Changing some arguments of a call while the others, the comments and the layout stay. */
import type { Argument, Call } from "../../python/facts";
import { lineStart } from "../definitions";
import { type Edit, edit, type Piece } from "../edits";
import { appendArguments, joined } from "./arguments";
import { lineEnd } from "./callSite";

export interface ArgumentChanges {
  readonly remove?: readonly Argument[];
  /** Other values of arguments that stay. */
  readonly replace?: ReadonlyMap<Argument, string>;
  /** Other names of arguments that stay. */
  readonly rename?: ReadonlyMap<Argument, string>;
  /** New arguments, `name=value` each; they come last. */
  readonly add?: readonly (readonly Piece[])[];
}

export function changeArguments(
  text: string,
  call: Call,
  { remove = [], replace = new Map(), rename = new Map(), add = [] }: ArgumentChanges,
): Edit[] {
  const edits: Edit[] = [];
  for (const [{ value }, written] of replace) edits.push(edit(value.range.from, value.range.to, written));
  for (const [{ keyword }, name] of rename)
    if (keyword !== undefined) edits.push(edit(keyword.range.from, keyword.range.to, name));
  const last = call.arguments.at(-1);
  // the place of a last argument that goes is taken by those that come
  if (last !== undefined && remove.includes(last) && add.length > 0) {
    const ownLine = startsLine(text, last) && call.arguments.length > 1;
    const indentation = text.slice(lineStart(text, last.range.from), last.range.from);
    edits.push(edit(last.range.from, last.range.to, ...joined(add, ownLine ? `,\n${indentation}` : ", ")));
    const others = remove.filter((each) => each !== last);
    return [...edits, ...removed(text, call, others)];
  }
  const appended = appendArguments(text, call, add);
  return [...edits, ...(appended === undefined ? [] : [appended]), ...removed(text, call, remove)];
}

const startsLine = (text: string, { range }: Argument): boolean =>
  text.slice(lineStart(text, range.from), range.from).trim() === "";

/** Arguments taken out with their commas, those that stand together at once. */
function removed(text: string, call: Call, remove: readonly Argument[]): Edit[] {
  const runs: { first: number; last: number }[] = [];
  call.arguments.forEach((argument, index) => {
    if (!remove.includes(argument)) return;
    const run = runs.at(-1);
    if (run?.last === index - 1) run.last = index;
    else runs.push({ first: index, last: index });
  });
  return runs.flatMap(({ first, last }) => {
    const [from, to] = [call.arguments[first], call.arguments[last]];
    return from === undefined || to === undefined
      ? []
      : [without(text, call, from, to, call.arguments[first - 1], call.arguments[last + 1])];
  });
}

/** @param before, after the arguments that stay on either side */
function without(
  text: string,
  call: Call,
  first: Argument,
  last: Argument,
  before: Argument | undefined,
  after: Argument | undefined,
): Edit {
  const { from } = first.range;
  const { to } = last.range;
  const rest = text.slice(to, after?.range.from ?? call.argumentList.to - 1);
  const endsLine = /[\r\n]/.test(rest);
  const withComma = edit(from, to + (/^\s*,/.exec(rest)?.[0].length ?? 0));
  if (startsLine(text, first) && endsLine && (before ?? after) !== undefined) {
    const end = lineEnd(text, to);
    return edit(lineStart(text, from), end + (/^(?:\r\n|\r|\n)/.exec(text.slice(end))?.[0].length ?? 0));
  }
  if (after !== undefined) {
    // `a=1, b=2,  # both` keeps its comment and its line break where b goes
    if (endsLine && before !== undefined) return edit(before.range.to, to);
    return rest.includes("#") ? withComma : edit(from, after.range.from);
  }
  if (before === undefined) return withComma;
  return text.slice(before.range.to, from).includes("#") ? withComma : edit(before.range.to, to);
}
