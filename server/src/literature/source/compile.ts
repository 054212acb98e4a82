/**
 * Source files of a corpus → the compiled corpus. Pure, so that the build and a running server (for a user's own
 * corpus) read the same format with the same checks.
 */
import { normaliseArxiv, normaliseTitle } from "../identity";
import type { Corpus, LibrarySymbol, Method, Paper } from "../model";
import { type MethodFile, readMethod } from "./methods";
import { type PaperFile, readPaper } from "./papers";
import type { FieldPath, Problem, SourceText } from "./problems";
import { readPython, withNeeds } from "./pythonSource";
import { readSymbols, type SymbolsFile } from "./symbols";
import type { YamlFile } from "./yamlFile";

export interface CompileOptions {
  readonly origin?: Paper["origin"];
  /** What files may refer to besides each other: for a user's corpus, the bundled one. */
  readonly base?: Corpus;
  readonly version?: string;
}

export interface Compiled {
  readonly corpus: Corpus;
  /** By file and line; `corpus` holds what has none. */
  readonly problems: readonly Problem[];
}

/** Compiles files in any order; equal files give an equal corpus. */
export function compile(files: readonly SourceText[], options: CompileOptions = {}): Compiled {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const matching = (pattern: RegExp): SourceText[] => sorted.filter(({ path }) => pattern.test(path));

  const shared = matching(/(^|\/)methods\/shared\/[^/]+\.py$/).map(readPython);
  const sharedNames = new Set(shared.flatMap(({ source }) => source.definitions.map(({ name }) => name)));
  const papers = matching(/(^|\/)papers\/[^/]+\.md$/).map((file) =>
    readPaper(file, options.origin ?? "bundled"),
  );
  const methods = matching(/(^|\/)methods\/[^/]+\/method\.yaml$/).map((file) => {
    const folder = file.path.slice(0, -"method.yaml".length);
    const python = sorted.filter(
      ({ path }) => path.startsWith(folder) && /^[^/]+\.py$/.test(path.slice(folder.length)),
    );
    return readMethod(file, python, shared);
  });
  const symbols = matching(/(^|\/)symbols\/[^/]+\.yaml$/).map(readSymbols);

  const problems = [
    ...shared.flatMap((each) => each.problems),
    ...[...papers, ...methods, ...symbols].flatMap((each) => each.problems),
    ...references(papers, methods, symbols, options.base),
    ...repetitions(papers, methods, symbols),
  ].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));

  const bad = new Set(problems.map(({ file }) => file));
  const good = <T>(found: readonly { readonly yaml: YamlFile; readonly value: T | undefined }[]): T[] =>
    found.flatMap(({ yaml, value }) => (value === undefined || bad.has(yaml.path) ? [] : [value]));
  const goodMethods = good(methods.map(({ yaml, method }) => ({ yaml, value: method })));
  const goodPapers = good(papers.map(({ yaml, paper }) => ({ yaml, value: paper })));
  const goodSymbols = good(symbols.map(({ yaml, symbols: value }) => ({ yaml, value }))).flat();
  const corpus: Corpus = {
    version: options.version ?? "",
    papers: goodPapers.map((paper) => withMethods(paper, goodMethods)),
    methods: goodMethods,
    shared: shared.map((file) => withNeeds(file, sharedNames)),
    symbols: goodSymbols.map((symbol) => withNamedMethods(symbol, goodMethods)),
  };
  return { corpus, problems };
}

/** A paper's methods are those that name it, then those that it names. */
function withMethods(paper: Paper, methods: readonly Method[]): Paper {
  const own = methods.filter((method) => method.paper === paper.id).map(({ id }) => id);
  return { ...paper, methods: [...new Set([...own, ...paper.methods])] };
}

function withNamedMethods(symbol: LibrarySymbol, methods: readonly Method[]): LibrarySymbol {
  const naming = methods.filter(({ symbols = [] }) => symbols.includes(symbol.name)).map(({ id }) => id);
  return { ...symbol, methods: [...new Set([...symbol.methods, ...naming])] };
}

