/** What this very call means: the figures that follow from its arguments. */
import { evaluate } from "../../literature/expression";
import type { LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Call, Expression } from "../../python/facts";
import { code, lines } from "../../render/markdown";
import { factor } from "../../render/numbers";
import type { FeatureContext } from "../context";
import { type Notation, notationOf } from "../notation";
import { sourceText } from "./literature";

interface ScaleNames {
  readonly ranks: readonly string[];
  readonly alphas: readonly string[];
  readonly stabilised: readonly string[];
}

/** The fields by which libraries name rank and alpha of a scaled low-rank update, in calls and in configuration files. */
const inCalls: ScaleNames = { ranks: ["r"], alphas: ["lora_alpha", "alpha"], stabilised: ["use_rslora"] };
const inFiles: ScaleNames = {
  ranks: ["lora_r", "lora_rank"],
  alphas: ["lora_alpha"],
  stabilised: ["peft_use_rslora", "use_rslora"],
};

const namesFor = ({ kind }: LibrarySymbol): ScaleNames => (kind === "file" ? inFiles : inCalls);

/** Whether an argument has a part in the scale of the update. */
export function affectsScale(symbol: LibrarySymbol, name: string): boolean {
  const { ranks, alphas, stabilised } = namesFor(symbol);
  return [...ranks, ...alphas, ...stabilised].includes(name);
}

/** What a call means here, each on a line of its own: "Here: `r=8, lora_alpha=16` → scale 2." and below "2 layers of `Net`". */
export function hereLines(...known: readonly (string | undefined)[]): string | undefined {
  const said = lines(...known);
  return said === "" ? undefined : `Here: ${said}`;
}

/** "`r=64, lora_alpha=8` → scale 0.125. …"; undefined where an argument is not certain. */
export function scaleLine(context: FeatureContext, symbol: LibrarySymbol, call: Call): string | undefined {
  const fields = new Map(symbol.fields.map((field) => [field.name, field]));
  const { ranks, alphas, stabilised: roots } = namesFor(symbol);
  const alphaName = alphas.find((name) => fields.has(name));
  const rankName = ranks.find((name) => fields.has(name));
  const rootName = roots.find((name) => fields.has(name)) ?? "";
  // with a budget (init_r, target_r) r is not the rank that the scale divides by
  if (alphaName === undefined || rankName === undefined || fields.has("init_r")) return undefined;
  if (call.arguments.some(({ star }) => star !== undefined)) return undefined;

  const notation = notationOf(symbol);
  const rank = settingOf(rankName, fields, call, notation);
  const implied = { [rankName]: rank?.value };
  const alpha = settingOf(alphaName, fields, call, notation, implied);
  if (rank === undefined || alpha === undefined || rank.value <= 0) return undefined;
  if (!rank.given && !alpha.given) return undefined;
  const stabilised = stabilisedBy(call, rootName);
  if (stabilised === undefined) return undefined;

  const scale = alpha.value / (stabilised ? Math.sqrt(rank.value) : rank.value);
  const written = code([rank, alpha].map(({ text }) => text).join(", "));
  const apart = call.arguments.some(({ keyword }) =>
    /^(?:lora_)?(?:rank|alpha)_pattern$/.test(keyword?.name ?? ""),
  )
    ? " where no pattern says otherwise"
    : "";
  const result = `${written} → scale ${factor(scale)}${stabilised ? " (α/√r)" : ""}${apart}.`;
  if (stabilised) return result;

  const preset = presetOf(fields.get(alphaName)) / presetOf(fields.get(rankName));
  const usual = Number.isFinite(preset) && preset !== scale ? ` Default ratio is ${factor(preset)}.` : "";
  const field = fields.get(rootName);
  if (field === undefined) return result + usual;
  const source = field.recommended?.source ?? field.papers?.[0];
  const cited = source === undefined ? "" : `, ${sourceText(context, source)}`;
  const other = alpha.value / Math.sqrt(rank.value);
  return `${result}${usual} With ${code(notation.setting(rootName, "True"))} it would be ${factor(other)} (α/√r${cited}).`;
}

interface Setting {
  readonly value: number;
  readonly given: boolean;
  readonly text: string;
}

const presetOf = (field: SymbolField | undefined): number => Number(field?.default ?? NaN);

export const argumentValue = (call: Call, name: string): Expression | undefined =>
  call.arguments.find(({ keyword }) => keyword?.name === name)?.value;

/** The value given in the call, else the default; undefined where what is given is not a certain number. */
function settingOf(
  name: string,
  fields: ReadonlyMap<string, SymbolField>,
  call: Call,
  { setting }: Notation,
  others: Readonly<Record<string, number | undefined>> = {},
): Setting | undefined {
  const given = argumentValue(call, name);
  if (given !== undefined && given.value.kind !== "none") {
    if (given.value.kind !== "number") return undefined;
    return { value: given.value.value, given: true, text: setting(name, String(given.value.value)) };
  }
  const field = fields.get(name);
  const value = field?.implied === undefined ? presetOf(field) : (evaluate(field.implied, others) ?? NaN);
  return given === undefined && Number.isFinite(value)
    ? { value, given: false, text: `${setting(name, String(value))} by default` }
    : undefined;
}

/** Whether the call divides by √r; undefined where that is not certain. */
function stabilisedBy(call: Call, name: string): boolean | undefined {
  const given = argumentValue(call, name);
  if (given === undefined || given.value.kind === "none") return false;
  return given.value.kind === "boolean" ? given.value.value : undefined;
}
