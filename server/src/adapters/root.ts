/** The model that a class is part of: what no other class of the file builds. */
import type { ModuleClass, PythonFacts } from "../python/facts";

/** Whether no other class of the file builds `module`, and it is no mere parent of those that are built. */
export const isRoot = (facts: PythonFacts, module: ModuleClass): boolean =>
  wholesOf(facts, module).length === 0 &&
  (module.layers.length > 0 || facts.modules.every(({ bases }) => !bases.includes(module.name)));

function wholesOf(facts: PythonFacts, part: ModuleClass): ModuleClass[] {
  const handed = handedOver(facts).get(part.name);
  return facts.modules.filter(
    (whole) =>
      whole !== part &&
      (whole.layers.some(({ type }) => type === part.name) || handed?.has(whole.name) === true),
  );
}

const known = new WeakMap<PythonFacts, ReadonlyMap<string, ReadonlySet<string>>>();

/**
 * Classes that are handed to others, which build or hold them: `BasicLayer(dim, downsample=PatchMerging)`,
 * `self._make_layer(Bottleneck, 64)`, `Encoder(EncoderLayer(512), 6)`. By name, the names of those that get them.
 */
function handedOver(facts: PythonFacts): ReadonlyMap<string, ReadonlySet<string>> {
  const before = known.get(facts);
  if (before !== undefined) return before;
  const names = new Set(facts.modules.map(({ name }) => name));
  const found = new Map<string, Set<string>>();
  for (const { qualified = "", arguments: given, range } of facts.calls) {
    if (/^(?:isinstance|issubclass|super)$/.test(qualified)) continue;
    const words = new Set(given.flatMap(({ value }) => value.text.match(/[A-Za-z_]\w*/g) ?? []));
    const parts = [...words].filter((word) => names.has(word));
    if (parts.length === 0) continue;
    const holders = facts.modules.filter(
      ({ name, range: body }) => name === qualified || (body.from <= range.from && range.to <= body.to),
    );
    for (const part of parts)
      found.set(part, new Set([...(found.get(part) ?? []), ...holders.map(({ name }) => name)]));
  }
  known.set(facts, found);
  return found;
}

/** The one class at the top of those that build `module`, directly or through others; `module` itself where that is not one. */
export function rootOf(facts: PythonFacts, module: ModuleClass): ModuleClass {
  const roots = new Set<ModuleClass>();
  const visited = new Set<string>();
  const climb = (part: ModuleClass): void => {
    if (visited.has(part.name)) return;
    visited.add(part.name);
    const wholes = wholesOf(facts, part);
    if (wholes.length === 0) roots.add(part);
    wholes.forEach(climb);
  };
  climb(module);
  const [only, another] = roots;
  return only !== undefined && another === undefined && only.init !== undefined ? only : module;
}
