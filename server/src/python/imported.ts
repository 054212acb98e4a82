/** The module classes of neighbouring files that a file imports, as the file uses them. */
import type { Block } from "./names/block";
import type { Call, ImportBinding, ImportedModule, ModuleClass } from "./facts";
import { isModuleClass } from "./layers/moduleClass";
import { modulesIn } from "./modules";
import { type Origin, Scope } from "./names/scope";
import { moveFacts } from "./shift";

/** A module class with the file that defines it. */
export type ImportedClass = Pick<ImportedModule, "uri" | "module">;

/** For a class of another file: the module class that a layer's type names there. */
const homes = new WeakMap<ModuleClass, (type: string) => ModuleClass | undefined>();

export function homeOf(module: ModuleClass): ((type: string) => ModuleClass | undefined) | undefined {
  return homes.get(module);
}

/** The module class that a qualified name of the file stands for, where a neighbour defines it. */
export function importedClass(qualified: string, scope: Scope): ImportedClass | undefined {
  const origin = qualified.includes(".") ? scope.definition(qualified) : undefined;
  if (origin?.kind !== "class" || !isModuleClass(origin.node, origin.block, origin.scope)) return undefined;
  for (const { block } of scope.placed)
    for (const binding of block.bindings)
      if (binding.qualified === qualified && scope.constructions(binding.local).length > 0)
        return scope.derive(block.memory.imported, qualified, () => usedIn(scope, binding.local, qualified));
  return classIn(origin.scope, origin);
}

/** With the sizes that follow from what the file passes. */
function usedIn(scope: Scope, local: string, qualified: string): ImportedClass | undefined {
  const origin = scope.definition(qualified);
  if (origin?.kind !== "class") return undefined;
  const { placed, neighbourhood } = origin.scope;
  const copies = placed.map(({ block, from }) => ({ block: block.anew(), from }));
  const home = new Scope(copies, neighbourhood, { scope, local, type: origin.node.name });
  // All at once, because only now what they ask of the file is noted.
  for (const { block } of copies) modulesOf(block, home);
  const block = copies[placed.findIndex((each) => each.block === origin.block)]?.block;
  return block && classIn(home, { ...origin, block });
}

function modulesOf(block: Block, scope: Scope): readonly ModuleClass[] {
  const inBlock = scope.derive(block.memory.modules, "modules", () => modulesIn(block, scope));
  const from = scope.placed.find((placed) => placed.block === block)?.from ?? 0;
  return moveFacts("modules", inBlock, from, block.memory.moved);
}

function classIn(home: Scope, { node, block }: Origin & { kind: "class" }): ImportedClass | undefined {
  const module = modulesOf(block, home).find(({ name }) => name === node.name);
  if (!module) return undefined;
  if (!homes.has(module))
    homes.set(module, (type) => {
      if (type.includes(".")) return importedClass(type, home)?.module;
      const own = home.origin(type);
      return own?.kind === "class" ? classIn(home, own)?.module : undefined;
    });
  return { uri: home.neighbourhood.uri, module };
}

/** Those that the file names, each once. */
export function importedModules(
  named: readonly { readonly qualified: string }[],
  imports: readonly ImportBinding[],
  calls: readonly Call[],
  scope: Scope,
): ImportedModule[] {
  return [...new Set(named.map(({ qualified }) => qualified))].flatMap((qualified) => {
    const known = importedClass(qualified, scope);
    if (!known) return [];
    const constructedWith = calls.filter((call) => call.qualified === qualified);
    return [{ ...known, qualified, local: nameHere(qualified, imports), constructedWith }];
  });
}

/** `models.GPT` where the file says `import nano.models as models`. */
function nameHere(qualified: string, imports: readonly ImportBinding[]): string {
  const leading = (each: ImportBinding): boolean => qualified.startsWith(`${each.qualified}.`);
  const binding = imports.findLast((each) => each.qualified === qualified) ?? imports.findLast(leading);
  if (binding && binding.local !== "*") return binding.local + qualified.slice(binding.qualified.length);
  return qualified.split(".").at(-1) ?? qualified;
}
