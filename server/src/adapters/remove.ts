/** Taking an inserted adapter out again: the line becomes what it was, and what only it used goes too. */
import type { Method, MethodSite, PythonSource } from "../literature/model";
import { readPython } from "../python/document";
import type {
  Argument,
  Call,
  ImportBinding,
  Layer,
  ModuleClass,
  PythonFacts,
  Range,
  SkipConcatenation,
} from "../python/facts";
import { unaccommodate } from "./accommodate";
import { constructionKey, constructionOf } from "./construction";
import { withoutBeside } from "./callSites/beside";
import { lineEnd } from "./callSites/callSite";
import { withoutList } from "./callSites/zippedLoop";
import { lineStart, type SourceFile, statementFor, trailingBreaks } from "./definitions";
import { applyEdits, type Edit, edit } from "./edits";
import { forgetFrozenWeights } from "./frozenWeights";
import { readFromImport, removeNames } from "./importedNames";
import { addImports, inTyping, isTopLevel, spelling } from "./imports";
import { baseOf } from "./fits";
import { withoutTemplates } from "./removeTemplates";

/** An adapter that stands in a class of the file. */
export interface Adapter {
  /** `removal:Block:mlp_adapter`, stable while the user edits elsewhere. */
  readonly key: string;
  readonly module: ModuleClass;
  readonly layer: Layer;
  readonly method: Method;
  readonly site: MethodSite;
  readonly touch: readonly Range[];
  /** All layers that go with it, where one function builds several. */
  readonly layers: readonly Layer[];
}

/** @param methodOf the method that a class (by qualified name) was brought by, if it is ours */
export function adaptersIn(file: SourceFile, methodOf: (qualified: string) => Method | undefined): Adapter[] {
  const taken = new Set<string>();
  return file.facts.modules.flatMap((module) =>
    module.layers.flatMap((layer) => {
      const layers = builtTogether(file.facts, module, layer);
      if (layer.construction !== undefined) {
        const id = `${layer.construction.free ? "" : module.name} ${constructionKey(layer)}`;
        if (taken.has(id)) return [];
        taken.add(id);
      }
      const method = methodOf(layer.type);
      const symbol = layer.type.slice(layer.type.lastIndexOf(".") + 1);
      const site = method?.sites.find((each) => each.symbol === symbol && each.kind !== "free");
      if (method === undefined || site === undefined) return [];
      const uses = usesOf(file.text, module, layer.path).map((from) => ({ from, to: from }));
      const built = constructionOf(file.facts, layer);
      const touch = [
        ...layers.map(({ call }) => call.statement),
        ...uses,
        ...(built === undefined ? [] : [built.statement]),
      ];
      return [{ key: `removal:${module.name}:${layer.path}`, module, layer, method, site, touch, layers }];
    }),
  );
}

/** The layers that one function builds with one construction; a layer alone where that is its own. */
function builtTogether({ modules }: PythonFacts, module: ModuleClass, layer: Layer): readonly Layer[] {
  const { construction } = layer;
  if (construction === undefined) return [layer];
  const key = constructionKey(layer);
  return (construction.free ? modules : [module])
    .flatMap(({ layers }) => layers)
    .filter((each) => each.construction !== undefined && constructionKey(each) === key);
}

export function removeAdapter(file: SourceFile, adapter: Adapter, sources: readonly PythonSource[]): Edit[] {
  const { layer, layers, site } = adapter;
  const base = baseOf(site);
  const names = new Set(sources.flatMap(({ definitions }) => definitions.map(({ name }) => name)));
  const edits = base === undefined ? withoutModule(file, adapter) : restoredCall(file, adapter, base, names);
  const last = file.facts.modules.every((module) =>
    module.layers.every((each) => layers.includes(each) || each.type !== layer.type),
  );
  if (!last) return edits;
  const symbol = layer.type.slice(layer.type.lastIndexOf(".") + 1);
  const lone = file.facts.modules.every(
    (module) =>
      names.has(module.name) || module.layers.every(({ type }) => type === layer.type || !names.has(type)),
  );
  const after = [
    ...afterInitLines(file, site, names),
    ...unaccommodate(file, symbol),
    ...(lone ? forgetFrozenWeights(file) : []),
  ];
  return disjoint([...edits, ...after, ...withoutDefinitions(file, [...edits, ...after], names, sources)]);
}

