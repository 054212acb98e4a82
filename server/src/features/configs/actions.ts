/** What can be done to the configuration under the cursor: shown as actions, carried out when chosen. */
import type { ProjectManner } from "../../adapters/projectManner";
import { type CodeAction, CodeActionKind, type WorkspaceEdit } from "vscode-languageserver-types";
import type { Call } from "../../python/facts";
import { around } from "../../python/local";
import type { FeatureContext, OpenDocument } from "../context";
import { CannotInsert, documentEdit } from "../insertAdapter";
import { allLinearOffers } from "./allLinear";
import { citationOffers } from "./cite";
import { conversionOffers } from "./convert";
import type { CallAt, Offer } from "./offer";
import { insertionOffers } from "./inserted";
import { peftOffers } from "./toPeft";
import { recipeOffers } from "./recipes";

export const configKind = `${CodeActionKind.RefactorRewrite}.config`;

/** Carries all that the resolve needs: which call, and what is done to it. */
export interface ConfigActionData {
  readonly uri: string;
  /** Qualified name of what is called, and the number of the call among those of that name: "peft.LoraConfig#0". */
  readonly config: string;
  readonly offer: string;
}

/** How many the lightbulb shows; a menu of refactorings has all. */
const shown = 8;

/** What the lightbulb may show. */
const prominentOffers = (at: CallAt): Offer[] => [
  ...conversionOffers(at, "prominent"),
  ...allLinearOffers(at),
  ...citationOffers(at),
  ...recipeOffers(at),
];

const offersAt = (at: CallAt): Offer[] => [
  ...conversionOffers(at, "all"),
  ...allLinearOffers(at),
  ...insertionOffers(at),
  ...peftOffers(at),
  ...citationOffers(at),
  ...recipeOffers(at),
];

/** The actions for the innermost call that there is something to do with. */
export function configActions(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
  all: boolean,
): CodeAction[] {
  const calls = around(document.python.facts, "calls", from, to)
    .filter(({ range, statement }) => touches(range, from, to) || touches(statement, from, to))
    .toSorted(
      (a, b) => Number(touches(b.range, from, to)) - Number(touches(a.range, from, to)) || size(a) - size(b),
    );
  for (const call of calls) {
    const at = callAt(context, document, call);
    // what only the menu shows is not worked out for the lightbulb, unless it decides which call is meant
    const prominent = all ? [] : prominentOffers(at);
    const offers = prominent.length > 0 ? prominent : offersAt(at);
    if (offers.length === 0) continue;
    const chosen = all
      ? offers
      : offers.filter(({ prominent, disabled }) => prominent && disabled === undefined).slice(0, shown);
    return chosen.map(({ key, title, disabled }) => {
      const data: ConfigActionData = { uri: document.uri, config: nameOf(document, call), offer: key };
      return {
        title,
        kind: `${configKind}.${kindOf(key)}`,
        data,
        ...(disabled === undefined ? {} : { disabled: { reason: disabled } }),
      };
    });
  }
  return [];
}

const touches = (range: { readonly from: number; readonly to: number }, from: number, to: number): boolean =>
  range.from <= to && from <= range.to;

const size = ({ range }: Call): number => range.to - range.from;

/** `convert` of "convert:rsLoRA". */
const kindOf = (key: string): string => key.split(":", 1)[0] ?? key;

const callAt = (context: FeatureContext, document: OpenDocument, call: Call): CallAt => ({
  ...context,
  document,
  call,
  symbol: call.qualified === undefined ? undefined : context.library.symbol(call.qualified),
});

const sameNamed = ({ python }: OpenDocument, qualified: string | undefined): Call[] =>
  python.facts.calls.filter((call) => call.qualified === qualified);

function nameOf(document: OpenDocument, call: Call): string {
  const index = sameNamed(document, call.qualified).findIndex(({ range }) => range.from === call.range.from);
  return `${call.qualified ?? ""}#${index}`;
}

export const isConfigActionData = (data: unknown): data is ConfigActionData =>
  typeof data === "object" && data !== null && "config" in data && "offer" in data && "uri" in data;

/** @throws CannotInsert where the call or what was offered is gone */
export function configEdit(
  context: FeatureContext,
  document: OpenDocument,
  { config, offer: key }: ConfigActionData,
  project: ProjectManner,
): WorkspaceEdit {
  const [qualified, index] = config.split("#");
  const call = sameNamed(document, qualified)[Number(index)];
  const offer = call && offersAt(callAt(context, document, call)).find((each) => each.key === key);
  if (offer === undefined)
    throw new CannotInsert("The configuration is not in this file any more; ask for actions again.");
  if (offer.disabled !== undefined) throw new CannotInsert(offer.disabled);
  return { documentChanges: [documentEdit(document, offer.edits(), context.snippets, project)] };
}
