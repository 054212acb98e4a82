/** An arXiv id in a comment or docstring that belongs to another paper than the one named before it. */
import { edit } from "../../../adapters/edits";
import type { Library } from "../../../literature/library";
import type { Paper } from "../../../literature/model";
import type { Range } from "../../../python/facts";
import { shortName } from "../../../render/paper";
import { type ArxivMention, arxivMentions } from "../../mentions";
import type { Check, Finding } from "../rule";

/** "DoRA (arXiv:2106.09685)": a name and an id that both are known and belong to two papers. */
export const wrongArxivId: Check = ({ library, document }) => {
  const { facts, text } = document.python;
  const prose = facts.prose.filter(({ kind }) => kind !== "string").map(({ range }) => range);
  return wrongIdsIn(library, text, prose);
};

/** The same in whichever stretches of a text speak to people. */
export const wrongIdsIn = (library: Library, text: string, stretches: readonly Range[]): Finding[] =>
  stretches.flatMap((range) => {
    const prose = text.slice(range.from, range.to);
    return arxivMentions(prose).flatMap((mention) => wrongId(library, prose, mention, range.from) ?? []);
  });

/** How far before the id its name may begin. */
const reach = 200;

function wrongId(library: Library, prose: string, mention: ArxivMention, base: number): Finding | undefined {
  const cited = mention.bare ? undefined : library.paperByArxiv(mention.id);
  if (cited === undefined) return undefined;
  const named = namedBefore(
    library,
    prose.slice(Math.max(0, mention.range.from - reach), mention.range.from),
  );
  if (named?.arxiv === undefined || named.id === cited.id) return undefined;
  // the cited paper is spoken of as well, so the id may well be meant for it
  if (names(cited).some((name) => mentions(prose, name))) return undefined;
  const range = { from: base + mention.idRange.from, to: base + mention.idRange.to };
  return {
    range,
    words: {
      id: mention.id,
      cited: shortName(cited),
      title: cited.title,
      named: shortName(named),
      right: named.arxiv,
    },
    arxiv: named.arxiv,
    repairs: [
      {
        title: `Cite arXiv:${named.arxiv}, ${shortName(named)}`,
        edits: [edit(range.from, range.to, named.arxiv)],
      },
    ],
  };
}

const names = ({ aliases, title }: Paper): string[] => [...aliases, title];

const mentions = (prose: string, name: string): boolean => {
  const at = prose.toLowerCase().indexOf(name.toLowerCase());
  return at >= 0 && !/\w/.test(prose.charAt(at - 1)) && !/\w/.test(prose.charAt(at + name.length));
};

/** The one paper whose name ends right before the id: `DoRA (`, `DoRA, `, `DoRA (Liu et al., 2024, `. */
function namedBefore(library: Library, before: string): Paper | undefined {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const name = line.replace(/\s*[([](?:[^()[\]]*,\s*)?$|\s*[,:–—-]?\s+$/, "");
  if (name === line) return undefined;
  const candidates = namesOf(library).filter(
    ([known]) => name.endsWith(known) && !/[\w-]$/.test(name.slice(0, -known.length)),
  );
  const longest = Math.max(0, ...candidates.map(([known]) => known.length));
  const papers = new Set(candidates.filter(([known]) => known.length === longest).map(([, paper]) => paper));
  return papers.size === 1 ? [...papers][0] : undefined;
}

const known = new WeakMap<
  Library,
  { readonly revision: number; readonly names: readonly (readonly [string, Paper])[] }
>();

/** Titles and aliases that look like names, with their papers; made anew when the library grows. */
function namesOf(library: Library): readonly (readonly [string, Paper])[] {
  const before = known.get(library);
  if (before?.revision === library.revision()) return before.names;
  const all = library.papers().flatMap((paper) =>
    names(paper)
      .filter((name) => name.length > 3 && /[A-Z]/.test(name))
      .map((name) => [name, paper] as const),
  );
  known.set(library, { revision: library.revision(), names: all });
  return all;
}