/** Deletions that overlap, as one. */
function disjoint(edits: readonly Edit[]): Edit[] {
  const result: Edit[] = [];
  for (const each of edits.toSorted((one, other) => one.from - other.from || one.to - other.to)) {
    const last = result.at(-1);
    if (last === undefined || each.from >= last.to || each.insert.length + last.insert.length > 0)
      result.push(each);
    else result[result.length - 1] = edit(last.from, Math.max(last.to, each.to));
  }
  return result;
}

/** `LoRALinear(a, b, rank=8, alpha=16)` → `nn.Linear(a, b)`. */
function restoredCall(
  file: SourceFile,
  { layer, layers, method }: Adapter,
  base: string,
  ours: ReadonlySet<string>,
): Edit[] {
  const { facts, text } = file;
  const call = constructionOf(facts, layer) ?? layer.call;
  const name =
    spelledBeside(file, call, base, ours) ?? spelling(facts, text, base) ?? base.replace(/^torch\.nn/, "nn");
  const written = new Set(method.hyperparameters.map((each) => each.name));
  const isWritten = (argument: Argument | undefined): boolean => written.has(argument?.keyword?.name ?? "");
  const removed = call.arguments.flatMap((argument, index) => {
    if (!isWritten(argument) || isWritten(call.arguments[index - 1])) return [];
    const others = call.arguments.slice(index).findIndex((each) => !isWritten(each));
    const last = call.arguments.at(others < 0 ? -1 : index + others - 1) ?? argument;
    const before = call.arguments[index - 1]?.range.to ?? call.argumentList.from + 1;
    // `dropout=0.1,  # note`: the comment and its comma stay, and the comma after ours goes
    const comment = /^[ \t]*,[ \t]*#[^\r\n]*/.exec(text.slice(before, argument.range.from))?.[0].length;
    if (comment === undefined) return [edit(before, last.range.to)];
    const comma = /^[ \t]*,/.exec(text.slice(last.range.to))?.[0].length ?? 0;
    return [edit(before + comment, last.range.to + comma)];
  });
  const reads = layers
    .flatMap(({ weightReads }) => weightReads?.ranges ?? [])
    .map(({ from, to }) => edit(from, to, "weight"));
  return [edit(call.callee.from, call.callee.to, name), ...removed, ...reads];
}

/** A layer as the nearest other layer of its module is written: `torch.nn.Linear` where `nn` is imported too. */
function spelledBeside(
  { facts, text }: SourceFile,
  call: Call,
  base: string,
  ours: ReadonlySet<string>,
): string | undefined {
  const dot = base.lastIndexOf(".") + 1;
  const written = ({ callee }: Call): string => text.slice(callee.from, callee.to);
  const distance = (other: Call): number => Math.abs(other.range.from - call.range.from);
  // a container may be written otherwise than what it holds: `nn.ModuleList([torch.nn.Linear(…)])`
  const holds = ({ role, type }: Layer): boolean => role === "container" || type === "torch.nn.Module";
  const beside = facts.modules
    .filter(({ name }) => !ours.has(name))
    .flatMap(({ layers }) => layers.filter((layer) => !holds(layer)).map((layer) => layer.call))
    .filter((each) => {
      const name = each.qualified?.slice(dot) ?? "";
      const isSibling = each.qualified === base.slice(0, dot) + name && /^\w+$/.test(name);
      return isSibling && written(each).endsWith(`.${name}`);
    })
    .toSorted((one, other) => distance(one) - distance(other))[0];
  return beside === undefined ? undefined : written(beside).replace(/\w+$/, base.slice(dot));
}

