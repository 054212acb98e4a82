/** The layers that a configuration of PEFT adapts: `target_modules` less what other arguments leave out. */
import type { Layer, Value } from "../../python/facts";
import type { CallArguments, Setting } from "../rules/callArguments";
import type { Instance } from "./instances";
import { any, blockOf, isNamed, isTargeted, namesIn, pathsTo } from "./paths";

export interface Chosen extends Instance {
  /** The name by which the configuration reaches it. */
  readonly name: string;
}

/** Undefined where it is not certain which they are, or where PEFT would refuse. */
export function chosenLayers(instances: readonly Instance[], given: CallArguments): Chosen[] | undefined {
  const targets = given.setting("target_modules");
  const leavesOut = exclusion(given);
  if (targets.kind !== "given" || leavesOut === undefined) return undefined;
  const { value } = targets;
  const all = value.kind === "string" && value.value.toLowerCase() === "all-linear";
  const names = all || value.kind === "string" ? [] : namesIn(value);
  if (names === undefined || isWholeNamed(instances, value, names, all)) return undefined;

  const chosen: Chosen[] = [];
  const used = new Set<string>();
  for (const instance of instances) {
    const { key, layer } = instance;
    if (all && layer.role !== "linear") continue;
    const named = names.map((name) => ({ name, is: isNamed(key, name) }));
    const is = all ? "yes" : names.length > 0 ? any(named.map((each) => each.is)) : isTargeted(key, value);
    if (is === "no") continue;
    const name = named.find((each) => each.is === "yes")?.name ?? lastName(key);
    const without = leavesOut(key, value.kind === "list");
    if (is === "maybe" || without === "maybe") return undefined;
    for (const each of named) if (each.is === "yes") used.add(each.name);
    if (without === "no") chosen.push({ ...instance, name });
  }
  // a name of no layer may be one of a module, which PEFT refuses
  return chosen.length > 0 && names.every((name) => used.has(name)) ? chosen : undefined;
}

/** Whether the targets name a module that holds others. */
function isWholeNamed(
  instances: readonly Instance[],
  targets: Value,
  names: readonly string[],
  all: boolean,
): boolean {
  if (all) return false;
  const above = new Set(instances.flatMap(({ key }) => pathsTo(key).slice(0, -1)));
  return names.length > 0
    ? [...above].some((path) => names.some((name) => isNamed(path, name) === "yes"))
    : [...above].some((path) => isTargeted(path, targets) !== "no");
}

type LeavesOut = (key: string, isList: boolean) => "yes" | "no" | "maybe";

/** What `exclude_modules`, `modules_to_save` and `layers_to_transform` leave out; undefined where one is not known. */
function exclusion(given: CallArguments): LeavesOut | undefined {
  const [excluded, saved, blocks, lists] = [
    valueOf(given.setting("exclude_modules")),
    valueOf(given.setting("modules_to_save")),
    valueOf(given.setting("layers_to_transform")),
    valueOf(given.setting("layers_pattern")),
  ];
  if ([excluded, saved, blocks, lists].includes("unknown")) return undefined;
  const kept = isValue(saved) ? namesIn(saved) : [];
  const numbers = isValue(blocks) ? numbersIn(blocks) : undefined;
  const around = isValue(lists) ? (lists.kind === "string" ? [lists.value] : namesIn(lists)) : [];
  if (kept === undefined || around === undefined || (isValue(blocks) && numbers === undefined))
    return undefined;
  return (key, isList) => {
    const answers = [
      isValue(excluded) ? isTargeted(key, excluded) : ("no" as const),
      any(pathsTo(key).flatMap((path) => kept.map((name) => isNamed(path, name)))),
    ];
    // PEFT heeds the numbers where the targets are a list
    if (numbers !== undefined && numbers.length > 0 && isList) {
      const block = blockOf(key, around);
      answers.push(
        block === "maybe" ? "maybe" : block !== undefined && numbers.includes(block) ? "no" : "yes",
      );
    }
    return any(answers);
  };
}

const isValue = (value: Value | "unknown" | undefined): value is Value =>
  value !== undefined && value !== "unknown";

/** What is given; undefined where that is nothing. */
function valueOf(setting: Setting): Value | "unknown" | undefined {
  if (setting.kind === "unknown") return "unknown";
  const { value } = setting;
  return value === undefined || value.kind === "none" ? undefined : value;
}

function numbersIn(value: Value): number[] | undefined {
  if (value.kind === "number") return [value.value];
  if (value.kind !== "list") return undefined;
  const numbers = value.items.flatMap((item) => (item.kind === "number" ? [item.value] : []));
  return numbers.length === value.items.length ? numbers : undefined;
}

const lastName = (key: string): string =>
  key.split(".").findLast((part) => !/^(?:\*|\d+)$/.test(part)) ?? key;

/** Whether `bias=` of a layer is given and not known. */
export const biasUnknown = ({ arguments: given, sizes }: Layer): boolean =>
  given["bias"] !== undefined && sizes["bias"] === undefined;
