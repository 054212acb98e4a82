/** What a paper builds on, what refines it and what it was compared with: relations read in both directions. */
import type { Paper, Relation } from "../literature/model";
import { escape, sentences } from "../render/markdown";
import { shortName } from "../render/paper";
import type { FeatureContext } from "./context";

/** A relation as the paper it is read from sees it. */
export interface Relative {
  readonly kind: string;
  readonly paper: Paper;
  /** Where that is said. */
  readonly source: string;
}

/** What a relation is called from its other end. */
const fromOtherEnd: Readonly<Record<Relation["kind"], string>> = {
  improves: "improved-by",
  "builds-on": "extended-by",
  "compared-with": "baseline-of",
  applies: "applied-by",
  surveys: "surveyed-by",
  renames: "renamed-by",
};

/** A paper's own relations first, then what later papers say of it, kind by kind. */
export function relativesOf({ library }: FeatureContext, { id, relations }: Paper): readonly Relative[] {
  const own = relations.flatMap(({ kind, paper, source }): Relative[] => {
    const other = library.paper(paper);
    return other === undefined ? [] : [{ kind, paper: other, source }];
  });
  const later = library
    .papers()
    .flatMap((paper) =>
      paper.relations.flatMap(({ kind, paper: to, source }): Relative[] =>
        to === id ? [{ kind: fromOtherEnd[kind], paper, source }] : [],
      ),
    );
  const kinds = Object.values(fromOtherEnd);
  return [
    ...own,
    ...later.toSorted(
      (a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (a.paper.year ?? 0) - (b.paper.year ?? 0),
    ),
  ];
}

/**
 * "Builds on LoRA. Compared with PiSSA. Refined by DoRA, rsLoRA": for a hover, the names alone. Of `besides`, papers to
 * see as well, those come first that it does not name otherwise.
 */
export function lineage(
  context: FeatureContext,
  paper: Paper,
  besides: readonly Paper[] = [],
): string | undefined {
  const relatives = relativesOf(context, paper);
  const further = besides.filter((other) => relatives.every((each) => each.paper.id !== other.id));
  const named = (words: string, ...kinds: readonly string[]): string | undefined => {
    const papers = bestKnown(
      context,
      new Set(relatives.flatMap((each) => (kinds.includes(each.kind) ? [each.paper] : []))),
    );
    if (papers.length === 0) return undefined;
    const shown = papers.slice(0, most);
    return `${words} ${escape(shown.map(shortName).join(", "))}${papers.length > shown.length ? " and others" : ""}`;
  };
  const line = sentences(
    further.length === 0 ? undefined : `See also ${escape(further.slice(0, most).map(shortName).join(", "))}`,
    named("Builds on", "builds-on"),
    named("Improves on", "improves"),
    named("Compared with", "compared-with"),
    named("Refined by", "improved-by", "extended-by"),
  );
  return line === "" ? undefined : line;
}

/** Papers of each kind that a hover names. */
const most = 5;

/** Those first that others refer to. */
function bestKnown({ library }: FeatureContext, wanted: ReadonlySet<Paper>): Paper[] {
  const known = new Map<string, number>();
  for (const { relations } of library.papers())
    for (const { paper } of relations) known.set(paper, (known.get(paper) ?? 0) + 1);
  return library
    .papers()
    .filter((paper) => wanted.has(paper))
    .toSorted((a, b) => (known.get(b.id) ?? 0) - (known.get(a.id) ?? 0));
}
