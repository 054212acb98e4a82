/** Imports and uses of names that their library no longer has, with the fix for the import and every use. */
import { edit } from "../../../adapters/edits";
import type { Range } from "../../../python/facts";
import type { Library } from "../../../literature/library";
import type { OpenDocument } from "../../context";
import { deprecatedSymbols, type RemovedSymbol, removedSymbols } from "../../removedSymbols";
import { argumentAt } from "../origins";
import type { Check, Finding } from "../rule";

export const removedSymbol: Check = ({ library, document }) =>
  usesOf(removedSymbols(library), library, document);

export const deprecatedSymbol: Check = ({ library, document }) =>
  usesOf(deprecatedSymbols(library), library, document);

function usesOf(
  removed: readonly RemovedSymbol[],
  library: Library,
  { python: { facts, text } }: OpenDocument,
): Finding[] {
  const paths = new Set(removed.flatMap(({ symbol }) => symbol.qualified));
  const known = ({ qualified }: { readonly qualified: string }): boolean => paths.has(qualified);
  const [imports, references] = [facts.imports.filter(known), facts.references.filter(known)];
  if (imports.length + references.length === 0) return [];
  return removed.flatMap(({ symbol, name, since, replacement }): Finding[] => {
    const wanted = new Set(symbol.qualified);
    const isIt = ({ qualified }: { readonly qualified: string }): boolean => wanted.has(qualified);
    const imported = imports.filter(isIt);
    const uses = references
      .filter((reference) => isIt(reference) && !isGuarded(text, reference.range.from))
      .filter(({ range }) => !imported.some(({ statement }) => within(range, statement)));
    const arxiv = [...(library.symbolsNamed(replacement)[0]?.papers ?? [])].flatMap(
      (id) => library.paper(id)?.arxiv ?? [],
    )[0];
    const title = `Replace \`${name}\` with \`${replacement}\``;
    const finding = (range: Range, also: readonly Range[]): Finding => ({
      range,
      words: { library: symbol.library, since, name, replacement },
      ...(arxiv === undefined ? {} : { arxiv }),
      repairs: [{ title, edits: [range, ...also].map(({ from, to }) => edit(from, to, replacement)) }],
    });
    if (imported.length === 0) return uses.map(({ range }) => finding(range, []));
    const named = uses.map(({ range }) => range).filter(({ from, to }) => text.slice(from, to) === name);
    return imported
      .filter(({ statement }) => !isGuarded(text, statement.from))
      .map(({ nameRange }) => finding(nameRange, named));
  });
}

/** The bottleneck names of adapter-transformers: config strings, and classes imported from its module. */
export const oldNames: Check = ({ values, document }, { instead = [] }) => {
  const { facts, text } = document.python;
  const names = new Map(instead.map((each) => [each.old, each.new]));
  const classes = facts.imports.flatMap((binding): Finding[] => {
    const { qualified, nameRange, statement } = binding;
    const [, , own = ""] = /^(adapters|transformers)(?:\.\w+)*?\.([A-Z]\w+)$/.exec(qualified) ?? [];
    const now = names.get(own);
    if (now === undefined || isGuarded(text, statement.from)) return [];
    const words = { old: own, new: now };
    // the fork's module is none of the package's: there the import as a whole is another
    if (!qualified.startsWith("adapters.")) return [{ range: nameRange, words }];
    const uses = facts.references
      .filter((each) => each.qualified === qualified && text.slice(each.range.from, each.range.to) === own)
      .map(({ range }) => edit(range.from, range.to, now));
    return [
      { range: nameRange, words, repairs: [{ title: `Replace \`${own}\` with \`${now}\``, edits: uses }] },
    ];
  });
  const strings = facts.imports.some(({ qualified }) => /^adapters(?:\.|$)/.test(qualified))
    ? values.calls.filter(({ method }) => method === "add_adapter")
    : [];
  return [
    ...classes,
    ...strings.flatMap((step): Finding[] => {
      const config = argumentAt(step, 1, "config");
      const value = config?.value.value;
      const now = value?.kind === "string" ? names.get(value.value) : undefined;
      if (config === undefined || value?.kind !== "string" || now === undefined) return [];
      const { range, text: written } = config.value;
      const quote = written.charAt(0);
      const literal = quote === '"' || quote === "'";
      const repairs = literal
        ? [
            {
              title: `Call it ${quote}${now}${quote}`,
              edits: [edit(range.from, range.to, quote + now + quote)],
            },
          ]
        : [];
      return [{ range, words: { old: value.value, new: now }, repairs }];
    }),
  ];
};

/** Whether what stands here is ready for the name to be missing: in a `try:`, or below a question after versions and names. */
function isGuarded(text: string, from: number): boolean {
  const lines = text.slice(0, from).split("\n");
  let depth = /^[ \t]*/.exec(lines.pop() ?? "")?.[0].length ?? 0;
  for (const line of lines.reverse()) {
    const indentation = line.search(/\S/);
    if (depth === 0) return false;
    if (indentation < 0 || indentation >= depth) continue;
    depth = indentation;
    if (
      /^\s*(?:try\s*:|except\b|(?:if|elif|else)\b.*(?:version|hasattr|available|TYPE_CHECKING))/i.test(line)
    )
      return true;
  }
  return false;
}

const within = (inner: Range, outer: Range): boolean => outer.from <= inner.from && inner.to <= outer.to;
