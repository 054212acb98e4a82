/** One thing that can be done to a call, and the call. */
import type { Edit } from "../../adapters/edits";
import type { LibrarySymbol } from "../../literature/catalogue";
import { lazily } from "../../lazily";
import type { Call, Expression, Value } from "../../python/facts";
import { valuesOf } from "../../python/values/values";
import type { FeatureContext, OpenDocument } from "../context";
import {
  type CallArguments,
  callArguments,
  type KnownValues,
  literalValue,
  type Setting,
  noValues,
} from "../rules/callArguments";

export interface Offer {
  /** What it does, stable while the user edits elsewhere: "convert:rsLoRA". */
  readonly key: string;
  readonly title: string;
  /** Why it cannot soundly be done. */
  readonly disabled?: string | undefined;
  /** The lightbulb shows it, not only the menu of refactorings. */
  readonly prominent?: boolean | undefined;
  readonly edits: () => readonly Edit[];
}

/** The call that the cursor is in. */
export interface CallAt extends FeatureContext {
  readonly document: OpenDocument;
  readonly call: Call;
  /** What is called, where the catalogue knows it. */
  readonly symbol: LibrarySymbol | undefined;
}

/** The arguments of the call; one that is assigned anywhere in the file (`config.r = 4`) is not known. */
export const argumentsHere = (at: CallAt): CallArguments => argumentsBy(at, noValues);

/** With those that come out of a dict of the file, `**options`, which no edit of the call can change. */
export function argumentsWithDicts(at: CallAt): CallArguments {
  const values = valuesOf(at.document.python.facts);
  return argumentsBy(at, { ...noValues, unpacked: (call, argument) => values.unpacked(call, argument) });
}

function argumentsBy({ document, call, symbol }: CallAt, values: KnownValues): CallArguments {
  const assigned = assignedIn(document);
  return callArguments(call, symbol, { ...values, assigns: (path) => assigned().has(path) });
}

const assigned = new WeakMap<OpenDocument, () => ReadonlySet<string>>();

/** The dotted paths that statements of a file assign; looked for once a version, because every offer asks. */
function assignedIn(document: OpenDocument): () => ReadonlySet<string> {
  const { text } = document.python;
  const found =
    assigned.get(document) ??
    lazily(
      () =>
        new Set(Array.from(text.matchAll(/(?<![\w.])(\w+(?:\.\w+)+)\s*=(?!=)/g), ([, path = ""]) => path)),
    );
  assigned.set(document, found);
  return found;
}

/** What is known of an argument that will be written so. */
export function settingOf(name: string, written: string): Setting {
  const value: Value = literalValue(written) ?? { kind: "unknown" };
  const range = { from: 0, to: 0 };
  const expression: Expression = { range, text: written, value };
  return { kind: "given", value, argument: { range, keyword: { name, range }, value: expression } };
}

/** "`r`, `lora_alpha` and 3 more" */
export function listed(items: readonly string[], most = 4): string {
  const shown = items
    .slice(0, items.length > most ? most - 1 : most)
    .map((item) => `\`${item.replaceAll("`", "")}\``);
  const more = items.length - shown.length;
  return `${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}
