/** Papers named in prose: arXiv ids in every spelling people use, and titles. */
import type { Library } from "../literature/library";
import type { Paper } from "../literature/model";
import type { Prose, Range } from "../python/facts";

export interface ArxivMention {
  /** As written, prefix or address included: `arXiv:2106.09685v2`. */
  readonly range: Range;
  /** The bare id without its version. */
  readonly id: string;
  readonly idRange: Range;
  /** Nothing but the digits say that it is an arXiv id. */
  readonly bare: boolean;
}

/** Prefix or address, then 2106.09685v2 or cs.CL/0112017; a bare number needs a month in its place. */
const arxivPattern =
  /((?:https?:\/\/)?(?:www\.|export\.)?arxiv\.org\/(?:abs|pdf|html)\/|(?:https?:\/\/)?(?:huggingface\.co|hf\.co)\/papers\/|(?:https?:\/\/)?(?:www\.)?alphaxiv\.org\/abs\/|arxiv\s?[:/]\s?)(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})(v\d+)?(?:\.pdf)?(?!\d)|(?<![\w.:/-])(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(v\d+)?(?![\w/]|\.\d)/gi;

/** Every arXiv id in a stretch of text; ranges are counted from `base`. */
export function arxivMentions(text: string, base = 0): ArxivMention[] {
  return [...text.matchAll(arxivPattern)].map((match) => {
    const [whole, prefix = "", prefixed, , plain] = match;
    const id = prefixed ?? plain ?? "";
    const from = base + match.index;
    const idFrom = from + prefix.length;
    return {
      range: { from, to: from + whole.length },
      id,
      idRange: { from: idFrom, to: idFrom + id.length },
      bare: prefixed === undefined,
    };
  });
}

export interface PaperMention {
  readonly range: Range;
  readonly paper: Paper;
}

/** No title or address is longer than this; a hover reads no more of a docstring than it must. */
const reach = 400;

/** The paper whose id or title stands at the offset, if the library knows it. */
export function paperAt(
  library: Library,
  text: string,
  prose: Prose,
  offset: number,
): PaperMention | undefined {
  const { from, to } = prose.kind === "comment" ? commentBlock(text, prose.range) : prose.range;
  const start = Math.max(from, offset - reach);
  const window = text.slice(start, Math.min(to, offset + reach));
  const holds = (range: Range): boolean => range.from <= offset && offset < range.to;
  const mentioned = arxivMentions(window, start).find(({ range }) => holds(range));
  const byId = mentioned && library.paperByArxiv(mentioned.id);
  if (mentioned !== undefined && byId !== undefined) return { range: mentioned.range, paper: byId };
  return library
    .findTitles(window)
    .map((title) => ({ paper: title.paper, range: { from: start + title.from, to: start + title.to } }))
    .find(({ range }) => holds(range));
}

/** A comment with the comment lines right above and below it: a long title is wrapped. */
function commentBlock(text: string, { from, to }: Range): Range {
  const above = /(?:^[ \t]*#[^\n]*\n){0,3}[ \t]*$/m.exec(text.slice(Math.max(0, from - reach), from));
  const below = /^(?:\r?\n[ \t]*#[^\n]*){0,3}/.exec(text.slice(to, to + reach));
  return { from: from - (above?.[0].length ?? 0), to: to + (below?.[0].length ?? 0) };
}
