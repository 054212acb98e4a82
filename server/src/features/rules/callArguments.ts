/** The arguments of a call as far as they are certain: what is given, what takes its default, what nobody can tell. */
import type { ArgumentCondition, LibrarySymbol } from "../../literature/catalogue";
import type { Argument, Call, Expression, Value } from "../../python/facts";
import type { Assignment, Values } from "../../python/values/values";
import type { RuleContext } from "./rule";
import { unpackedInto } from "./unpacked";

export type Setting =
  /** `unpacked`: it comes out of a dict or an assignment, where no edit of an argument can change it. */
  | {
      readonly kind: "given";
      readonly argument: Argument;
      readonly value: Value;
      readonly unpacked?: true;
      /** It is what a constructor gave, so that it is not None. */
      readonly made?: true;
    }
  /** `value` is absent where the corpus does not know the default. */
  | { readonly kind: "default"; readonly value?: Value }
  | { readonly kind: "unknown" };

export interface CallArguments {
  readonly call: Call;
  readonly symbol: LibrarySymbol | undefined;
  /** The argument of this name. */
  readonly setting: (name: string) => Setting;
}

/** What the file tells of names and attributes. */
export type KnownValues = Pick<Values, "assigns" | "onlyMaker" | "unpacked" | "settled">;

/** Nothing, where there is no file of Python. */
export const noValues: KnownValues = {
  assigns: () => false,
  onlyMaker: () => undefined,
  unpacked: () => undefined,
  settled: () => undefined,
};

const unknown: Setting = { kind: "unknown" };

/** The arguments of a call of something that the catalogue knows. */
export const argumentsOf = (
  call: Call,
  { library, values }: Pick<RuleContext, "library" | "values">,
  isUsedLater?: (name: string) => boolean,
): CallArguments =>
  callArguments(
    call,
    call.qualified === undefined ? undefined : library.symbol(call.qualified),
    values,
    certain,
    isUsedLater,
  );

/**
 * `values` tells whether an attribute of what the call makes is assigned later, `config.task_type = …`, and what a name
 * holds that is bound once, and what is unpacked; `read` decides what counts as known of an argument's value; `isUsedLater` says which arguments count as
 * they are assigned before the configuration is used.
 */
export function callArguments(
  call: Call,
  symbol: LibrarySymbol | undefined,
  values: KnownValues,
  read: (argument: Argument) => Argument = (argument) => argument,
  isUsedLater: (name: string) => boolean = () => false,
): CallArguments {
  const unpacked = unpackedInto(call, values);
  const names = symbol?.kind === "function" ? symbol.fields.map(({ name }) => name) : [];
  const argumentOf = (name: string): Setting => {
    const argument = call.arguments.find(
      ({ keyword, star }, index) =>
        star === undefined && (keyword === undefined ? names[index] === name : keyword.name === name),
    );
    if (call.assignedTo !== undefined && values.assigns(`${call.assignedTo}.${name}`)) {
      const later = isUsedLater(name) ? values.settled(call, name) : undefined;
      return later === undefined ? unknown : { ...given(read(assigned(name, later))), unpacked: true };
    }
    if (argument !== undefined) return given(read(argument), isMade(argument.value, values));
    if (unpacked === undefined || !call.closed) return unknown;
    const inside = unpacked.get(name);
    if (inside !== undefined) return { ...given(read(inside), isMade(inside.value, values)), unpacked: true };
    // by position into a signature that is not known
    const placed = call.arguments.filter(({ keyword, star }) => keyword === undefined && star === undefined);
    if (placed.length > 0 && names.length === 0) return unknown;
    const preset = symbol?.fields.find((field) => field.name === name)?.default;
    const value = preset === undefined ? undefined : literalValue(preset);
    return { kind: "default", ...(value !== undefined && { value }) };
  };
  const setting = (path: string): Setting => {
    const whole = argumentOf(path);
    const [name = "", key] = path.split(".", 2);
    return whole.kind === "given" || key === undefined ? whole : entryOf(argumentOf(name), key);
  };
  return { call, symbol, setting };
}