/** The line that builds `self.mlp_adapter` goes, calls of it give way to what they wrap, other lines that name it go. */
function withoutModule(file: SourceFile, { layer, module, site }: Adapter): Edit[] {
  const { text } = file;
  const list = `self.${layer.path.slice(0, layer.path.indexOf("."))}`;
  const zipped = module.skips.find(
    ({ loop }) => loop && withoutList(text.slice(loop.header.from, loop.header.to), list),
  )?.loop;
  if (zipped !== undefined) return withoutZipped(file, module, zipped, list);
  const wrapped = ["block-output", "block-input", "skip"].includes(site.kind);
  const uses = usesOf(text, module, layer.path).filter(
    (from) => from < layer.call.statement.from || from >= layer.call.statement.to,
  );
  const beside = site.kind === "beside" ? uses.flatMap((from) => withoutBeside(text, from)) : [];
  const unwrapped = uses.flatMap((from) => (wrapped ? unwrap(file, from, `self.${layer.path}`) : []));
  const templates =
    wrapped || beside.length > 0 ? [] : withoutTemplates(file, module, site, `self.${layer.path}`);
  const lines = (wrapped || beside.length > 0 ? [] : uses.map((from) => wholeLine(text, from))).filter(
    ({ from, to }) => !templates.some((each) => each.from < to && from < each.to),
  );
  return [
    wholeLine(text, layer.call.statement.from, layer.call.statement.to),
    ...templates,
    ...distinct(lines),
    ...unwrapped,
    ...beside,
  ];
}

/** One adapter for each turn of a loop: the list and what fills it go, and the loop runs as before. */
function withoutZipped(
  file: SourceFile,
  module: ModuleClass,
  { header, statement }: NonNullable<SkipConcatenation["loop"]>,
  list: string,
): Edit[] {
  const { text } = file;
  const plain = withoutList(text.slice(header.from, header.to), list);
  if (plain === undefined) return [];
  const calls = text.slice(header.to, statement.to).matchAll(new RegExp(`\\b${plain.variable}(?=\\()`, "g"));
  const lines = usesOf(text, module, list.slice("self.".length))
    .filter((from) => from < header.from || from >= header.to)
    .map((from) => {
      const built = module.layers.find(({ call }) => call.statement.from <= from && from < call.statement.to);
      return wholeLine(text, from, built?.call.statement.to);
    });
  return [
    ...lines,
    edit(header.from, header.to, plain.header),
    ...[...calls].flatMap(({ index }) => unwrap(file, header.to + index, plain.variable)),
  ];
}

const distinct = (edits: readonly Edit[]): Edit[] =>
  edits.filter((each, index) => edits.findIndex(({ from }) => from === each.from) === index);

/** Offsets of `self.<path>` in a class. */
function usesOf(text: string, { range }: ModuleClass, path: string): number[] {
  const pattern = new RegExp(`\\bself\\.${path.replaceAll(".", "\\.")}\\b`, "g");
  return [...text.slice(range.from, range.to).matchAll(pattern)].map(({ index }) => range.from + index);
}

/** `self.adapter(x, y)` → `x`. */
function unwrap({ text }: SourceFile, from: number, callee: string): Edit[] {
  const open = from + callee.length;
  if (text[open] !== "(") return [];
  let depth = 0;
  let argumentEnd: number | undefined;
  for (let at = open; at < text.length; at++) {
    const character = text[at] ?? "";
    if ("([{".includes(character)) depth++;
    else if (character === "," && depth === 1) argumentEnd ??= at;
    else if (")]}".includes(character) && --depth === 0) {
      // a formatter may have put what is wrapped on lines of its own
      const inner = text.slice(open + 1, argumentEnd ?? at);
      const start = open + 1 + inner.length - inner.trimStart().length;
      return [edit(from, start), edit(open + 1 + inner.trimEnd().length, at + 1)];
    }
  }
  return [];
}

