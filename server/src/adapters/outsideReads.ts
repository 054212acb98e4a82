/** Code outside a class that computes with the weight of one of its layers: `F.linear(x, model.head.weight)`. */
import { moduleOfType } from "../python/local";
import type { Layer, ModuleClass, PythonFacts } from "../python/facts";

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

function readsOf(facts: PythonFacts, text: string): readonly Read[] {
  const before = known.get(facts);
  if (before !== undefined) return before;
  const bodies = [
    ...facts.functions.map(({ name, range }) => ({ name, by: name, range })),
    ...facts.modules.flatMap(({ name: owner, methods }) =>
      methods.map(({ name, range }) => ({ name, by: owner, range })),
    ),
  ].filter(({ name }) => !isPreparation.test(name));
  const found = bodies.flatMap(({ by, range }) =>
    [...text.slice(range.from, range.to).matchAll(/\b(\w+(?:\.\w+)+)\.weight\b/g)].flatMap(
      ({ 0: whole, 1: path = "", index }): Read[] => {
        const from = range.from + index;
        const start = text.lastIndexOf("\n", from) + 1;
        const end = text.indexOf("\n", from);
        const line = text.slice(start, end < 0 ? text.length : end);
        const isCode = !/^\s*#/.test(line) && line.includes(whole);
        return isCode && computes.test(line) ? [{ path: path.split("."), from, by }] : [];
      },
    ),
  );
  known.set(facts, found);
  return found;
}

/** Why a layer must not be adapted, for what other classes and functions of the file do with its weight. */
export function readOutside(
  facts: PythonFacts,
  text: string,
  module: ModuleClass,
  { path }: Layer,
): string | undefined {
  if (!text.includes(".weight")) return undefined;
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
