/** Whether a name of the user's file is one that a method's Python brought along. */
import type { Library } from "../literature/library";
import type { Method } from "../literature/model";
import type { PythonFacts } from "../python/facts";
import type { FeatureContext, OpenDocument } from "./context";

/**
 * The method that a class or function comes from. A class defined in the file counts only when its docstring names
 * the method's paper: a user's own `LoRALinear` is the user's.
 */
export function insertedMethod(library: Library, facts: PythonFacts, qualified: string): Method | undefined {
  const name = qualified.slice(qualified.lastIndexOf(".") + 1);
  const method = library.methodOfDefinition(name);
  if (method === undefined) return undefined;
  if (qualified.includes(".")) return library.symbol(qualified) === undefined ? method : undefined;
  const definition = facts.definitions.find((each) => each.name === name);
  const sign = library.paper(method.paper)?.arxiv ?? method.name;
  return definition?.docstring?.includes(sign) === true ? method : undefined;
}

/** Adapter classes of the literature that this file defines or imports, by the names it has for them. */
export function adapterClasses({ library }: FeatureContext, { python: { facts } }: OpenDocument): string[] {
  const defined = facts.definitions
    .filter(({ kind: each }) => each === "class")
    .map(({ name }) => ({ local: name, name }));
  const imported = facts.imports.map(({ local, qualified }) => ({
    local,
    name: qualified.split(".").at(-1) ?? local,
  }));
  return [...defined, ...imported]
    .filter(
      ({ name }) => library.methodOfDefinition(name)?.sites.some(({ symbol }) => symbol === name) ?? false,
    )
    .map(({ local }) => local);
}
