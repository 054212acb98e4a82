/** Blank lines between top-level statements: where helpers that belong to no layer can be added. */
import type { PythonFacts, Range } from "../python/facts";
import type { PlaceOf } from "./placeOf";

export interface FreePlace extends PlaceOf<"free"> {
  /** Start of the top-level statement below, or the end of the text. */
  readonly at: number;
}

/** One place a gap below the imports, in source order. */
export function freePlaces({ definitions, layout }: PythonFacts, text: string): FreePlace[] {
  const inDefinition = ({ from }: Range): boolean =>
    definitions.some(({ range }) => range.from < from && from < range.to);
  return [...text.matchAll(/(?:^[ \t]*(?:\r\n|\r|\n))+|^[ \t]*$(?![\r\n])/gm)]
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
