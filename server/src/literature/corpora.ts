/** The user's own corpora: folders in the format of the bundled corpus, compiled and laid over it. */
import type { Corpus, Paper } from "./model";
import { createShelf, knownPaper } from "./shelf";
import { inSlices } from "../slices";
import type { Compiled, CompileOptions } from "./source/compile";
import { formatProblem, type Problem, type SourceText } from "./source/problems";

/** The source files of one folder, and those that cannot be read. */
export interface CorpusFolder {
  readonly files: readonly SourceText[];
  readonly problems: readonly Problem[];
}

export interface Corpora {
  /** The bundled corpus and all that the folders add. */
  readonly corpus: Corpus;
  /** One sentence each, for the user. */
  readonly problems: readonly string[];
}

/**
 * Reads `folders` in order; each may refer to those before it. `read` rejects with a sentence that says why there is
 * nothing to be had. What is wrong with a file keeps that file out, and no other.
 */
export async function readCorpora(
  bundled: Corpus,
  folders: readonly string[],
  read: (folder: string) => Promise<CorpusFolder>,
): Promise<Corpora> {
  let corpus = bundled;
  const problems: string[] = [];
  for (const folder of folders) {
    try {
      const found = await read(folder);
      const compiled = await compileInSlices(found.files, { origin: "user", base: corpus });
      corpus = overlay(corpus, compiled.corpus);
      problems.push(...[...found.problems, ...compiled.problems].map(formatProblem));
    } catch (error) {
      problems.push(`litlens.corpus.paths: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { corpus, problems };
}

async function compileInSlices(files: readonly SourceText[], options: CompileOptions): Promise<Compiled> {
  // most users have no corpus of their own: what compiles one is not loaded for them
  const { compiling } = await import("./source/compile");
  return inSlices(compiling(files, options));
}

/** `base` with all of `extra`; a paper that both have stays one, under the identifier that it has in `base`. */
export function overlay(base: Corpus, extra: Corpus): Corpus {
  const shelf = createShelf(base.papers);
  const additions = new Map<string, Paper[]>();
  const names = new Map<string, string>();
  const own = extra.papers.filter((paper) => {
    const known = knownPaper(shelf, paper);
    if (known === undefined) return true;
    names.set(paper.id, known.id);
    additions.set(known.id, [...(additions.get(known.id) ?? []), paper]);
    return false;
  });
  const named = (id: string): string => names.get(id) ?? id;
  const renamed = (paper: Paper): Paper => ({
    ...paper,
    relations: paper.relations.map((relation) => ({ ...relation, paper: named(relation.paper) })),
  });
  const methods = extra.methods.map((method) => ({ ...method, paper: named(method.paper) }));
  const symbols = extra.symbols.map((symbol) => ({ ...symbol, papers: symbol.papers.map(named) }));
  const known = base.papers.map((paper) =>
    (additions.get(paper.id) ?? []).map(renamed).reduce(enriched, paper),
  );
  return {
    version: base.version,
    papers: [...known, ...own.map(renamed)].map((paper) => {
      const added = methods.filter((method) => method.paper === paper.id).map(({ id }) => id);
      return added.length === 0 ? paper : { ...paper, methods: union(paper.methods, added) };
    }),
    methods: [...base.methods, ...methods],
    shared: [...base.shared, ...extra.shared],
    symbols: [...base.symbols, ...symbols],
    rules: [...(base.rules ?? []), ...(extra.rules ?? [])],
    conversions: [...(base.conversions ?? []), ...(extra.conversions ?? [])],
    recipes: [...(base.recipes ?? []), ...(extra.recipes ?? [])],
    families: [...(base.families ?? []), ...(extra.families ?? [])],
  };
}

/** What `paper` says stands; what it leaves out is filled in from `other`, whose lists follow its own. */
function enriched(paper: Paper, other: Paper): Paper {
  return {
    ...other,
    ...paper,
    authors: paper.authors.length > 0 ? paper.authors : other.authors,
    topics: union(paper.topics, other.topics),
    aliases: union(paper.aliases, other.aliases),
    methods: union(paper.methods, other.methods),
    claims: union(paper.claims, other.claims),
    relations: union(paper.relations, other.relations),
  };
}

/** Both lists; what the second repeats is left out. */
function union<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  const known = new Set(first.map((item) => JSON.stringify(item)));
  return [...first, ...second.filter((item) => !known.has(JSON.stringify(item)))];
}
