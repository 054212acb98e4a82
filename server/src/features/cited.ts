/** The papers a file rests on: those it names, those of the symbols it uses, and those of the methods it holds. */
import type { Library } from "../literature/library";
import type { Paper } from "../literature/model";
import type { Range } from "../python/facts";
import { type ConfigurationDocument, fieldOf, sectionsOf } from "./configuration/document";
import type { OpenDocument } from "./context";
import { arxivMentions } from "./mentions";

/** In the order of their first appearance by kind, each once. */
export function papersIn(library: Library, document: OpenDocument | undefined): Paper[] {
  if (document === undefined) return [];
  const { facts, text } = document.python;
  const named = papersNamed(
    library,
    text,
    facts.prose.map(({ range }) => range),
  );
  const used = facts.references.flatMap(({ qualified }) =>
    qualified.startsWith("torch.") ? [] : (library.symbol(qualified)?.papers ?? []),
  );
  const held = facts.definitions.flatMap(({ name }) => library.methodOfDefinition(name)?.paper ?? []);
  return distinct([...named, ...papersOf(library, [...used, ...held])]);
}

/** The same of a configuration file: those of comments, and those of the methods whose keys are given. */
export function papersInConfiguration(library: Library, document: ConfigurationDocument): Paper[] {
  const { text, tree } = document;
  const used = sectionsOf(library, document).flatMap(({ symbol, mapping }) =>
    mapping.entries.flatMap(({ key, value: { value } }) => {
      const isOff = value.kind === "none" || (value.kind === "boolean" && !value.value);
      return isOff ? [] : (fieldOf(symbol, key.name)?.papers ?? []);
    }),
  );
  return distinct([...papersNamed(library, text.getText(), tree.comments), ...papersOf(library, used)]);
}

function papersNamed(library: Library, text: string, stretches: readonly Range[]): Paper[] {
  return stretches.flatMap(({ from, to }) => {
    const prose = text.slice(from, to);
    const byId = arxivMentions(prose).flatMap(({ id }) => library.paperByArxiv(id) ?? []);
    return [...byId, ...library.findTitles(prose).map(({ paper }) => paper)];
  });
}

const papersOf = (library: Library, ids: readonly string[]): Paper[] =>
  ids.flatMap((id) => library.paper(id) ?? []);

const distinct = (papers: readonly Paper[]): Paper[] => [
  ...new Map(papers.map((paper) => [paper.id, paper])).values(),
];
