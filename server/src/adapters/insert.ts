/** One insertion, whole: the method's Python, the call site, and the imports, as edits of one or two files. */
import type { Method, MethodSite, PythonSource } from "../literature/model";
import type { ModuleClass } from "../python/facts";
import { applyName, withApplyFunction } from "./applyFunction";
import { fitted, type Options } from "./budget";
import { accommodate, accommodations } from "./accommodate";
import { adaptBeside } from "./callSites/beside";
import { adaptBranches } from "./callSites/blockOutput";
import { adaptBlockStack } from "./callSites/blockStack";
import { afterInInit, type CallSite } from "./callSites/callSite";
import { adaptGenerationStep } from "./callSites/generationStep";
import { adaptLayer } from "./callSites/layer";
import { adaptModelLayers, afterModelLayers } from "./callSites/modelLayers";
import { adaptSkip } from "./callSites/skip";
import { adaptModel, adaptTraining } from "./callSites/statements";
import {
  type Brought,
  bringDefinitions,
  importFrom,
  type Sibling,
  type SourceFile,
  topLevelStart,
} from "./definitions";
import type { Edit } from "./edits";
import { constructionOf } from "./construction";
import { isLayerPlace } from "./fits";
import { type Importer, type ImporterEdits, meetAdapter } from "./importers";
import { meetFrozenWeights } from "./frozenWeights";
import { definitionsOf, type Extra, extrasEdits, homeOf } from "./extras";
import type { Place } from "./place";
import { rootOf } from "./root";

export interface Insertion {
  /** Edits of the user's file. */
  readonly file: readonly Edit[];
  /** Edits of the sibling module that holds the definitions, where that is the destination. */
  readonly module?: readonly Edit[];
  /** Of other files, whose initialisers must go past the adapter. */
  readonly others: readonly ImporterEdits[];
}

export interface InsertionRequest {
  readonly file: SourceFile;
  readonly method: Method;
  readonly site: MethodSite;
  readonly place: Place;
  readonly shared: readonly PythonSource[];
  readonly options: Options;
  readonly siblings?: readonly Sibling[];
  /** How a docstring names the method: "LoRA (arXiv:2106.09685)"; its name where absent. */
  readonly cited?: string;
  /** What goes with it, and the adapter classes that the file has already. */
  readonly extras?: { readonly chosen: readonly Extra[]; readonly adapters: readonly string[] };
  /** Files of the project with an initialiser that reaches the class of the place. */
  readonly importers?: readonly Importer[];
  /** Where definitions go: above the class, or a sibling module with its present text (empty for a new one). */
  readonly destination: "inline" | { readonly module: string; readonly content: SourceFile };
}

export function insertAdapter(request: InsertionRequest): Insertion {
  const { file, method, site, place, shared, destination } = request;
  const whole = place.kind === "model-layers";
  const python = [...shared, ...method.python];
  const sources = whole ? withApplyFunction(python, method, site, request.cited ?? method.name) : python;
  const extras = request.extras?.chosen ?? [];
  const wanted = distinct([
    ...(whole ? [applyName(method, site)] : []),
    ...(whole && extras.length === 0 ? [] : [site.symbol]),
    ...definitionsOf(extras),
    ...(site.uses ?? []),
    ...(site.afterInit === undefined ? [] : [calledIn(site.afterInit)]),
    ...besides(request).map(({ helper }) => helper),
    ...(request.importers ?? []).flatMap(({ initialisers }) => initialisers.map(({ helper }) => helper)),
  ]);
  const start = startOf(file, place);
  const inFile = bringDefinitions(
    file,
    sources,
    wanted,
    place.kind === "free" && start === file.text.length ? "end" : topLevelStart(file, start),
    request.siblings,
  );
  if (destination === "inline" || inFile.edits.length === 0) {
    return {
      file: [...inFile.edits, ...callSiteEdits(request, inFile)],
      others: othersEdits(request, inFile.names),
    };
  }
  const inModule = bringDefinitions(destination.content, sources, wanted, "end");
  const here = (name: string): string => inFile.names.get(name) ?? name;
  const imported = new Map(wanted.map((name) => [inModule.names.get(name) ?? name, here(name)]));
  const edits = importFrom(file, destination.module, imported);
  return {
    file: [...edits, ...callSiteEdits(request, { edits, names: inFile.names })],
    module: inModule.edits,
    others: othersEdits(request, inFile.names),
  };
}

/** The file has all names, be it that it imports them. */
const othersEdits = (
  { importers = [], site: { symbol } }: InsertionRequest,
  names: Brought["names"],
): ImporterEdits[] =>
  importers
    .map((each) => meetAdapter(each, names.get(symbol) ?? symbol, names))
    .filter(({ edits }) => edits.length > 0);

