/** Blank lines between top-level statements: where helpers that belong to no layer can be added. */
import type { PythonFacts, Range } from "../python/facts";
import type { PlaceOf } from "./placeOf";

export interface FreePlace extends PlaceOf<"free"> {
  /** Start of the top-level statement below, or the end of the text. */
  readonly at: number;
}

/** Between the two halves of a CRLF no line begins. */
const blankLines = /(?:^(?!(?<=\r)\n)[ \t]*(?:\r\n|\r|\n))+|^[ \t]*$(?![\r\n])/gm;

/** Whether a line of the stretch, or the one above it, is blank: else no gap touches it. */
export function blankLineNear(text: string, from: number, to: number): boolean {
  const above = /(?:[^\r\n]*(?:\r\n?|\n))?[^\r\n]*$/.exec(text.slice(Math.max(0, from - 1000), from));
  const rest = /^[^\r\n]*/.exec(text.slice(to, to + 1000));
  return `${above?.[0] ?? ""}${text.slice(from, to)}${rest?.[0] ?? ""}`.search(blankLines) >= 0;
}

/** One place a gap below the imports, in source order. */
export function freePlaces({ definitions, layout }: PythonFacts, text: string): FreePlace[] {
  const inDefinition = ({ from }: Range): boolean =>
    definitions.some(({ range }) => range.from < from && from < range.to);
  return [...text.matchAll(blankLines)]
    .map((match): Range => ({ from: match.index, to: match.index + match[0].length }))
    .filter(
      (gap) =>
        gap.to >= layout.importEnd &&
        !inDefinition(gap) &&
        /^(?:[A-Za-z_@#"']|$)/.test(text.slice(gap.to, gap.to + 1)),
    )
    .map((gap, index) => ({
      kind: "free",
      key: `free::${index}`,
      label: "this file",
      touch: [gap],
      at: gap.to,
    }));
}