/** An argument as it is once an attribute has been assigned anew. */
export const assigned = (name: string, { range, value }: Assignment): Argument => ({
  range,
  keyword: { name, range },
  value,
});

/** What is assumed of a value counts as unknown: a caller, a command line or a subclass may decide otherwise. */
export const certain = (argument: Argument): Argument =>
  argument.value.assumed === true
    ? { ...argument, value: { ...argument.value, value: { kind: "unknown" } } }
    : argument;

/** An argument as it stands. */
export const given = (argument: Argument, made = false): Setting & { readonly kind: "given" } => ({
  kind: "given",
  argument,
  value: textual(argument.value.value),
  ...(made && { made }),
});

/** `fsdp_config.use_orig_params`: what a dict that is given holds under a key. */
function entryOf(found: Setting, key: string): Setting {
  if (found.kind !== "given" || found.value.kind !== "dict") return unknown;
  const value = found.value.entries.find(([name]) => name.kind === "string" && name.value === key)?.[1];
  return value === undefined ? unknown : { ...found, value, unpacked: true };
}

/** A member of one of PEFT's enumerations is as good as its text: `TaskType.CAUSAL_LM` is "CAUSAL_LM". */
function textual(value: Value): Value {
  const member =
    value.kind === "reference"
      ? /^peft\.(?:\w+\.)*[A-Z]\w*\.([A-Z][A-Z_\d]*)$/.exec(value.qualified)?.[1]
      : undefined;
  return member === undefined ? value : { kind: "string", value: member };
}

/** Whether a condition surely holds. */
export function holds({ setting }: Pick<CallArguments, "setting">, condition: ArgumentCondition): boolean {
  const names = condition.oneOf ?? (condition.argument === undefined ? [] : [condition.argument]);
  return names.filter((name) => holdsOf(setting(name), condition)).length >= (condition.atLeast ?? 1);
}

function holdsOf(found: Setting, condition: ArgumentCondition): boolean {
  if (found.kind === "unknown") return false;
  const { value } = found;
  if (condition.given === true && !surelyGiven(found)) return false;
  if (condition.given === true && condition.is === undefined && isEmpty(value)) return false;
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
  return found.made === true;
}

/** `KasaConfig(beta=1e-4)`, or a name that the file binds once, to such. */
function isMade({ value, text }: Expression, { onlyMaker }: KnownValues): boolean {
  if (value.kind !== "unknown" && value.kind !== "reference") return false;
  return /^[\w.]*\b[A-Z]\w*\(/.test(text) || /^_*[A-Z]/.test(onlyMaker(text)?.method ?? "");
}

/** Libraries take an empty dict for none. */
const isEmpty = (value: Value | undefined): boolean => value?.kind === "dict" && value.entries.length === 0;

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
  if (wanted.kind === "dict") return value.kind === "dict" && value.entries.length === 0;
  if (wanted.kind === "none" || value.kind === "none") return wanted.kind === value.kind;
  return "value" in wanted && "value" in value && wanted.kind === value.kind && wanted.value === value.value;
};

/** A literal as the corpus writes it: 8, True, None, "pissa", 'none', ["q_proj", "v_proj"], {}, PromptTuningInit.RANDOM. */
export function literalValue(text: string): Value | undefined {
  const quoted = /^(["'])(.*)\1$/.exec(text);
  if (quoted?.[2] !== undefined) return { kind: "string", value: quoted[2] };
  const listed = /^\[(.*)\]$/.exec(text)?.[1];
  if (listed !== undefined)
    return { kind: "list", items: listed.split(/,\s*/).flatMap((item) => literalValue(item) ?? []) };
  if (text === "{}") return { kind: "dict", entries: [] };
  if (text === "None") return { kind: "none" };
  if (text === "True" || text === "False") return { kind: "boolean", value: text === "True" };
  const member = /^[A-Z]\w*\.([A-Z][A-Z_\d]*)$/.exec(text)?.[1];
  if (member !== undefined) return { kind: "string", value: member };
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? { kind: "number", value } : undefined;
}
