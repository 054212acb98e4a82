/** The names by which a list says the same as "all-linear". */
import type { Found } from "../../adapters/modelTargets";
import { isNamed } from "./paths";

/** The linear layers of a model by the ends of their paths that name them and nothing else; undefined where there are none such. */
export function linearNames(found: readonly Found[]): string[] | undefined {
  const linear = found.filter(({ layer }) => layer.role === "linear");
  if (linear.some(({ layer }) => layer.type !== "torch.nn.Linear")) return undefined;
  const above = found.flatMap(({ key }) =>
    key.split(".").map((_, index, parts) => parts.slice(0, index).join(".")),
  );
  const isOwn = (name: string): boolean =>
    found.every((each) => {
      const is = isNamed(each.key, name);
      return is === "no" || (is === "yes" && linear.includes(each));
    }) && above.every((path) => isNamed(path, name) !== "yes");
  const ofLayers = linear.map(({ key }) => {
    const ends = key.split(".").map((_, index, parts) => parts.slice(-1 - index));
    return ends
      .filter(([first = ""]) => !/^(?:\*|\d+)$/.test(first))
      .map((parts) => parts.join("."))
      .find((name) => !name.includes("*") && isOwn(name));
  });
  const unique = [...new Set(ofLayers)].filter((name) => name !== undefined);
  return ofLayers.includes(undefined) || unique.length === 0 ? undefined : unique;
}