/** The lines from `from` to `to` with their line break. */
export function wholeLine(text: string, from: number, to = from): Edit {
  const end = lineEnd(text, to);
  const lineBreak = /^(?:\r\n|\r|\n)/.exec(text.slice(end))?.[0].length ?? 0;
  return edit(lineStart(text, from), end + lineBreak);
}

/** `share_phm_rule(self)` at the end of the model's `__init__`, not where the method's own Python says it. */
export function afterInitLines(
  { text, facts }: SourceFile,
  { afterInit }: MethodSite,
  names: ReadonlySet<string>,
  model = "self",
): Edit[] {
  const called = /^\w+/.exec(afterInit ?? "")?.[0];
  if (called === undefined) return [];
  const inOurs = (offset: number): boolean =>
    facts.definitions.some(({ name, range }) => names.has(name) && range.from <= offset && offset < range.to);
  return [...text.matchAll(new RegExp(`\\b${called}\\(${model.replaceAll(".", "\\.")}\\)`, "g"))]
    .filter(({ index }) => !inOurs(index))
    .map(({ index }) => wholeLine(text, index));
}

/** Definitions of a method, and imports, that nothing mentions once `removed` is gone. */
export function withoutDefinitions(
  file: SourceFile,
  removed: readonly Edit[],
  names: ReadonlySet<string>,
  sources: readonly PythonSource[],
): Edit[] {
  const { text, facts } = file;
  const ours = facts.definitions.filter(({ name }) => names.has(name));
  const silent: Range[] = [
    ...removed,
    ...facts.imports.map(({ statement }) => statement),
    ...facts.prose.filter(({ kind }) => kind !== "string").map(({ range }) => range),
  ];
  /** Whether code outside `unless` mentions the name. */
  const isUsed = (name: string, unless: readonly Range[]): boolean =>
    [...text.matchAll(new RegExp(`(?<![\\w.])${name}(?!\\w)`, "g"))].some(
      ({ index }) => ![...silent, ...unless].some(({ from, to }) => from <= index && index < to),
    );
  // What the rest of the file uses stays, and what that uses in turn.
  let leaving = ours;
  for (;;) {
    const ranges = leaving.map(({ range }) => range);
    const staying = leaving.filter(({ name }) => isUsed(name, ranges));
    if (staying.length === 0) break;
    leaving = leaving.filter((each) => !staying.includes(each));
  }
  const ranges = leaving.map(({ range }) => range);
  const definitions: Edit[] = [];
  for (const { from, to } of ranges.toSorted((one, other) => one.from - other.from)) {
    const end = to + (/^\s*/.exec(text.slice(to))?.[0].length ?? 0);
    const last = definitions.at(-1);
    if (last?.to === from) definitions[definitions.length - 1] = edit(last.from, end);
    else definitions.push(edit(from, end));
  }
  const imports = withoutImports(file, names, sources, (name) => isUsed(name, ranges));
  // an import that leaves takes the space below it along
  const free = (from: number, to: number): number =>
    Math.max(from, ...imports.filter((each) => each.from < to).map((each) => each.to));
  const spaced = definitions.map((each) => withGapAbove(text, each));
  return [...spaced.map(({ from, to }) => edit(free(from, to), to)), ...imports];
}

/** Where less space stands below a definition than above it, that is what stood there before it came. */
function withGapAbove(text: string, { from, to }: Edit): Edit {
  const above = trailingBreaks(text.slice(0, from));
  const below = trailingBreaks(text.slice(0, to));
  const lineBreak = text.includes("\r\n") ? 2 : 1;
  return edit(below < 3 && below < above ? from - (above - below) * lineBreak : from, to);
}

