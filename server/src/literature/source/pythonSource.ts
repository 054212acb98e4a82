/** The Python file of a method, cut into the imports and definitions that an insertion handles one by one. */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@lezer/python";
import type { PythonDefinition, PythonSource } from "../model";
import type { Problem, SourceText } from "./problems";

export interface PythonFile {
  readonly source: PythonSource;
  /** Names that each definition mentions, by definition. */
  readonly mentions: ReadonlyMap<string, ReadonlySet<string>>;
  /** Parameters by which a class or function can be called with keywords; `**` where it takes any. */
  readonly keywords: ReadonlyMap<string, ReadonlySet<string>>;
  /** Bases of each class, by name. */
  readonly bases: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly Problem[];
}

/** Reads one file; what cannot be inserted is a problem of that line. */
export function readPython({ path, text }: SourceText): PythonFile {
  const tree = parser.parse(text);
  const imports: string[] = [];
  const definitions: PythonDefinition[] = [];
  const mentions = new Map<string, Set<string>>();
  const keywords = new Map<string, Set<string>>();
  const bases = new Map<string, readonly string[]>();
  const problems: Problem[] = [];
  const slice = (node: SyntaxNode): string => text.slice(node.from, node.to);
  const problem = (offset: number, message: string): void => {
    problems.push({ file: path, line: text.slice(0, offset).split("\n").length, field: "", message });
  };

  tree.iterate({
    enter: (node) => {
      if (node.type.isError && problems.length === 0)
        problem(node.from, "is not Python that Litlens can read");
    },
  });

  const define = (statement: SyntaxNode, kind: PythonDefinition["kind"], name: string): void => {
    const from = startWithComments(text, statement.from);
    definitions.push({ name, kind, source: text.slice(from, statement.to).trimEnd(), needs: [] });
    mentions.set(name, namesIn(statement, slice));
  };

  for (let node = tree.topNode.firstChild; node !== null; node = node.nextSibling) {
    const inner = node.name === "DecoratedStatement" ? node.lastChild : node;
    const name = inner?.getChild("VariableName");
    switch (inner?.name) {
      case "ImportStatement":
        if (/^from\s+\./.test(slice(inner)))
          problem(inner.from, "imports from a file beside it, which would not be there after insertion");
        // what is in methods/shared is brought with the definitions that need it
        else if (!/^from\s+shared\./.test(slice(inner))) imports.push(slice(inner));
        break;
      case "ClassDefinition":
        if (!name) break;
        define(node, "class", slice(name));
        bases.set(slice(name), baseNames(inner, slice));
        keywords.set(slice(name), initParameters(inner, slice));
        break;
      case "FunctionDefinition":
        if (!name) break;
        define(node, "function", slice(name));
        keywords.set(slice(name), parameterNames(inner, slice));
        break;
      case "AssignStatement":
        if (name) define(node, "variable", slice(name));
        break;
      case "Comment":
      case undefined:
        break;
      default:
        if (node.type.isError || isDocstring(node)) break;
        problem(node.from, "only imports, classes, functions and assignments can be inserted");
    }
  }
  const file = path.slice(path.lastIndexOf("/") + 1);
  return { source: { file, imports, definitions }, mentions, keywords, bases, problems };
}

/** The same source with each definition's `needs`: those of `available` that it mentions. */
export function withNeeds(file: PythonFile, available: ReadonlySet<string>): PythonSource {
  const definitions = file.source.definitions.map((definition) => {
    const mentioned = file.mentions.get(definition.name) ?? new Set();
    return {
      ...definition,
      needs: [...mentioned].filter((name) => name !== definition.name && available.has(name)),
    };
  });
  return { ...file.source, definitions };
}

/** Keywords that `name` accepts, its bases in `files` included; undefined where nothing defines it. */
export function acceptedKeywords(
  name: string,
  files: readonly PythonFile[],
): ReadonlySet<string> | undefined {
  const file = files.find(({ keywords }) => keywords.has(name));
  const own = file?.keywords.get(name);
  if (file === undefined || own === undefined) return undefined;
  if (own.size > 0 && !own.has("**")) return own;
  const inherited = (file.bases.get(name) ?? []).flatMap((base) => [
    ...(base === name ? [] : (acceptedKeywords(base, files) ?? [])),
  ]);
  return new Set([...own, ...inherited]);
}

/** Comment lines directly above a statement belong to it. */
function startWithComments(text: string, offset: number): number {
  let from = text.lastIndexOf("\n", offset - 1) + 1;
  while (from > 0) {
    const previous = text.lastIndexOf("\n", from - 2) + 1;
    if (!text.startsWith("#", previous)) break;
    from = previous;
  }
  return from;
}

function namesIn(statement: SyntaxNode, slice: (node: SyntaxNode) => string): Set<string> {
  const names = new Set<string>();
  statement.cursor().iterate((node) => {
    if (node.name === "VariableName") names.add(slice(node.node));
    // annotations that older Pythons could not evaluate stand in quotes
    if (node.name === "String" && node.node.parent?.name === "TypeDef")
      for (const [name] of slice(node.node).matchAll(/(?<![\w.])[A-Za-z_]\w*/g)) names.add(name);
  });
  return names;
}

function isDocstring(node: SyntaxNode): boolean {
  return node.name === "ExpressionStatement" && /String$/.test(node.firstChild?.name ?? "");
}

function baseNames(definition: SyntaxNode, slice: (node: SyntaxNode) => string): string[] {
  return (definition.getChild("ArgList")?.getChildren("VariableName") ?? []).map(slice);
}

function initParameters(definition: SyntaxNode, slice: (node: SyntaxNode) => string): Set<string> {
  const functions = definition.getChild("Body")?.getChildren("FunctionDefinition") ?? [];
  const init = functions.find((each) => {
    const name = each.getChild("VariableName");
    return name !== null && slice(name) === "__init__";
  });
  const names = init === undefined ? new Set<string>() : parameterNames(init, slice);
  names.delete("self");
  return names;
}

function parameterNames(definition: SyntaxNode, slice: (node: SyntaxNode) => string): Set<string> {
  const names = new Set<string>();
  const list = definition.getChild("ParamList");
  // parameters stand between the commas; annotations and defaults hold names of their own
  let expectsName = true;
  for (let node = list?.firstChild ?? null; node !== null; node = node.nextSibling) {
    if (node.name === "," || node.name === "(") expectsName = true;
    else if (node.name === "**") names.add("**");
    else if (node.name === "VariableName" && expectsName) {
      if (!names.has("**")) names.add(slice(node));
      expectsName = false;
    } else if (node.name !== "*" && node.name !== "/") expectsName = false;
  }
  return names;
}