const distinct = (names: readonly string[]): string[] => [...new Set(names)];

/** Where the code that will use the definitions starts: they go above it. */
function startOf({ facts }: SourceFile, place: Place): number {
  if (place.kind === "free") return place.at;
  if (place.kind === "model-layers") return place.built?.call.statement.from ?? place.root?.range.from ?? 0;
  if (isLayerPlace(place)) {
    const built = place.layers.map((layer) => constructionOf(facts, layer)?.statement.from ?? Infinity);
    return Math.min(place.module.range.from, ...built);
  }
  if ("module" in place) return place.module.range.from;
  if (place.kind === "model") return place.built?.statement.from ?? 0;
  return place.kind === "generation-step"
    ? place.step.function.range.from
    : ((place.step.outer ?? place.step.loop ?? place.step.backward ?? place.step.step)?.from ?? 0);
}

/** The function of `share_phm_rule({root})`. */
export const calledIn = (statement: string): string => /^\w*/.exec(statement)?.[0] ?? statement;

function callSiteEdits(request: InsertionRequest, brought: Brought): Edit[] {
  const { file, method, site, place, options } = request;
  const at: CallSite = {
    file,
    method,
    site,
    options: fitted(method, site, place, options),
    symbol: brought.names.get(site.symbol) ?? site.symbol,
    names: brought.names,
  };
  return [
    ...placeEdits(at, place),
    ...afterInitEdits(request, brought),
    ...accommodate(besides(request), at.symbol, brought.names),
    ...(grownModule(place) === undefined ? [] : meetFrozenWeights(file)),
    ...withExtras(request, brought, at.symbol),
  ];
}

function withExtras({ file, place, extras }: InsertionRequest, brought: Brought, symbol: string): Edit[] {
  const home = extras === undefined || extras.chosen.length === 0 ? undefined : homeOf(file, place);
  if (extras === undefined || home === undefined) return [];
  const adapters = [...new Set([...extras.adapters, symbol])];
  return extrasEdits({
    file,
    home,
    adapters,
    chosen: extras.chosen,
    names: brought.names,
    brought: brought.edits,
  });
}

/** Code elsewhere that goes over all parameters of the model, which the adapter's are now among. */
function besides({ file, place }: InsertionRequest): ReturnType<typeof accommodations> {
  const module = setUpWith(place);
  return module === undefined ? [] : accommodations(file, module);
}

/** The class that has the adapter when a model of it is set up or loaded; those put into a built model come later. */
export const setUpWith = (place: Place): ModuleClass | undefined =>
  place.kind === "model-layers" && place.model !== "self" ? undefined : grownModule(place);

/** The class of the file that gets parameters. */
function grownModule(place: Place): ModuleClass | undefined {
  if (place.kind === "model-layers") return place.own ? place.root : undefined;
  return "module" in place && place.kind !== "model" ? place.module : undefined;
}

/** What must run once the whole model stands, such as sharing weights between adapters: at the end of its `__init__`, once. */
function afterInitEdits({ file, site, place }: InsertionRequest, { names }: Brought): Edit[] {
  if (site.afterInit === undefined) return [];
  const called = calledIn(site.afterInit);
  const call = site.afterInit.replace(called, names.get(called) ?? called);
  if (place.kind === "model-layers")
    return [afterModelLayers(file, place, call.replace("{root}", place.model))];
  if (!("module" in place)) return [];
  const statement = call.replace("{root}", "self");
  const root = rootOf(file.facts, place.module);
  if (file.text.slice(root.range.from, root.range.to).includes(statement)) return [];
  return [afterInInit(file, root, undefined, statement)];
}

function placeEdits(at: CallSite, place: Place): Edit[] {
  switch (place.kind) {
    case "linear":
    case "conv":
    case "embedding":
    case "norm":
    case "attention":
      return adaptLayer(at, place);
    case "model-layers":
      return adaptModelLayers(
        at,
        place,
        at.names.get(applyName(at.method, at.site)) ?? applyName(at.method, at.site),
      );
    case "beside":
      return adaptBeside(at, place);
    case "block-input":
    case "block-output":
      return adaptBranches(at, place);
    case "skip":
      return adaptSkip(at, place);
    case "block-stack":
      return adaptBlockStack(at, place);
    case "generation-step":
      return adaptGenerationStep(at, place);
    case "training-step":
    case "loss":
      return adaptTraining(at, place);
    case "model":
      return adaptModel(at, place);
    case "free":
      return []; // the definitions are all there is
  }
}