/** Import statements, and names in them, of which the removed Python was the only user. */
function withoutImports(
  { text, facts }: SourceFile,
  definitions: ReadonlySet<string>,
  sources: readonly PythonSource[],
  isUsed: (name: string) => boolean,
): Edit[] {
  const brought = sources.flatMap(({ imports }) => readPython(`${imports.join("\n")}\n`).facts.imports);
  const isOurs = ({ local, qualified }: ImportBinding): boolean =>
    definitions.has(local) ||
    brought.some(
      (each) => each.local === local && [each.qualified, inTyping(each.qualified)].includes(qualified),
    );
  const statements = new Map<number, ImportBinding[]>();
  for (const binding of facts.imports) {
    const { from } = binding.statement;
    if (isTopLevel(text, from)) statements.set(from, [...(statements.get(from) ?? []), binding]);
  }
  const isLeaving = (binding: ImportBinding): boolean =>
    isOurs(binding) && !isUsed(binding.local) && wasUsed(text, binding);
  /** A name that can be written otherwise as well was none of ours to import: the module stays, too. */
  const isSpare = ({ qualified }: ImportBinding): boolean =>
    [...statements.values()]
      .flat()
      .some((each) => qualified.startsWith(`${each.qualified}.`) && !isLeaving(each));
  const leaving = [...statements.values()].flatMap((bindings) =>
    bindings.every(isLeaving) ? bindings : bindings.filter((each) => isLeaving(each) && !isSpare(each)),
  );
  // Others may have been the user's before: an insertion would have put them elsewhere, or written them otherwise.
  const open = leaving.filter(({ local }) => !definitions.has(local));
  const edits = (some: readonly ImportBinding[]): Edit[] => importEdits(text, statements.values(), some);
  const isBrought = (some: readonly ImportBinding[]): boolean =>
    isAsBrought({ text, facts }, edits(some), some);
  return edits(
    isBrought(open) ? leaving : leaving.filter((each) => !open.includes(each) || isBrought([each])),
  );
}

/** Takes names out of import statements; of statements without other names the lines, and the gap that set them apart. */
function importEdits(
  text: string,
  statements: Iterable<readonly ImportBinding[]>,
  leaving: readonly ImportBinding[],
): Edit[] {
  const all = [...statements];
  const names: Edit[] = [];
  const runs: Edit[] = [];
  for (const bindings of all) {
    const some = bindings.filter((each) => leaving.includes(each));
    const [first] = some;
    if (first === undefined) continue;
    if (some.length < bindings.length) {
      const statement = readFromImport(text, first.statement);
      const ranges = some.map(({ nameRange }) => nameRange);
      if (statement !== undefined) names.push(...removeNames(text, statement, ranges));
      continue;
    }
    const line = wholeLine(text, first.statement.from, first.statement.to);
    const last = runs.at(-1);
    if (last?.to === line.from) runs[runs.length - 1] = edit(last.from, line.to);
    else runs.push(line);
  }
  return [...names, ...runs.map((run) => withGap(text, all.flat(), run))];
}

/** Whether these imports, taken out and added again, stand where they stood. */
function isAsBrought(
  { text, facts }: SourceFile,
  edits: readonly Edit[],
  leaving: readonly ImportBinding[],
): boolean {
  const end = Math.max(facts.layout.importEnd, ...edits.map(({ to }) => to));
  const header = text.slice(0, lineEnd(text, end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0)));
  const plain = applyEdits(header, edits, "\n");
  const statements = leaving.map(({ qualified, local }) => statementFor(qualified, local));
  const brought = addImports(plain, readPython(plain).facts, statements);
  return applyEdits(plain, brought, facts.layout.lineBreak) === header;
}

/** Whether anything beside the import mentions the name: an import that was never used is the user's. */
const wasUsed = (text: string, { local, statement }: ImportBinding): boolean =>
  new RegExp(`(?<![\\w.])${local}(?!\\w)`).test(text.slice(0, statement.from) + text.slice(statement.to));

/** Import lines, and the blank line below where they were a group of their own. */
function withGap(text: string, all: readonly ImportBinding[], run: Edit): Edit {
  const above = all.some(({ statement }) => wholeLine(text, statement.from, statement.to).to === run.from);
  const blank = /^[ \t]*(?:\r\n|\r|\n)/.exec(text.slice(run.to))?.[0].length ?? 0;
  return above ? run : edit(run.from, run.to + blank);
}
