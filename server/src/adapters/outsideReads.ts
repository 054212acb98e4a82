/** Code outside a class that computes with the weight of one of its layers: `F.linear(x, model.head.weight)`. */
import { moduleOfType } from "../python/local";
import type { Layer, Method, ModuleClass, PythonFacts } from "../python/facts";

interface Read {
  /** What has the weight: `model.head`. */
  readonly path: readonly string[];
  readonly from: number;
  /** The class or function around it. */
  readonly by: string;
}

const known = new WeakMap<PythonFacts, readonly Read[]>();

/** What sets weights up, stores them or looks at them. */
const isPreparation =
  /init|reset|load|tie|from_pretrained|(?:^|_)to_|convert|export|copy|prune|freeze|merge|repr|test|check|compare|param|weights?$/i;

/** The calls and operators that compute with what stands on their line. */
const computes =
  /\.(?:linear|matmul|mm|bmm|addmm|einsum|baddbmm)\(|\.weight(?:\.data)?(?:\.(?:t|transpose)\(|\.(?:T|mT)\b|\s*[@*])|@\s*[\w.]+\.weight\b|\.(?:cat|stack)\(\s*[[(][^\])]*\.weight\b/;

/** Lines are looked through first: few files have such a line, and only those need all their classes and functions. */
function readsOf(facts: PythonFacts, text: string): readonly Read[] {
  const before = known.get(facts);
  if (before !== undefined) return before;
  const found = [...text.matchAll(/\.weight\b/g)].flatMap(({ index }): Read[] => {
    const start = text.lastIndexOf("\n", index) + 1;
    const end = text.indexOf("\n", index);
    const line = text.slice(start, end < 0 ? text.length : end);
    const [path] = /[\w.]+$/.exec(line.slice(0, index - start)) ?? [];
    if (path === undefined || /^\s*#/.test(line) || !computes.test(line)) return [];
    const parts = path.split(".");
    const by = parts.length > 1 ? bodyAround(facts, index) : undefined;
    return by === undefined || isPreparation.test(by.name)
      ? []
      : [{ path: parts, from: index, by: by.owner }];
  });
  known.set(facts, found);
  return found;
}

/** The function or method around an offset, and the class or function that is known for it. */
function bodyAround(facts: PythonFacts, offset: number): { name: string; owner: string } | undefined {
  const holds = ({ range }: Method): boolean => range.from <= offset && offset < range.to;
  const module = facts.modules.find(({ methods }) => methods.some(holds));
  const method = (module?.methods ?? facts.functions).find(holds);
  return method && { name: method.name, owner: module?.name ?? method.name };
}

/** Why a layer must not be adapted, for what other classes and functions of the file do with its weight. */
export function readOutside(
  facts: PythonFacts,
  text: string,
  module: ModuleClass,
  { path }: Layer,
): string | undefined {
  const name = path.split(".").at(-1);
  const read = readsOf(facts, text).find(
    ({ path: parts, from, by }) =>
      by !== module.name && parts.at(-1) === name && mayBe(facts, module, parts, from),
  );
  return read === undefined
    ? undefined
    : `\`${read.by}\` computes with the weight of \`${read.path.join(".")}\`, past an adapted layer. Call the layer there, or adapt another.`;
}

/** Whether what stands before the layer's name may be of the class: not where the file shows that it is of another. */
function mayBe(facts: PythonFacts, module: ModuleClass, parts: readonly string[], from: number): boolean {
  const around = facts.modules.find(({ range }) => range.from <= from && from < range.to);
  if (around === undefined || parts[0] !== "self") return true;
  // `self.proj.weight` of a class that has a `proj` of its own, or gets that of a parent
  if (parts.length === 2)
    return around.bases.includes(module.name) && !around.layers.some(({ path }) => path === parts[1]);
  const whole = around.layers.find(({ path }) => path === parts.slice(1, -1).join("."));
  if (whole === undefined) return true;
  const type = moduleOfType(facts, whole.type, around);
  return type !== undefined && (type.name === module.name || type.bases.includes(module.name));
}
