/** The names of a `from … import …` statement as text: adding some where the file's order has them, taking one out. */
import type { Range } from "../python/facts";
import { type Edit, edit, insertion } from "./edits";

interface ImportedName {
  /** With its alias: `functional as F`. */
  readonly range: Range;
  /** As imported: `functional`. */
  readonly name: string;
}

export interface FromImport {
  readonly module: string;
  readonly names: readonly ImportedName[];
  /** The names have brackets around them. */
  readonly bracketed: boolean;
}

/** A statement that imports names from a module; undefined for any other, and for `*`. */
export function readFromImport(text: string, statement: Range): FromImport | undefined {
  const source = text.slice(statement.from, statement.to);
  const head = /^from\s+(\.*[\w.]*)\s+import\b[\s\\]*(\(?)/.exec(source);
  if (head === null) return undefined;
  const [whole, module = "", bracket] = head;
  const blanked = source.replace(/#[^\r\n]*/g, (comment) => " ".repeat(comment.length));
  const names = [...blanked.matchAll(/([A-Za-z_]\w*)(?:[\s\\]+as[\s\\]+\w+)?/g)]
    .filter(({ index }) => index >= whole.length)
    .map((match) => {
      const from = statement.from + match.index;
      return { range: { from, to: from + match[0].length }, name: match[1] ?? "" };
    });
  return names.length === 0 ? undefined : { module, names, bracketed: bracket === "(" };
}

type Order = (name: string) => string;

/** What files sort imported names by: constants, classes and functions apart as isort does, or as plain text. */
const orders: readonly Order[] = [
  (name) => `${/^[A-Z][A-Z0-9_]+$/.test(name) ? 0 : /^[A-Z]/.test(name) ? 1 : 2}${name.toLowerCase()}`,
  (name) => name.toLowerCase(),
  (name) => name,
];

/** The order that names stand in; undefined where they stand in none. */
const orderOf = (names: readonly string[]): Order | undefined =>
  orders.find((key) => names.every((name, index) => index === 0 || key(names[index - 1] ?? "") <= key(name)));

const before = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names of a new statement in isort's order. */
export const inOrder = (names: readonly string[]): string[] => {
  const [key = (name: string) => name] = orders;
  return names.toSorted((a, b) => before(key(a), key(b)));
};

/** Edits that add names, each as written (`functional as F`): sorted where the statement is, else at its end. */
export function addNames(text: string, statement: FromImport, added: readonly string[]): Edit[] {
  const { names } = statement;
  const key = orderOf(names.map(({ name }) => name));
  const sorted = key === undefined ? added : added.toSorted((a, b) => before(key(a), key(b)));
  const last: string[] = [];
  const edits: Edit[] = [];
  for (const each of sorted) {
    const next = key === undefined ? undefined : names.find(({ name }) => key(name) > key(each));
    if (next === undefined) last.push(each);
    else edits.push(insertion(next.range.from, `${each},${gapBefore(text, next)}`));
  }
  return last.length === 0 ? edits : [...edits, ...atEnd(text, statement, last)];
}

/** Whether a name that is added comes where another one goes, which is then one edit. */
export function comesInPlaceOf({ names }: FromImport, added: string, leaving: Range): boolean {
  const key = orderOf(names.map(({ name }) => name));
  const next = key === undefined ? -1 : names.findIndex(({ name }) => key(name) > key(added));
  const at = next < 0 ? names.length : next;
  const index = names.findIndex(({ range }) => range.from <= leaving.from && leaving.from < range.to);
  return at === index || at === index + 1;
}

/** What stands between a name's comma and the next name: a line break where each has a line of its own. */
function gapBefore(text: string, { range }: ImportedName): string {
  const line = /(?:^|[\r\n])([ \t]*)$/.exec(text.slice(0, range.from));
  return line === null ? " " : `\n${line[1] ?? ""}`;
}

function atEnd(text: string, { names }: FromImport, added: readonly string[]): Edit[] {
  const last = names.at(-1);
  if (last === undefined) return [];
  const gap = names.length > 1 || gapBefore(text, last) !== " " ? gapBefore(text, last) : " ";
  const [, comma] = /^(\s*,)?/.exec(text.slice(last.range.to)) ?? [];
  const end = last.range.to + (comma?.length ?? 0);
  const list = added.join(`,${gap}`);
  if (gap === " ") return [insertion(last.range.to, `, ${list}`)];
  const comment = /^[ \t]*#[^\r\n]*/.exec(text.slice(end))?.[0].length ?? 0;
  if (comma !== undefined) return [insertion(end + comment, `${gap}${list},`)];
  return comment === 0
    ? [insertion(end, `,${gap}${list}`)]
    : [insertion(end, ","), insertion(end + comment, `${gap}${list}`)];
}

/** Edits that take some of several names out, with their commas and, where they have lines of their own, their lines. */
export function removeNames(text: string, { names }: FromImport, leaving: readonly Range[]): Edit[] {
  const isLeaving = ({ range }: ImportedName): boolean =>
    leaving.some(({ from }) => range.from <= from && from < range.to);
  return names.flatMap((each, index) => {
    if (!isLeaving(each)) return [];
    const { from, to } = each.range;
    const next = names[index + 1]?.range;
    const ownLine = /(?:\r\n|\r|\n)[ \t]*$/.exec(text.slice(0, from));
    const rest = /^[ \t]*,[ \t]*(?:#[^\r\n]*)?(?=[\r\n])/.exec(text.slice(to));
    if (ownLine !== null && rest !== null) return [edit(from - ownLine[0].length, to + rest[0].length)];
    // of several at the end the last takes the others along
    if (next !== undefined) return names.slice(index).every(isLeaving) ? [] : [edit(from, next.from)];
    // at the end, with the comma of the last name that stays
    const stays = names.slice(0, index).findLast((name) => !isLeaving(name));
    return [edit(stays?.range.to ?? from, to)];
  });
}
