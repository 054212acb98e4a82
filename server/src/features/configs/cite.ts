/** "# LoRA: Low-Rank Adaptation … (Hu et al., 2022), arXiv:2106.09685" above what a paper stands behind. */
import { lineStart } from "../../adapters/definitions";
import { insertion } from "../../adapters/edits";
import { indentationAt, lineEnd } from "../../adapters/callSites/callSite";
import { authorsInShort } from "../../literature/cite";
import type { Paper } from "../../literature/model";
import { insertedMethod } from "../inserted";
import { stateOf } from "./form";
import { argumentsHere, type CallAt, type Offer } from "./offer";

export function citationOffers(at: CallAt): Offer[] {
  const { call, document } = at;
  const { text } = document.python;
  const start = lineStart(text, call.statement.from);
  // the comment above, the statement, and what is behind it
  const lines = text
    .slice(0, start)
    .split(/\r\n|\r|\n/)
    .slice(0, -1);
  const above = lines.slice(lines.findLastIndex((line) => !/^[ \t]*#/.test(line)) + 1);
  const around = above.join("\n") + text.slice(start, lineEnd(text, call.statement.to));
  return papersOf(at)
    .filter(({ arxiv, title }) => !around.includes(title) && (arxiv === undefined || !around.includes(arxiv)))
    .map((paper) => ({
      key: `cite:${paper.id}`,
      title: `Cite ${paper.aliases[0] ?? paper.title} above: ${reference(paper)}`,
      prominent: true,
      edits: () => [insertion(start, `${indentationAt(text, start)}# ${citation(paper)}\n`)],
    }));
}

/** The papers of a configuration and of the forms that its arguments make it, or that of an inserted class. */
function papersOf(at: CallAt): Paper[] {
  const { library, symbol, call, document } = at;
  const { facts } = document.python;
  const ids: string[] = [];
  if (symbol?.kind === "config") {
    const given = argumentsHere(at);
    const forms = library
      .conversions()
      .flatMap((table) => (table.library === symbol.library ? table.forms : []))
      .filter((form) => form.config === symbol.name && stateOf(form, given) === "on");
    ids.push(...symbol.papers.slice(0, 1), ...forms.map(({ paper }) => paper));
  } else if (symbol === undefined && call.qualified !== undefined) {
    const method = insertedMethod(library, facts, call.qualified);
    // a definition in this file names its paper itself
    if (method !== undefined && call.qualified.includes(".")) ids.push(method.paper);
  }
  return [...new Set(ids)].flatMap((id) => library.paper(id) ?? []);
}

function citation(paper: Paper): string {
  const by = [authorsInShort(paper), paper.year].filter((part) => part !== undefined).join(", ");
  const where = reference(paper);
  return `${paper.title}${by === "" ? "" : ` (${by})`}${where === "" ? "" : `, ${where}`}`;
}

const reference = ({ arxiv, doi, venue = "" }: Paper): string =>
  arxiv === undefined ? (doi === undefined ? venue : `doi:${doi}`) : `arXiv:${arxiv}`;
