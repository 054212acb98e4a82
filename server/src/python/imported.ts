/** The module classes of neighbouring files that a file imports. */
import type { Call, ImportBinding, ImportedModule } from "./facts";
import { isModuleClass, modulesIn } from "./modules";
import type { Scope } from "./scope";
import { moveFacts } from "./shift";

/** The module class that a qualified name of the file stands for, where a neighbour defines it. */
export function importedModule(
  qualified: string,
  scope: Scope,
): Pick<ImportedModule, "qualified" | "uri" | "module"> | undefined {
  const origin = qualified.includes(".") ? scope.definition(qualified) : undefined;
  if (origin?.kind !== "class") return undefined;
  const { node, block, scope: home } = origin;
  if (!isModuleClass(node, block, home)) return undefined;
  const from = home.placed.find((placed) => placed.block === block)?.from ?? 0;
  const inBlock = home.derive(block.memory.modules, "modules", () => modulesIn(block, home));
  const module = moveFacts("modules", inBlock, from, block.memory.moved).find(
    ({ nameRange }) => nameRange.from === node.nameFrom + from,
  );
  return module && { qualified, uri: home.neighbourhood.uri, module };
}

/** Those that the file names, each once. */
export function importedModules(
  named: readonly { readonly qualified: string }[],
  imports: readonly ImportBinding[],
  calls: readonly Call[],
  scope: Scope,
): ImportedModule[] {
  const found = new Map<string, ImportedModule>();
  const others = new Set<string>();
  for (const { qualified } of named) {
    if (found.has(qualified) || others.has(qualified)) continue;
    const known = importedModule(qualified, scope);
    if (!known) others.add(qualified);
    else
      found.set(qualified, {
        ...known,
        local: nameHere(qualified, imports),
        constructedWith: calls.filter((call) => call.qualified === qualified),
      });
  }
  return [...found.values()];
}

/** `models.GPT` where the file says `import nano.models as models`. */
function nameHere(qualified: string, imports: readonly ImportBinding[]): string {
  const leading = (each: ImportBinding): boolean => qualified.startsWith(`${each.qualified}.`);
  const binding = imports.findLast((each) => each.qualified === qualified) ?? imports.findLast(leading);
  if (binding && binding.local !== "*") return binding.local + qualified.slice(binding.qualified.length);
  return qualified.split(".").at(-1) ?? qualified;
}
