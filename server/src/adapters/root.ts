/** The model that a class is part of: what no other class of the file builds. */
import type { ModuleClass, PythonFacts } from "../python/facts";

/** Whether no other class of the file builds `module`. */
export const isRoot = (facts: PythonFacts, module: ModuleClass): boolean =>
  wholesOf(facts, module).length === 0;

const wholesOf = (facts: PythonFacts, part: ModuleClass): ModuleClass[] =>
  facts.modules.filter((whole) => whole !== part && whole.layers.some(({ type }) => type === part.name));

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
