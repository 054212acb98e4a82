/**
 * Source files of a corpus → the compiled corpus. Pure, so that the build and a running server (for a user's own
 * corpus) read the same format with the same checks.
 */
import { normaliseArxiv, normaliseTitle, samePaper } from "../identity";
import type { LibrarySymbol } from "../catalogue";
import type { Corpus, Method, Paper, PythonSource } from "../model";
import { type ConversionsFile, readConversions, readRecipe, type RecipeFile } from "./conversions";
import { readFamilies } from "./families";
import { type MethodFile, readMethod } from "./methods";
import { type PaperFile, readPaper } from "./papers";
import type { FieldPath, Problem, SourceText } from "./problems";
import { type PythonFile, readPython, withNeeds } from "./pythonSource";
import { readRule, type RuleFile } from "./rules";
import { completeSymbols } from "./symbolFamilies";
import { readSymbols, type SymbolsFile, type SymbolsSource } from "./symbols";
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
  const steps = compiling(files, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same one file a step, for who must not be held up by many files. */
export function* compiling(
  files: readonly SourceText[],
  options: CompileOptions = {},
): Generator<undefined, Compiled> {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const matching = (pattern: RegExp): SourceText[] => sorted.filter(({ path }) => pattern.test(path));
  const { base } = options;

  const shared: PythonFile[] = [];
  for (const file of matching(/(^|\/)methods\/shared\/[^/]+\.py$/)) {
    shared.push(readPython(file));
    yield;
  }
  const sharedNames = new Set([
    ...shared.flatMap(({ source }) => definedNames(source)),
    ...(base?.shared ?? []).flatMap(definedNames),
  ]);
  const papers: PaperFile[] = [];
  for (const file of matching(/(^|\/)papers\/[^/]+\.md$/)) {
    papers.push(readPaper(file, options.origin ?? "bundled"));
    yield;
  }
  const pythonOf = new Map<string, SourceText[]>();
  for (const file of matching(/(^|\/)methods\/[^/]+\/[^/]+\.py$/)) {
    const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
    pythonOf.set(folder, [...(pythonOf.get(folder) ?? []), file]);
  }
  const methods: MethodFile[] = [];
  for (const file of matching(/(^|\/)methods\/[^/]+\/method\.yaml$/)) {
    const python = pythonOf.get(file.path.slice(0, -"method.yaml".length)) ?? [];
    methods.push(readMethod(file, python, shared, sharedNames));
    yield;
  }
  const symbolSources: SymbolsSource[] = [];
  for (const file of matching(/(^|\/)symbols\/[^/]+\.yaml$/)) {
    symbolSources.push(readSymbols(file));
    yield;
  }
  const rules: RuleFile[] = [];
  for (const file of matching(/(^|\/)rules\/[^/]+\.yaml$/)) {
    rules.push(readRule(file));
    yield;
  }
  const symbols = completeSymbols(symbolSources, base);
  const known = [...symbols.flatMap((each) => each.symbols), ...(base?.symbols ?? [])];
  const conversions = matching(/(^|\/)conversions\/[^/]+\.yaml$/).map((file) => readConversions(file, known));
  const recipes = matching(/(^|\/)recipes\/[^/]+\.yaml$/).map((file) => readRecipe(file, known));
  const families = matching(/(^|\/)families\/[^/]+\.yaml$/).map(readFamilies);

  const problems = [
    ...unread(sorted),
    ...shared.flatMap((each) => each.problems),
    ...[...papers, ...methods, ...symbols, ...rules, ...conversions, ...recipes, ...families].flatMap(
      (each) => each.problems,
    ),
    ...references(papers, methods, symbols, rules, conversions, recipes, base),
    ...repetitions(papers, methods, symbols),
    ...(base === undefined ? [] : repetitionsOfBase(papers, methods, symbols, base)),
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
    rules: good(rules.map(({ yaml, rule }) => ({ yaml, value: rule }))),
    conversions: good(conversions.map(({ yaml, conversions: value }) => ({ yaml, value }))),
    recipes: good(recipes.map(({ yaml, recipe }) => ({ yaml, value: recipe }))),
    families: good(families.map(({ yaml, families: value }) => ({ yaml, value }))),
  };
  return { corpus, problems };
}

/** Files that are in none of the places from which a corpus is read. */
function unread(files: readonly SourceText[]): Problem[] {
  const folder = (path: string): string => path.slice(0, path.lastIndexOf("/"));
  const methods = new Set(
    files.filter(({ path }) => path.endsWith("/method.yaml")).map(({ path }) => folder(path)),
  );
  return files.flatMap(({ path }) => {
    const at = (message: string): Problem[] => [{ file: path, line: 1, field: "", message }];
    if (/\.yml$/.test(path)) return at("is not read: name it .yaml");
    const python = /(^|\/)methods\/([^/]+)\/[^/]+\.py$/.exec(path);
    if (python === null || python[2] === "shared" || methods.has(folder(path))) return [];
    return at("belongs to no method: add method.yaml beside it");
  });
}

const definedNames = ({ definitions }: PythonSource): string[] => definitions.map(({ name }) => name);

/** A paper's methods are the one of its name, the others that name it, then those that it names. */
function withMethods(paper: Paper, methods: readonly Method[]): Paper {
  const own = methods.filter((method) => method.paper === paper.id).map(({ id }) => id);
  const first = own.filter((id) => id === paper.id);
  return { ...paper, methods: [...new Set([...first, ...own, ...paper.methods])] };
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
  rules: readonly RuleFile[],
  conversions: readonly ConversionsFile[],
  recipes: readonly RecipeFile[],
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
    ...rules.flatMap(({ yaml, rule }) =>
      rule?.paper === undefined ? [] : missing("paper", rule.paper, yaml, ["paper"]),
    ),
    ...conversions.flatMap(({ yaml, conversions: found }) =>
      (found?.forms ?? []).flatMap(({ paper }, index) =>
        missing("paper", paper, yaml, ["forms", index, "paper"]),
      ),
    ),
    ...recipes.flatMap(({ yaml, recipe }) =>
      recipe === undefined ? [] : missing("paper", recipe.paper, yaml, ["paper"]),
    ),
    ...symbols.flatMap((file) =>
      file.symbols.flatMap((symbol, index) => [
        ...symbol.papers.flatMap((id, each) =>
          missing("paper", id, file.yaml, ["symbols", index, "papers", each]),
        ),
        ...symbol.fields.flatMap(({ name, papers = [] }) =>
          papers.flatMap((id) => missing("paper", id, file.yaml, ["symbols", index, "fields", name])),
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

/** What the corpus below has already; a paper may be in both, where both mean one paper. */
function repetitionsOfBase(
  papers: readonly PaperFile[],
  methods: readonly MethodFile[],
  symbols: readonly SymbolsFile[],
  base: Corpus,
): Problem[] {
  const paperIds = new Map(base.papers.map((paper) => [paper.id, paper]));
  const methodIds = new Set(base.methods.map(({ id }) => id));
  const paths = new Set(base.symbols.flatMap(({ qualified }) => qualified));
  const sources = new Map(
    [...base.shared, ...base.methods.flatMap(({ python }) => python)]
      .flatMap(({ definitions }) => definitions)
      .map(({ name, source }) => [name, source]),
  );
  return [
    ...papers.flatMap(({ yaml, paper }) => {
      const other = paper === undefined ? undefined : paperIds.get(paper.id);
      if (paper === undefined || other === undefined || samePaper(paper, other)) return [];
      return [yaml.problem(["id"], `is that of "${other.title}": choose another, for the file too`)];
    }),
    ...methods.flatMap(({ yaml, method }) => {
      if (method === undefined) return [];
      if (methodIds.has(method.id))
        return [
          yaml.problem(
            ["id"],
            `is that of a method Litlens has: choose another than ${method.id}, for the folder too`,
          ),
        ];
      return method.python
        .flatMap(({ definitions }) => definitions)
        .filter(({ name, source }) => sources.has(name) && sources.get(name) !== source)
        .map(({ name }) =>
          yaml.problem([], `brings a ${name} that differs from the one Litlens has: rename it`),
        );
    }),
    ...symbols.flatMap((file) =>
      file.symbols.flatMap((symbol, index) =>
        symbol.qualified.flatMap((path, each) =>
          paths.has(path)
            ? [
                file.yaml.problem(
                  ["symbols", index, "qualified", each],
                  `is ${path}, which Litlens has: leave it out`,
                ),
              ]
            : [],
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
