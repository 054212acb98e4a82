/** Hover over a layer of a model class: its sizes, its parameters, and what adapters would train there. */
import { choicesAt } from "../../adapters/choices";
import { layerParameters } from "../../adapters/budget";
import { isLayerKind } from "../../adapters/layerKinds";
import type { LayerPlace } from "../../adapters/place";
import type { Layer, ModuleClass } from "../../python/facts";
import { code, dotted, escape, paragraphs } from "../../render/markdown";
import { count, share } from "../../render/numbers";
import type { FeatureContext, OpenDocument } from "../context";
import { adaptLink } from "./links";
import { pythonLiteral } from "./literature";

/** How many adapters the hover names. */
const shownAdapters = 3;

/** undefined where the sizes are not known. */
export function layerHover(
  context: FeatureContext,
  document: OpenDocument,
  module: ModuleClass,
  layer: Layer,
): string | undefined {
  const sizes = sizesText(layer);
  if (sizes === undefined) return undefined;
  const parameters = parametersOf(layer);
  if (parameters === undefined) return undefined;
  const adapters = adaptersLine(context, module, layer, parameters);
  const each = (layer.count ?? 1) > 1 ? ` each, ${layer.count} layers` : "";
  const without = biasUnknown(layer) ? " without bias" : "";
  return paragraphs(
    dotted(`**${escape(layer.path)}**`, sizes, `${count(parameters)} parameters${without}${each}`),
    adapters,
    adapters && adaptLink(context, document, layer.name?.from ?? layer.call.name.from),
  );
}

/** Whether `bias=` is given by something that is not certain. */
const biasUnknown = (layer: Layer): boolean =>
  ["linear", "conv", "attention"].includes(layer.role) &&
  layer.arguments["bias"] !== undefined &&
  layer.sizes["bias"] === undefined;

function parametersOf(layer: Layer): number | undefined {
  if (
    layer.role === "norm" &&
    (layer.sizes["elementwise_affine"] === false || layer.sizes["affine"] === false)
  )
    return 0;
  return layerParameters(biasUnknown(layer) ? { ...layer, sizes: { ...layer.sizes, bias: false } } : layer);
}

function sizesText({ role, sizes }: Layer): string | undefined {
  const size = (name: string): string | undefined => {
    const value = sizes[name];
    if (typeof value === "number") return String(value);
    return typeof value === "object" ? value.join("×") : undefined;
  };
  const joined = (separator: string, ...names: readonly string[]): string | undefined => {
    const known = names.flatMap((name) => size(name) ?? []);
    return known.length === names.length ? known.join(separator) : undefined;
  };
  switch (role) {
    case "linear":
      return joined(" → ", "in_features", "out_features");
    case "conv": {
      const channels = joined(" → ", "in_channels", "out_channels");
      const kernel = size("kernel_size");
      return channels === undefined || kernel === undefined ? undefined : `${channels} · kernel ${kernel}`;
    }
    case "embedding":
      return joined(" × ", "num_embeddings", "embedding_dim");
    case "norm":
      return size("normalized_shape") ?? size("num_features") ?? size("num_channels");
    case "attention":
      return joined(" · ", "embed_dim", "num_heads")?.concat(" heads");
    default:
      return undefined;
  }
}

/** LoRA rank=8 would train 24,576 (1.4 %) · Bone block=64 147,456 (8.3 %) */
function adaptersLine(
  { library }: FeatureContext,
  module: ModuleClass,
  layer: Layer,
  parameters: number,
): string | undefined {
  const { role, path, obstacle } = layer;
  if (obstacle !== undefined) return undefined;
  if (!isLayerKind(role)) return undefined;
  const place: LayerPlace = { kind: role, key: path, label: path, touch: [], module, layers: [layer] };
  const whole = parameters * (layer.count ?? 1);
  const known = choicesAt(library.methods(), place).flatMap(({ method, site, trainable, disabled }) => {
    if (trainable === undefined || disabled !== undefined) return [];
    const leading = method.hyperparameters.find(({ name }) => name === site.write[0]);
    const setting =
      typeof leading?.default !== "number"
        ? ""
        : ` ${code(`${leading.name}=${pythonLiteral(leading.default, leading.type)}`)}`;
    return [
      { name: `${escape(method.name)}${setting}`, cost: `${count(trainable)} (${share(trainable, whole)})` },
    ];
  });
  if (known.length === 0) return undefined;
  return dotted(
    ...known
      .slice(0, shownAdapters)
      .map(({ name, cost }, index) => (index === 0 ? `${name} would train ${cost}` : `${name} ${cost}`)),
  );
}
