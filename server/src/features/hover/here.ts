/** What this very call means: the figures that follow from its arguments. */
import type { LibrarySymbol, SymbolField } from "../../literature/model";
import type { Call, Expression } from "../../python/facts";
import { code } from "../../render/markdown";
import { factor } from "../../render/numbers";
import type { FeatureContext } from "../context";
import { sourceText } from "./literature";

/** The fields by which libraries name rank and alpha of a scaled low-rank update. */
const alphaNames = ["lora_alpha", "alpha"];
const rankName = "r";
const stabilisedName = "use_rslora";

/** Whether an argument has a part in the scale of the update. */
export const affectsScale = (name: string): boolean =>
  name === rankName || name === stabilisedName || alphaNames.includes(name);

/** "Here: `r=64, lora_alpha=8` → scale 0.125. …"; undefined where an argument is not certain. */
export function scaleLine(context: FeatureContext, symbol: LibrarySymbol, call: Call): string | undefined {
  const fields = new Map(symbol.fields.map((field) => [field.name, field]));
  const alphaName = alphaNames.find((name) => fields.has(name));
  // with a budget (init_r, target_r) r is not the rank that the scale divides by
  if (alphaName === undefined || !fields.has(rankName) || fields.has("init_r")) return undefined;
  if (call.arguments.some(({ star }) => star !== undefined)) return undefined;

  const rank = settingOf(rankName, fields, call);
  const alpha = settingOf(alphaName, fields, call);
  if (rank === undefined || alpha === undefined || rank.value <= 0) return undefined;
  if (!rank.given && !alpha.given) return undefined;
  const stabilised = stabilisedBy(call);
  if (stabilised === undefined) return undefined;

  const scale = alpha.value / (stabilised ? Math.sqrt(rank.value) : rank.value);
  const written = code([rank, alpha].map(({ text }) => text).join(", "));
  const apart = call.arguments.some(({ keyword }) => /^(?:rank|alpha)_pattern$/.test(keyword?.name ?? ""))
    ? " where no pattern says otherwise"
    : "";
  const result = `Here: ${written} → scale ${factor(scale)}${stabilised ? " (α/√r)" : ""}${apart}.`;
  if (stabilised) return result;

  const preset = presetOf(fields.get(alphaName)) / presetOf(fields.get(rankName));
  const usual = Number.isFinite(preset) && preset !== scale ? ` Default ratio is ${factor(preset)}.` : "";
  const field = fields.get(stabilisedName);
  if (field === undefined) return result + usual;
  const source = field.recommended?.source;
  const cited = source === undefined ? "" : `, ${sourceText(context, source)}`;
  const other = alpha.value / Math.sqrt(rank.value);
  return `${result}${usual} With ${code(`${stabilisedName}=True`)} it would be ${factor(other)} (α/√r${cited}).`;
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
function settingOf(name: string, fields: ReadonlyMap<string, SymbolField>, call: Call): Setting | undefined {
  const given = argumentValue(call, name);
  if (given !== undefined) {
    if (given.value.kind !== "number") return undefined;
    return { value: given.value.value, given: true, text: `${name}=${given.value.value}` };
  }
  const value = presetOf(fields.get(name));
  return Number.isFinite(value) ? { value, given: false, text: `${name}=${value} by default` } : undefined;
}

/** Whether the call divides by √r; undefined where that is not certain. */
function stabilisedBy(call: Call): boolean | undefined {
  const given = argumentValue(call, stabilisedName);
  if (given === undefined) return false;
  return given.value.kind === "boolean" ? given.value.value : undefined;
}
