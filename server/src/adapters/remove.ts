/** Taking an inserted adapter out again: the line becomes what it was, and what only it used goes too. */
import type { Method, MethodSite, PythonSource } from "../literature/model";
import type { Argument, Call, Layer, ModuleClass, PythonFacts, Range } from "../python/facts";
import { unaccommodate } from "./accommodate";
import { constructionKey, constructionOf } from "./construction";
import { withoutBeside } from "./callSites/beside";
import { wholeLine } from "./callSites/callSite";
import type { SourceFile } from "./definitions";
import { type Edit, edit } from "./edits";
import { forgetFrozenWeights } from "./frozenWeights";
import { spelling } from "./imports";
import { baseOf } from "./fits";
import { withoutDefinitions } from "./leaving";
import { withoutList } from "./removeList";
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
  // what our own classes are made of is theirs
  const modules = file.facts.modules.filter(({ name }) => methodOf(name) === undefined);
  return modules.flatMap((module) =>
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

/** @param used definitions that other files go on using */
export function removeAdapter(
  file: SourceFile,
  adapter: Adapter,
  sources: readonly PythonSource[],
  used: ReadonlySet<string> = new Set(),
): Edit[] {
  const { layer, layers, site } = adapter;
  const base = baseOf(site);
  const names = new Set(sources.flatMap(({ definitions }) => definitions.map(({ name }) => name)));
  const edits = base === undefined ? withoutModule(file, adapter) : restoredCall(file, adapter, base, names);
  const last = file.facts.modules.every((module) =>
    module.layers.every((each) => layers.includes(each) || each.type !== layer.type),
  );
  const symbol = symbolOf(adapter);
  if (!last || used.has(symbol)) return edits;
  const lone = file.facts.modules.every(
    (module) =>
      names.has(module.name) || module.layers.every(({ type }) => type === layer.type || !names.has(type)),
  );
  const after = [
    ...afterInitLines(file, site, names),
    ...unaccommodate(file, symbol),
    ...(lone ? forgetFrozenWeights(file) : []),
  ];
  const definitions = withoutDefinitions(file, [...edits, ...after], names, sources, used);
  return disjoint([...edits, ...after, ...definitions]);
}

/** The class of an adapter as the file calls it. */
export const symbolOf = ({ layer: { type } }: Adapter): string => type.slice(type.lastIndexOf(".") + 1);

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

/** A layer as one of its kind in its class, or else the nearest other, is written: `torch.nn.Linear` where `nn` is imported too. */
function spelledBeside(
  { facts, text }: SourceFile,
  call: Call,
  base: string,
  ours: ReadonlySet<string>,
): string | undefined {
  const dot = base.lastIndexOf(".") + 1;
  const written = ({ callee }: Call): string => text.slice(callee.from, callee.to);
  const distance = (other: Call): number => Math.abs(other.range.from - call.range.from);
  const own = facts.modules.find(({ range }) => range.from <= call.range.from && call.range.to <= range.to);
  const kinship = ({ qualified, range }: Call): number =>
    qualified === base && own && own.range.from <= range.from && range.to <= own.range.to ? 0 : 1;
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
    .toSorted((one, other) => kinship(one) - kinship(other) || distance(one) - distance(other))[0];
  return beside === undefined ? undefined : written(beside).replace(/\w+$/, base.slice(dot));
}

/** The line that builds `self.mlp_adapter` goes, calls of it give way to what they wrap, other lines that name it go. */
function withoutModule(file: SourceFile, { layer, module, site }: Adapter): Edit[] {
  const { text } = file;
  const list = `self.${layer.path.slice(0, layer.path.indexOf("."))}`;
  const listed = site.kind === "skip" ? withoutList(file, module, list) : undefined;
  if (listed !== undefined) return listed;
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

const distinct = (edits: readonly Edit[]): Edit[] =>
  edits.filter((each, index) => edits.findIndex(({ from }) => from === each.from) === index);

/** Offsets of `self.<path>` in a class. */
export function usesOf(text: string, { range }: ModuleClass, path: string): number[] {
  const pattern = new RegExp(`\\bself\\.${path.replaceAll(".", "\\.")}\\b`, "g");
  return [...text.slice(range.from, range.to).matchAll(pattern)].map(({ index }) => range.from + index);
}

/** `self.adapter(x, y)` → `x`. */
export function unwrap({ text }: SourceFile, from: number, callee: string): Edit[] {
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
