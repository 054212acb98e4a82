/** What is surely wrong, and nothing else: each rule looks for one thing that has no innocent reading. */
import { type Diagnostic, DiagnosticSeverity, type TextEdit } from "vscode-languageserver-types";
import type { Library } from "../literature/library";
import type { Paper } from "../literature/model";
import type { Range } from "../python/facts";
import { reading } from "../python/local";
import type { FeatureContext, OpenDocument } from "./context";
import { type ArxivMention, arxivMentions } from "./mentions";
import type { Fix } from "./quickFixes";
import { removedSymbols } from "./removedSymbols";
import { shortName } from "../render/paper";

interface Finding {
  readonly range: Range;
  readonly message: string;
  readonly severity: DiagnosticSeverity;
  readonly fix?: Fix;
  /** arXiv id of the paper that the message speaks of. */
  readonly arxiv?: string;
}

interface Rule {
  readonly code: string;
  readonly find: (context: FeatureContext, document: OpenDocument) => Finding[];
}

const rules: readonly Rule[] = [
  { code: "removed-symbol", find: findRemovedSymbols },
  { code: "wrong-arxiv-id", find: findWrongIds },
];

/** The same in steps, the file read bit by bit: a hover in between waits for one step and not for all of a long file. */
export function* diagnosing(
  context: FeatureContext,
  document: OpenDocument,
): Generator<undefined, Diagnostic[]> {
  const { facts, text } = document.python;
  yield* reading(facts, text.length);
  return diagnose(context, document);
}

export function diagnose(context: FeatureContext, document: OpenDocument): Diagnostic[] {
  if (!context.settings.diagnostics.enable) return [];
  return rules.flatMap(({ code, find }) =>
    find(context, document).map(({ range, message, severity, fix, arxiv }): Diagnostic => ({
      range: lspRange(document, range),
      message,
      severity,
      code,
      ...(arxiv === undefined ? {} : { codeDescription: { href: `https://arxiv.org/abs/${arxiv}` } }),
      source: "Litlens",
      ...(fix === undefined ? {} : { data: { fix } }),
    })),
  );
}

const lspRange = ({ text }: OpenDocument, { from, to }: Range) => ({
  start: text.positionAt(from),
  end: text.positionAt(to),
});

/** Imports of names that their library no longer has, with the fix for the import and every use of the name. */
function findRemovedSymbols({ library }: FeatureContext, document: OpenDocument): Finding[] {
  const { facts } = document.python;
  return removedSymbols.flatMap((removed): Finding[] => {
    const { name, modules, library: owner, since, replacement } = removed;
    const wanted = new Set(modules.map((module) => `${module}.${name}`));
    const isIt = ({ qualified }: { readonly qualified: string }): boolean => wanted.has(qualified);
    const imported = facts.imports.filter(isIt);
    const uses = facts.references
      .filter(isIt)
      .filter(({ range }) => !imported.some(({ statement }) => within(range, statement)));
    const message = `${owner} ${since} removed \`${name}\`; it is \`${replacement}\` now.`;
    const arxiv = [...(library.symbolsNamed(replacement)[0]?.papers ?? [])].flatMap(
      (id) => library.paper(id)?.arxiv ?? [],
    )[0];
    const base = { message, severity: DiagnosticSeverity.Warning, ...(arxiv === undefined ? {} : { arxiv }) };
    const title = `Replace \`${name}\` with \`${replacement}\``;
    if (imported.length === 0)
      return uses.map(({ range }) => ({ ...base, range, fix: { title, replacement } }));
    const named = uses.filter(({ range }) => document.python.text.slice(range.from, range.to) === name);
    const also = named.map(({ range }): TextEdit => ({
      range: lspRange(document, range),
      newText: replacement,
    }));
    return imported.map(({ nameRange }) => ({
      ...base,
      range: nameRange,
      fix: { title, replacement, also },
    }));
  });
}

const within = (inner: Range, outer: Range): boolean => outer.from <= inner.from && inner.to <= outer.to;

/** "DoRA (arXiv:2106.09685)": a name and an id that both are known and belong to two papers. */
function findWrongIds({ library }: FeatureContext, { python: { facts, text } }: OpenDocument): Finding[] {
  return facts.prose
    .filter(({ kind }) => kind !== "string")
    .flatMap(({ range }) => {
      const prose = text.slice(range.from, range.to);
      return arxivMentions(prose).flatMap((mention) => wrongId(library, prose, mention, range.from) ?? []);
    });
}

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
  return {
    range: { from: base + mention.idRange.from, to: base + mention.idRange.to },
    message: `arXiv:${mention.id} is ${shortName(cited)} (“${cited.title}”); ${shortName(named)} is arXiv:${named.arxiv}.`,
    severity: DiagnosticSeverity.Warning,
    arxiv: named.arxiv,
    fix: { title: `Cite arXiv:${named.arxiv}, ${shortName(named)}`, replacement: named.arxiv },
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
