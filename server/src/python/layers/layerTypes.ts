/** What kind of layer a class is, and which kinds cannot be adapted by subclassing. */
import type { LayerRole } from "../facts";
import { signatureOf } from "../names/scope";

const torchLayer = /^torch\.nn\.[A-Z]\w*$/;

const roles: readonly (readonly [RegExp, LayerRole])[] = [
  [/(?:Linear|Dense|Conv1D)\w*$/, "linear"],
  [/Conv(?:Transpose)?\d[dD]/, "conv"],
  [/Embedding(?:Bag)?s?$/, "embedding"],
  [/Norm(?:\d[dD])?$/, "norm"],
  [/(?:Dropout\w*|DropPath|StochasticDepth)$/, "dropout"],
  [/(?:Attention|Attn|MHA|SelfAttn)\w*$/, "attention"],
  [/(?:ReLU|GELU|SiLU|Swish|Sigmoid|Tanh|Softmax|Mish|Softplus)\w*$/, "activation"],
];

/** What kind of layer a class is; undefined when it is no layer. */
export function roleOf(type: string, sameFile: boolean): LayerRole | undefined {
  const signature = signatureOf(type);
  if (signature && isRole(signature.role)) return signature.role;
  const last = type.split(".").at(-1) ?? type;
  if (!sameFile && !/^_*[A-Z]/.test(last)) return undefined;
  const byName = roles.find(([pattern]) => pattern.test(last))?.[1];
  // A class of this file that is called Attention is a module of its own, whose role the sub-layer says.
  if (sameFile) return byName === "attention" || byName === undefined ? "module" : byName;
  if (torchLayer.test(type)) return byName ?? "module";
  if (byName) return byName;
  if (noLayer.test(last)) return undefined;
  return /^\.|(?:^|\.)(?:Block|\w*Layer|MLP|Mlp|\w*Module|\w*Block|\w*Model|Encoder|Decoder|FeedForward)$/.test(
    type,
  )
    ? "module"
    : undefined;
}

/** Names of what a model keeps beside its layers. */
const noLayer =
  /(?:Config|Configuration|Coder|Matcher|Info|Hooks?|Format|Sampler|Tokenizer(?:Fast)?|Dataset|DataLoader|Type|Enum|Args|Arguments|Params|State|Output|Cache|Error|Exception|Scheduler|Optimizer|Logger|Lock|Queue|Namespace|Dict|Counter|Generator|Tensor|Variable|Path|Size|Processor|Extractor)$/;
/** Whether a class that a library of modules has beside them is called like one that is none. */
export function isNoLayer(type: string): boolean {
  return (
    noLayer.test(type) || /(?:Mixin|Cfg|Weights|Outputs|Function|Protocol|Converter|Handler)$/.test(type)
  );
}

const noLayers =
  /^(?:torch\.(?!nn\.)|torchvision\.(?:transforms|datasets)|collections|typing|functools|numpy|threading|types|pathlib|dataclasses|datasets|random|math|os|sys)\b/;

/** Whether a class that the file imports may be a layer where it is used like one. */
export function constructsLayer(type: string): boolean {
  const last = type.split(".").at(-1) ?? type;
  return type.includes(".") && /^_*[A-Z]\w*[a-z]/.test(last) && !noLayer.test(last) && !noLayers.test(type);
}

const allRoles: readonly string[] = [
  "linear",
  "conv",
  "embedding",
  "norm",
  "dropout",
  "activation",
  "attention",
  "container",
  "module",
  "parameter",
] satisfies LayerRole[];
function isRole(role: string): role is LayerRole {
  return allRoles.includes(role);
}

/** Why a layer that stands in a wrapper cannot be adapted. */
export function wrapperObstacle(wrapper: string): string {
  const last = wrapper.split(".").at(-1) ?? wrapper;
  return last === "script"
    ? "`torch.jit.script` compiles this layer as it is, so a subclass would have to be scriptable too. Adapt it before scripting."
    : `\`${last}\` replaces or wraps this layer's parameters. Adapt the layer first and wrap the adapted one.`;
}

/** Why a layer that a function builds cannot be adapted where that is called. */
export function factoryObstacle(name: string): string {
  return `\`${name}\` builds this layer with settings of its own. Adapt it inside \`${name}\`, or adapt the block's output.`;
}

/** Why one of several layers that a function puts into a list cannot be adapted by itself. */
export function severalObstacle(name: string): string {
  return `\`${name}\` builds several such layers. Adapt them across the whole model, where it is built, or inside \`${name}\`.`;
}

/** Why a layer of a class that a condition chooses cannot be adapted. */
export function eitherObstacle(name: string, classes: readonly string[]): string {
  const spoken = [...new Set(classes)]
    .map((each) => `\`${each.replace(/^torch\.nn\./, "nn.")}\``)
    .join(" or ");
  return `\`${name}\` is ${spoken}, as a condition says. Build each by its own class in an if and its else, then adapt one.`;
}

/** Why a layer that is handed to an unknown function cannot be adapted. */
export function passingObstacle(name: string): string {
  return `What \`${name}\` does with this layer is not known here. Build the layer by itself, or adapt the block's output.`;
}

/** Why a layer of this type cannot be adapted. */
export function typeObstacle(type: string): string | undefined {
  const last = type.split(".").at(-1) ?? type;
  if (/^torch\.nn\.Transformer/.test(type))
    return "The layers inside this module are built by PyTorch. Adapt them across the whole model, where it is built, or adapt the output of the whole layer.";
  if (/4bit|8bit|Quant|Int8|NF4|GPTQ|AWQ/i.test(last))
    return "The weight of a quantised layer is packed. Adapt it through the library that quantised it, or adapt the block's output.";
  if (/Parallel/.test(last))
    return "This layer holds one shard of its weight. Adapt the block's output instead.";
  if (/^torch\.nn\.Lazy/.test(type))
    return "A lazy layer has no input size until it first runs. Write its sizes, then adapt it.";
  return undefined;
}
