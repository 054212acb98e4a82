/** An arXiv id in a comment or docstring that belongs to another paper than the one it is given for. */
import { edit } from "../../../adapters/edits";
import type { Library } from "../../../literature/library";
import type { Paper } from "../../../literature/model";
import type { Range } from "../../../python/facts";
import { shortName } from "../../../render/paper";
import { type ArxivMention, arxivMentions } from "../../mentions";
import { bibliographyEntries, isSpokenOf, namedBefore } from "../namedPaper";
import type { Check, Finding } from "../rule";

/** "DoRA (arXiv:2106.09685)": a name and an id that both are known and belong to two papers. */
export const wrongArxivId: Check = ({ library, document }) => {
  const { facts, text } = document.python;
  const prose = facts.prose.filter(({ kind }) => kind !== "string").map(({ range }) => range);
  return wrongIdsIn(library, text, prose);
};

/** The same in whichever stretches of a text speak to people. */
export const wrongIdsIn = (library: Library, text: string, stretches: readonly Range[]): Finding[] =>
  joined(text, stretches).flatMap((range) => {
    const prose = text.slice(range.from, range.to);
    const mentions = arxivMentions(prose);
    if (mentions.length === 0) return [];
    const entries = bibliographyEntries(library, prose);
    return mentions.flatMap((mention, index) => {
      const cited = library.paperByArxiv(mention.id);
      if (cited === undefined) return [];
      const entry = entries.find(({ from, to }) => from < mention.range.from && mention.range.to <= to);
      const named = entry === undefined ? namedFor(library, prose, mentions, index, cited) : entry.paper;
      if (named?.arxiv === undefined || named.id === cited.id) return [];
      return [findingAt(mention, range.from, prose, cited, named, named.arxiv)];
    });
  });

/** The paper that an id is surely given for, by the words between the last id and this one. */
function namedFor(
  library: Library,
  prose: string,
  mentions: readonly ArxivMention[],
  index: number,
  cited: Paper,
): Paper | undefined {
  const mention = mentions[index];
  if (mention === undefined || mention.bare) return undefined;
  const named = namedBefore(library, ownWords(prose, mentions[index - 1], mention), cited);
  // the cited paper is spoken of as well, without an id of its own, so this one may well be meant for it
  const others = mentions.filter((each) => each !== mention).map(({ range }) => range.from);
  return isSpokenOf(cited, prose, others) ? undefined : named;
}

/** What is written for an id alone: where a name follows the last id at once, it may be that one's, so from the next comma on. */
function ownWords(prose: string, last: ArxivMention | undefined, { range }: ArxivMention): string {
  const words = prose.slice(last?.range.to ?? 0, range.from);
  return last === undefined ? words : (/(?:[,;\n|&+]|\.\s|\b(?:and|or|vs)\b)[^]*$/.exec(words)?.[0] ?? "");
}

/** Comments on lines of their own that follow one another are one text. */
function joined(text: string, stretches: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const range of stretches) {
    const last = found.at(-1);
    if (last !== undefined && /^\r?\n[ \t]*$/.test(text.slice(last.to, range.from)))
      found[found.length - 1] = { from: last.from, to: range.to };
    else found.push(range);
  }
  return found;
}

function findingAt(
  { id, idRange }: ArxivMention,
  base: number,
  prose: string,
  cited: Paper,
  named: Paper,
  right: string,
): Finding {
  const range = { from: base + idRange.from, to: base + idRange.to };
  // the version is one of the wrong paper
  const version = /^v\d+/.exec(prose.slice(idRange.to))?.[0].length ?? 0;
  return {
    range,
    words: { id, cited: shortName(cited), title: cited.title, named: shortName(named), right },
    arxiv: right,
    repairs: [
      {
        title: `Cite arXiv:${right}, ${shortName(named)}`,
        edits: [edit(range.from, range.to + version, right)],
      },
    ],
  };
}
