/** Linear layers that an adapter can stand beside, where no subclass can stand for them. */
import type { Layer, ModuleClass, PythonFacts, Range } from "../python/facts";
import { moduleOfType } from "../python/local";
import { closingBracket, topLevelParts } from "./brackets";
import type { BesidePlace } from "./place";

/** Layers that are called as ever, whatever became of their weight. */
const keepsItsCall =
  /`(?:weight_norm|spectral_norm|orthogonal|register_parametrization)` replaces|weight of a quantised layer is packed/;

export function besidePlaces(facts: PythonFacts, module: ModuleClass, text: string): BesidePlace[] {
  const layers = module.layers.filter(
    ({ role, path, ...layer }) =>
      role === "linear" &&
      /^\w+$/.test(path) &&
      (layer.obstacle === undefined ? computesItsOwn(facts, layer) : keepsItsCall.test(layer.obstacle)),
  );
  return layers.flatMap((layer): BesidePlace[] => {
    const calls = callsOf(module, layer, text);
    if (module.init === undefined || calls === undefined || calls.length === 0) return [];
    const key = `beside:${module.name}:${layer.path}`;
    return [{ kind: "beside", key, label: layer.path, touch: [layer.call.statement], module, layer, calls }];
  });
}

/** `class Linear(nn.Linear)` that computes in another way, say in the precision of what it gets. */
function computesItsOwn(
  facts: PythonFacts,
  { type, tie, weightReads }: Pick<Layer, "type" | "tie" | "weightReads">,
): boolean {
  if (type.startsWith("torch.") || tie !== undefined || weightReads !== undefined) return false;
  const own = moduleOfType(facts, type);
  return (
    own?.bases.includes("torch.nn.Linear") === true && own.forward !== undefined && own.init === undefined
  );
}

/** Where the class calls a layer with one argument; undefined where it does other things with it. */
function callsOf({ range, init, layers }: ModuleClass, { path }: Layer, text: string): Range[] | undefined {
  if (layers.filter((each) => each.path === path).length > 1) return undefined;
  const body = text.slice(range.from, range.to);
  const calls: Range[] = [];
  for (const { 0: name, index } of body.matchAll(new RegExp(`\\bself\\.${path}\\b`, "g"))) {
    const from = range.from + index;
    const to = from + name.length;
    if (init !== undefined && init.range.from <= from && from < init.range.to) continue;
    if (/^\.(?:weight|bias|in_features|out_features)\b/.test(text.slice(to, to + 16))) continue;
    const close = text[to] === "(" ? closingBracket(text, to) : undefined;
    const parts = close === undefined ? [] : topLevelParts(text.slice(to + 1, close));
    if (parts.length !== 1 || /^\*|^\w+\s*=(?!=)/.test(parts[0] ?? "")) return undefined;
    calls.push({ from, to: to + 1 });
  }
  return calls;
}
