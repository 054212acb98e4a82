/** The arguments of a call as far as they are certain: what is given, what takes its default, what nobody can tell. */
import type { ArgumentCondition, LibrarySymbol } from "../../literature/model";
import type { Argument, Call, Value } from "../../python/facts";
import type { Values } from "../../python/values";

export type Setting =
  | { readonly kind: "given"; readonly argument: Argument; readonly value: Value }
  /** `value` is absent where the corpus does not know the default. */
  | { readonly kind: "default"; readonly value?: Value }
  | { readonly kind: "unknown" };

export interface CallArguments {
  readonly call: Call;
  readonly symbol: LibrarySymbol | undefined;
  /** The argument of this name. */
  readonly setting: (name: string) => Setting;
}

const unknown: Setting = { kind: "unknown" };

/** `values` tells whether an attribute of what the call makes is assigned later: `config.task_type = …`. */
export function callArguments(
  call: Call,
  symbol: LibrarySymbol | undefined,
  values: Pick<Values, "assigns">,
): CallArguments {
  const starred = call.arguments.some(({ star }) => star !== undefined);
  const names = symbol?.kind === "function" ? symbol.fields.map(({ name }) => name) : [];
  const setting = (name: string): Setting => {
    const argument = call.arguments.find(
      ({ keyword, star }, index) =>
        star === undefined && (keyword === undefined ? names[index] === name : keyword.name === name),
    );
    if (call.assignedTo !== undefined && values.assigns(`${call.assignedTo}.${name}`)) return unknown;
    if (argument !== undefined) return { kind: "given", argument, value: argument.value.value };
    if (starred || !call.closed) return unknown;
    // by position into a signature that is not known
    const placed = call.arguments.filter(({ keyword }) => keyword === undefined).length;
    if (placed > 0 && names.length === 0) return unknown;
    const preset = symbol?.fields.find((field) => field.name === name)?.default;
    const value = preset === undefined ? undefined : literalValue(preset);
    return { kind: "default", ...(value !== undefined && { value }) };
  };
  return { call, symbol, setting };
}

/** Whether a condition surely holds. */
export function holds({ setting }: Pick<CallArguments, "setting">, condition: ArgumentCondition): boolean {
  const names = condition.oneOf ?? (condition.argument === undefined ? [] : [condition.argument]);
  return names.some((name) => holdsOf(setting(name), condition));
}

function holdsOf(found: Setting, condition: ArgumentCondition): boolean {
  if (found.kind === "unknown") return false;
  const { value } = found;
  if (condition.given === true && !surelyGiven(found)) return false;
  if (condition.given === false && found.kind === "given" && value?.kind !== "none") return false;
  if (condition.kind !== undefined && value?.kind !== condition.kind) return false;
  if (condition.is !== undefined && !(value !== undefined && condition.is.some((text) => same(text, value))))
    return false;
  if (condition.isNot !== undefined) {
    if (value === undefined || !isPlain(value)) return false;
    if (condition.isNot.some((text) => same(text, value))) return false;
  }
  return true;
}

/** A number or truth value for an expression; undefined for anything else. */
export function numberOf({ setting }: Pick<CallArguments, "setting">, name: string): number | undefined {
  const found = setting(name);
  const value = found.kind === "unknown" ? undefined : found.value;
  if (value?.kind === "number") return value.value;
  return value?.kind === "boolean" ? Number(value.value) : undefined;
}

/** A name may hold None; a literal or the result of a constructor does not. */
function surelyGiven(found: Setting): boolean {
  if (found.kind !== "given" || found.value.kind === "none") return false;
  if (found.value.kind !== "unknown" && found.value.kind !== "reference") return true;
  return /^[\w.]*[A-Z]\w*\(/.test(found.argument.value.text);
}

const isPlain = ({ kind }: Value): boolean => kind !== "unknown" && kind !== "reference";

/** Whether a value is the one that the corpus writes so. */
export const same = (text: string, value: Value): boolean => {
  const wanted = literalValue(text);
  if (wanted === undefined) return false;
  if (wanted.kind === "string" && wanted.value.endsWith("*"))
    return value.kind === "string" && value.value.startsWith(wanted.value.slice(0, -1));
  if (wanted.kind === "list" || value.kind === "list")
    return (
      wanted.kind === "list" &&
      value.kind === "list" &&
      wanted.items.length === value.items.length &&
      wanted.items.every((item, index) => {
        const other = value.items[index];
        return item.kind === "string" && other?.kind === "string" && item.value === other.value;
      })
    );
  // `TaskType.CAUSAL_LM` is "CAUSAL_LM"
  if (wanted.kind === "string" && value.kind === "reference")
    return value.qualified.endsWith(`.${wanted.value}`);
  if (wanted.kind === "none" || value.kind === "none") return wanted.kind === value.kind;
  return "value" in wanted && "value" in value && wanted.kind === value.kind && wanted.value === value.value;
};

/** A literal as the corpus writes it: 8, True, None, "pissa", 'none', ["q_proj", "v_proj"]. */
export function literalValue(text: string): Value | undefined {
  const quoted = /^(["'])(.*)\1$/.exec(text);
  if (quoted?.[2] !== undefined) return { kind: "string", value: quoted[2] };
  const listed = /^\[(.*)\]$/.exec(text)?.[1];
  if (listed !== undefined)
    return { kind: "list", items: listed.split(/,\s*/).flatMap((item) => literalValue(item) ?? []) };
  if (text === "None") return { kind: "none" };
  if (text === "True" || text === "False") return { kind: "boolean", value: text === "True" };
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? { kind: "number", value } : undefined;
}
