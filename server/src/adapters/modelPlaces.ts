/** Places of a whole model: the end of its `__init__`, and the lines that build it. */
import type { Call, LayerRole, Layer, ModuleClass, PythonFacts } from "../python/facts";
import { moduleOfType } from "../python/local";
import { byBranches, endOfBranches, isGivenAgain } from "./built";
import type { SourceFile } from "./definitions";
import { importedModels, namesAbove } from "./models";
import { isOpen, layersOf } from "./modelTargets";
import type { ModelPlace } from "./place";
import { because, noInit } from "./placeOf";
import { isRoot } from "./root";

export function modelPlaces(file: SourceFile, modules: readonly ModuleClass[]): ModelPlace[] {
  const { facts } = file;
  const inClass = ({ range }: Call): boolean =>
    facts.modules.some((module) => module.range.from <= range.from && range.from < module.range.to);
  return modules
    .filter((module) => isRoot(facts, module))
    .flatMap((module) => [
      {
        kind: "model" as const,
        key: `model:${module.name}:`,
        label: module.name,
        touch: [module.header],
        module,
        names: [],
        ...rolesOf(facts, module),
        ...because(noInit(module)),
      },
      ...builtPlaces(
        file,
        module.constructedWith.filter((built) => built.assignedTo !== undefined && !inClass(built)),
        { module, ...rolesOf(facts, module) },
      ),
    ]);
}

/** `model = GPT(config)` where another file has the class; `near` narrows to some of these lines. */
export function importedModelPlaces(file: SourceFile, near?: readonly Call[]): ModelPlace[] {
  const { facts, text } = file;
  const found = importedModels(facts, text, near ?? facts.calls);
  if (near === undefined) return builtPlaces(file, found, {});
  const isOne = ({ assignedTo = "", qualified = "" }: Call): boolean =>
    !isGivenAgain(text, assignedTo, qualified);
  // most names are given a model once
  if (found.every(isOne)) return builtPlaces(file, found, {});
  return builtPlaces(file, importedModels(facts, text, facts.calls), {}).filter(({ touch }) =>
    touch.some(({ from }) => found.some(({ statement }) => statement.from === from)),
  );
}

/** The lines that build a model; branches of one `if` that each build it are one place, below which things go. */
function builtPlaces(
  file: SourceFile,
  calls: readonly Call[],
  known: Pick<ModelPlace, "module" | "roles">,
): ModelPlace[] {
  const isAlike = (one: Call, other: Call): boolean => one.assignedTo === other.assignedTo;
  const groups = byBranches(file.text, calls, ({ statement }) => statement, isAlike);
  return groups.map(({ items, indentation }, index): ModelPlace => {
    const [built] = items;
    const last = items.at(-1) ?? built;
    const name = built.assignedTo ?? "";
    const number = groups.slice(0, index).filter(({ items: [other] }) => isAlike(other, built)).length;
    const at = indentation === undefined ? undefined : endOfBranches(file, last.statement.to, indentation);
    return {
      kind: "model",
      key: `model:${known.module?.name ?? ""}:${name}${number === 0 ? "" : `#${number}`}`,
      label: name,
      touch: items.map(({ statement }) => statement),
      built,
      names: namesAbove(file.facts, built.statement.from),
      ...known,
      ...(at === undefined || indentation === undefined ? {} : { below: { at, indentation } }),
    };
  });
}

function rolesOf(facts: PythonFacts, module: ModuleClass): { roles?: ReadonlySet<LayerRole> } {
  const found = layersOf(module, (type, owner) => moduleOfType(facts, type, owner), [], undefined);
  const roles = new Set(found.filter(({ layer }) => hasWeights(layer)).map(({ layer }) => layer.role));
  if (found.length > 0 && !found.some((each) => isOpen(each, found))) return { roles };
  // parts from elsewhere may hold layers of any role; yet norms that are all built without weights tell of the others
  const isBare = found.some(({ layer }) => layer.role === "norm") && !roles.has("norm");
  return isBare ? { roles: new Set<LayerRole>([...roles, "linear", "conv", "embedding"]) } : {};
}

/** `nn.LayerNorm(width, elementwise_affine=False)` has none. */
const hasWeights = ({ role, sizes }: Layer): boolean =>
  role !== "norm" || (sizes["elementwise_affine"] !== false && sizes["affine"] !== false);
