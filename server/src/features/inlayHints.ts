/** Behind adapted layers, and configurations whose model is known: how many parameters they train. */
import type { InlayHint } from "vscode-languageserver-types";
import { layerParameters, type Options, trainableParameters } from "../adapters/budget";
import { isLayerKind } from "../adapters/layerKinds";
import type { LayerPlace } from "../adapters/place";
import { evaluate, namesIn } from "../literature/expression";
import type { Method, MethodSite } from "../literature/model";
import type { Expression, Layer, ModuleClass, PythonFacts } from "../python/facts";
import { around, moduleOfType, modulesAround } from "../python/local";
import { count, share } from "../render/numbers";
import { configEffect, layersText } from "./configEffect";
import type { FeatureContext, OpenDocument } from "./context";
import { insertedMethod } from "./inserted";

/** Those between two offsets. */
export function inlayHints(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
): InlayHint[] {
  const { facts } = document.python;
  const isAsked = (at: number): boolean => from <= at && at <= to;
  const hint = (at: number, label: string): InlayHint => ({
    position: document.text.positionAt(at),
    label,
    paddingLeft: true,
  });

  const layers = modulesAround(facts, from, to).flatMap((module) =>
    module.layers.flatMap((layer) => {
      const { to: end } = layer.call.range;
      const label = isAsked(end) ? layerLabel(context, facts, module, layer) : undefined;
      return label === undefined ? [] : [hint(end, label)];
    }),
  );
  const configurations = around(facts, "calls", from, to).flatMap((call) => {
    const { to: end } = call.range;
    if (!isAsked(end) || call.qualified === undefined) return [];
    const symbol = context.library.symbol(call.qualified);
    const effect = symbol && configEffect(context, document, symbol, call);
    if (effect === undefined) return [];
    const { trainable, holds } = effect;
    return [hint(end, [layersText(effect), costText(trainable, holds)].join(" · "))];
  });
  return [...layers, ...configurations];
}

/** "24,576 trainable · 1.4 %" */
const costText = (trainable: number, holds: number | undefined): string =>
  `${count(trainable)} trainable${holds === undefined ? "" : ` · ${share(trainable, holds)}`}`;

function layerLabel(
  { library }: FeatureContext,
  facts: PythonFacts,
  module: ModuleClass,
  layer: Layer,
): string | undefined {
  const method = insertedMethod(library, facts, layer.type);
  const name = layer.type.slice(layer.type.lastIndexOf(".") + 1);
  const site = method?.sites.find(({ symbol, trainable }) => symbol === name && trainable !== undefined);
  if (method === undefined || site === undefined) return undefined;
  const options = optionsOf(facts, module, layer, method, site);
  if (options === undefined) return undefined;
  const { kind } = site;
  if (isLayerKind(kind)) return adaptedLabel(method, site, { ...layer, role: kind }, module, options);
  if (kind === "block-output" || kind === "block-input") return moduleLabel(site, layer, options, "width");
  return kind === "skip" ? moduleLabel(site, layer, options, "channels") : undefined;
}

function adaptedLabel(
  method: Method,
  site: MethodSite,
  layer: Layer & { readonly role: LayerPlace["kind"] },
  module: ModuleClass,
  options: Options,
): string | undefined {
  const { role, path } = layer;
  const place: LayerPlace = { kind: role, key: path, label: path, touch: [], module, layers: [layer] };
  const trainable = trainableParameters(method, site, place, options);
  const holds = layerParameters(layer);
  return trainable === undefined || trainable <= 0
    ? undefined
    : costText(trainable, holds && holds * (layer.count ?? 1));
}

/** What stands after a block or on a skip: it is built with the width there, and holds nothing that is not trained. */
function moduleLabel(
  { trainable = "" }: MethodSite,
  layer: Layer,
  options: Options,
  size: "width" | "channels",
): string | undefined {
  const [first] = layer.call.arguments;
  if (first?.star !== undefined || first?.value.value.kind !== "number") return undefined;
  const written = first.keyword?.name ?? size;
  const numbers = Object.entries(options).map(([name, value]) => [name, Number(value)] as const);
  const each =
    written === size
      ? evaluate(trainable, { ...Object.fromEntries(numbers), [size]: first.value.value.value })
      : undefined;
  return each === undefined || each <= 0 ? undefined : costText(each * (layer.count ?? 1), undefined);
}

/** The hyperparameters that the cost depends on: as written, else what the class at hand says, else the method's. */
function optionsOf(
  facts: PythonFacts,
  module: ModuleClass,
  { call, type }: Layer,
  method: Method,
  { trainable = "" }: MethodSite,
): Options | undefined {
  if (!call.closed || call.arguments.some(({ star }) => star !== undefined)) return undefined;
  const parameters = moduleOfType(facts, type, module)?.init?.parameters ?? [];
  const options: Record<string, number | boolean> = {};
  for (const { name, default: preset } of method.hyperparameters) {
    if (!namesIn(trainable).has(name)) continue;
    const written: Expression | undefined =
      call.arguments.find(({ keyword }) => keyword?.name === name)?.value ??
      parameters.find((each) => each.name === name)?.default;
    const value = written === undefined ? preset : valueOf(written);
    if (typeof value !== "number" && typeof value !== "boolean") return undefined;
    options[name] = value;
  }
  return options;
}

const valueOf = ({ value }: Expression): number | boolean | undefined =>
  value.kind === "number" || value.kind === "boolean" ? value.value : undefined;
