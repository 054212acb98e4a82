/** What the targets of a configuration mean in a pretrained model, whose layers are known by name alone. */
import type { Call } from "../../python/facts";
import { code } from "../../render/markdown";
import type { FeatureContext, OpenDocument } from "../context";
import { linearLayersOf, type Loaded, loadedFor } from "../family";
import { callArguments, noValues } from "../rules/callArguments";
import { namesIn } from "./paths";

/** "`q_proj`, `v_proj` of `meta-llama/Llama-2-7b-hf`, in attention alone."; undefined where a name is not known. */
export function familyLine(context: FeatureContext, document: OpenDocument, call: Call): string | undefined {
  const symbol = call.qualified === undefined ? undefined : context.library.symbol(call.qualified);
  if (symbol?.library !== "peft" || context.library.families().length === 0) return undefined;
  const setting = callArguments(call, symbol, noValues).setting("target_modules");
  if (setting.kind !== "given") return undefined;
  const { value } = setting;
  const isAll = value.kind === "string" && value.value.toLowerCase() === "all-linear";
  const names = isAll ? [] : namesIn(value);
  if (names === undefined || (!isAll && names.length === 0)) return undefined;
  const loaded = loadedFor(context, document, call);
  if (loaded === undefined) return undefined;
  return isAll ? allOf(loaded) : someOf(loaded, names);
}

function allOf({ family, name, withHead }: Loaded): string | undefined {
  if (family.complete !== true || !withHead) return undefined;
  const head = family.head === undefined ? "" : `, not ${code(family.head)}`;
  return `${linearLayersOf(family).map(code).join(", ")} in each block of ${code(name)}${head}.`;
}

function someOf({ family, name }: Loaded, names: readonly string[]): string | undefined {
  const isIn = (named: readonly string[]): boolean => names.every((each) => named.includes(each));
  const layers = [family, family.earlier].find((each) => each && isIn(linearLayersOf(each)));
  if (layers === undefined) return undefined;
  const left = linearLayersOf(layers).filter((each) => !names.includes(each));
  const where = isIn(layers.attention)
    ? ", in attention alone"
    : isIn(layers.feedForward)
      ? ", in the feed-forward parts alone"
      : "";
  const others = left.length === 0 || where !== "" ? "" : `; not ${left.map(code).join(", ")}`;
  const release =
    family.earlier === undefined
      ? ""
      : ` in ${layers === family ? "recent" : "earlier"} releases of the library`;
  return `${names.map(code).join(", ")} of ${code(name)}${release}${where}${others}.`;
}
