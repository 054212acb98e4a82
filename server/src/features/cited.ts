/** The papers a file rests on: those it names, those of the symbols it uses, and those of the methods it holds. */
import type { Library } from "../literature/library";
import type { Paper } from "../literature/model";
import type { OpenDocument } from "./context";
import { arxivMentions } from "./mentions";

/** In the order of their first appearance by kind, each once. */
export function papersIn(library: Library, document: OpenDocument | undefined): Paper[] {
  if (document === undefined) return [];
  const { facts, text } = document.python;
  const named = facts.prose.flatMap(({ range }) => {
    const prose = text.slice(range.from, range.to);
    const byId = arxivMentions(prose).flatMap(({ id }) => library.paperByArxiv(id) ?? []);
    return [...byId, ...library.findTitles(prose).map(({ paper }) => paper)];
  });
  const used = facts.references.flatMap(({ qualified }) =>
    qualified.startsWith("torch.") ? [] : (library.symbol(qualified)?.papers ?? []),
  );
  const held = facts.definitions.flatMap(({ name }) => library.methodOfDefinition(name)?.paper ?? []);
  const papers = [...named, ...[...used, ...held].flatMap((id) => library.paper(id) ?? [])];
  return [...new Map(papers.map((paper) => [paper.id, paper])).values()];
}
