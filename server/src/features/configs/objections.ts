/** What speaks against a configuration as it would be. */
import type { ConversionForm, LibrarySymbol, Rule } from "../../literature/catalogue";
import type { OpenDocument } from "../context";
import { filled } from "../diagnostics";
import type { CallArguments } from "../rules/callArguments";
import { callsOf, isBroken, wordsOf } from "../rules/declared";
import type { CallAt } from "./offer";

type Configured = Pick<CallArguments, "setting" | "symbol">;

/** What a rule would say of the call after the change and does not say of it now; that the model is made elsewhere is no excuse. */
export function objection(at: CallAt, before: Configured, after: Configured): string | undefined {
  const { library, document, call } = at;
  const qualified = after.symbol?.qualified[0];
  if (qualified === undefined) return undefined;
  const concerns = ({ calls = [] }: Rule): boolean =>
    callsOf([{ ...call, qualified }], library, calls).length > 0;
  const found = library.rules().find((rule) => {
    const { unless = [], default: on, severity } = rule;
    if (!on || severity === "hint" || rule.check !== undefined || !concerns(rule)) return false;
    if (!isBroken(rule, after) || (before.symbol === after.symbol && isBroken(rule, before))) return false;
    return !unless.some((name) => mentions(document, name));
  });
  if (found === undefined) return undefined;
  return filled(`${found.message} ${found.why}`, wordsOf(after, found, after.symbol?.name ?? ""));
}

/** Most names stand nowhere in a file, which is seen faster without a pattern. */
const mentions = (document: OpenDocument, name: string): boolean =>
  document.python.text.includes(name) &&
  offsetsOf(document, `\\b${name.replaceAll(".", "\\.")}\\b`).length > 0;

const offsets = new WeakMap<OpenDocument, Map<string, readonly number[]>>();

/** Where a pattern stands in a file; looked for once a version, because every offer asks the same. */
function offsetsOf(document: OpenDocument, pattern: string): readonly number[] {
  const known = offsets.get(document) ?? new Map<string, readonly number[]>();
  offsets.set(document, known);
  const found =
    known.get(pattern) ??
    Array.from(document.python.text.matchAll(new RegExp(pattern, "g")), ({ index }) => index);
  known.set(pattern, found);
  return found;
}

/** What stands elsewhere in the file and does not go with a form. */
export function hindrance(
  { document }: CallAt,
  { name, without = [], why = "" }: ConversionForm,
): string | undefined {
  const met = without.find((each) => mentions(document, each));
  return met === undefined ? undefined : `${name} does not go with \`${met}\`, which this file has. ${why}`;
}

const quantising = String.raw`\b(?:load_in_[48]bit|BitsAndBytesConfig|prepare_model_for_kbit_training)\b`;

/** What of the file is bound to the class of the configuration. */
export function bond(
  at: CallAt,
  from: LibrarySymbol,
  to: LibrarySymbol,
  gone: readonly string[],
): string | undefined {
  const { document, call } = at;
  if (offsetsOf(document, quantising).length > 0 && to.quantised?.includes("bitsandbytes") !== true)
    return `The model is quantised in this file, and ${to.name} is not known to work on quantised weights.`;
  const { assignedTo } = call;
  const read = gone.find((name) => assignedTo !== undefined && mentions(document, `${assignedTo}.${name}`));
  if (read !== undefined)
    return `\`${assignedTo ?? ""}.${read}\` is used elsewhere in this file, and ${to.name} has no such argument.`;
  const prefix = from.checkpointPrefix;
  if (prefix === undefined || to.checkpointPrefix === prefix) return undefined;
  const named = offsetsOf(document, `["'][^"'\\n]*${prefix}`);
  return named.some((offset) => offset < call.range.from || call.range.to <= offset)
    ? `This file picks parameters by the name "${prefix}", which those of ${to.name} do not have.`
    : undefined;
}