/** Papers and methods that are named and do not exist. */
function references(
  papers: readonly PaperFile[],
  methods: readonly MethodFile[],
  symbols: readonly SymbolsFile[],
  base: Corpus | undefined,
): Problem[] {
  const paperIds = new Set([
    ...papers.flatMap(({ yaml }) => declaredId(yaml)),
    ...(base?.papers ?? []).map(({ id }) => id),
  ]);
  const methodIds = new Set([
    ...methods.flatMap(({ yaml }) => declaredId(yaml)),
    ...(base?.methods ?? []).map(({ id }) => id),
  ]);
  const missing = (kind: "paper" | "method", id: string, yaml: YamlFile, at: FieldPath): Problem[] => {
    if ((kind === "paper" ? paperIds : methodIds).has(id)) return [];
    const place = kind === "paper" ? `papers/${id}.md` : `methods/${id}/method.yaml`;
    return [yaml.problem(at, `names the ${kind} "${id}", which does not exist: add ${place}`)];
  };
  return [
    ...papers.flatMap(({ yaml, paper }) => [
      ...(paper?.methods ?? []).flatMap((id, index) => missing("method", id, yaml, ["methods", index])),
      ...(paper?.relations ?? []).flatMap((relation, index) =>
        relation.paper === paper?.id
          ? [yaml.problem(["relations", index, "paper"], "must be another paper, found its own id")]
          : missing("paper", relation.paper, yaml, ["relations", index, "paper"]),
      ),
    ]),
    ...methods.flatMap(({ yaml, method }) =>
      method === undefined ? [] : missing("paper", method.paper, yaml, ["paper"]),
    ),
    ...symbols.flatMap((file) =>
      file.symbols.flatMap((symbol, index) => [
        ...symbol.papers.flatMap((id, each) =>
          missing("paper", id, file.yaml, ["symbols", index, "papers", each]),
        ),
        ...symbol.methods.flatMap((id, each) =>
          missing("method", id, file.yaml, ["symbols", index, "methods", each]),
        ),
      ]),
    ),
  ];
}

/** Identities claimed twice. */
function repetitions(
  papers: readonly PaperFile[],
  methods: readonly MethodFile[],
  symbols: readonly SymbolsFile[],
): Problem[] {
  const owners = new Map<string, string>();
  // of one name there is one definition in a user's file, whichever method brought it
  const sources = new Map<string, { readonly source: string; readonly path: string }>();
  const claim = (key: string, what: string, yaml: YamlFile, at: FieldPath): Problem[] => {
    const owner = owners.get(key);
    owners.set(key, owner ?? yaml.path);
    return owner === undefined ? [] : [yaml.problem(at, `is ${what} of ${owner} too: keep one of them`)];
  };
  return [
    ...papers.flatMap(({ yaml, paper }) =>
      paper === undefined
        ? []
        : [
            ...claim(`title ${normaliseTitle(paper.title)}`, "the title", yaml, ["title"]),
            ...(paper.arxiv === undefined
              ? []
              : claim(`arxiv ${normaliseArxiv(paper.arxiv)}`, "the arXiv identifier", yaml, ["arxiv"])),
          ],
    ),
    ...methods.flatMap(({ yaml, method }) =>
      (method?.python ?? [])
        .flatMap(({ definitions }) => definitions)
        .flatMap(({ name, source }) => {
          const first = sources.get(name) ?? { source, path: yaml.path };
          sources.set(name, first);
          if (first.source === source) return [];
          const remedy = "rename it, or share one definition in methods/shared";
          return [yaml.problem([], `brings a ${name} that differs from that of ${first.path}: ${remedy}`)];
        }),
    ),
    ...symbols.flatMap((file) =>
      file.symbols.flatMap((symbol, index) =>
        symbol.qualified.flatMap((path, each) =>
          claim(`symbol ${path}`, "the path of a symbol", file.yaml, ["symbols", index, "qualified", each]),
        ),
      ),
    ),
  ];
}

function declaredId({ value }: YamlFile): string[] {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string"
    ? [value.id]
    : [];
}
