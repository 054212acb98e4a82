/** The lightbulb: adapters for the layer or class under the cursor, and fixes for diagnostics. Edits are made on resolve. */
import {
  type CodeAction,
  type CodeActionContext,
  CodeActionKind,
  type Position,
} from "vscode-languageserver-types";
import { builtIn, isUsedAsModule } from "../adapters/built";
import { type Choice, choicesAt, prominence, siteKey, title } from "../adapters/choices";
import { distinctPlaces } from "../adapters/construction";
import { knownTargets } from "../adapters/knownTargets";
import { modelLayersIn } from "../adapters/modelLayers";
import type { Place } from "../adapters/place";
import { isLayerPlace, pathsOf } from "../adapters/fits";
import { placesTouching } from "../adapters/places";
import { widened } from "../adapters/scopes";
import { count } from "../render/numbers";
import { classAt } from "../python/at";
import { around } from "../python/local";
import { configActions, configKind } from "./configs/actions";
import type { FeatureContext, OpenDocument } from "./context";
import { quickFixes } from "./quickFixes";
import { removalActions } from "./removeAdapter";
import { trainOnlyActions } from "./trainOnly";

export const adapterKind = `${CodeActionKind.RefactorRewrite}.adapter`;

/** How many adapters the lightbulb shows before "More adapters…": of one place, and in all. */
const shownPerPlace = 3;
const shown = 5;

/** What a code action carries to its resolve: all of it, so that the server keeps nothing in between. */
export interface AdapterActionData {
  readonly uri: string;
  readonly method: string;
  readonly site: string;
}

export function codeActions(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
  { only, diagnostics }: CodeActionContext,
  /** Where the client asked, in its own terms: a cell of a notebook, not the joined module. */
  asked: { readonly uri: string; readonly position: Position },
): CodeAction[] {
  const wanted = (kind: string): boolean =>
    only === undefined ||
    only.some((each) => kind === each || kind.startsWith(`${each}.`) || each.startsWith(`${kind}.`));
  const exact = only?.some((each) => each.startsWith(adapterKind)) ?? false;
  return [
    ...(wanted(CodeActionKind.QuickFix) ? quickFixes(document, diagnostics) : []),
    ...(wanted(adapterKind) ? adapterActions(context, document, from, to, exact, asked) : []),
    ...(wanted(adapterKind) ? removalActions(context, document, from, to) : []),
    ...(wanted(adapterKind) ? trainOnlyActions(context, document, from, to) : []),
    ...(wanted(configKind) ? configActions(context, document, from, to, only !== undefined) : []),
  ].filter(
    ({ kind }) =>
      kind === undefined ||
      only === undefined ||
      only.some((each) => kind === each || kind.startsWith(`${each}.`)),
  );
}

function adapterActions(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
  all: boolean,
  asked: { readonly uri: string; readonly position: Position },
): CodeAction[] {
  const { facts, text } = document.python;
  // Helpers for free code are many and fit every blank line: they are shown when adapters are asked for.
  const narrow = placesTouching(facts, text, from, to).filter(({ kind }) => all || kind !== "free");
  const known = knownTargets(context.library);
  const touched = distinctPlaces([
    ...narrow,
    ...narrow.flatMap((place) => widened(facts, text, place, known)),
    ...modelLayersIn({ file: document.python, siblings: [], known }, { from, to }),
  ]);
  const methods = context.library.methods();
  const perPlace = touched
    .map((place) => choicesAt(methods, place))
    .filter((choices) => choices.length > 0)
    .toSorted(specificFirst);
  const choices = all
    ? perPlace.flat()
    : perPlace.flatMap((each) => each.slice(0, shownPerPlace)).slice(0, shown);
  const actions = choices.map((each) => toAction(document, each));
  const [narrowest] = perPlace[0] ?? [];
  const isOne =
    narrowest !== undefined && breadth(narrowest.place) === 0 && !/\s/.test(narrowest.place.label);
  const layer = isOne ? narrowest.place.label : undefined;
  const target = layer ?? classAt(facts, from)?.name ?? modelBuiltAt(document, from, to);
  if (all || target === undefined || !context.commandLinks) return actions;
  return [
    ...actions,
    {
      title: `More adapters for \`${target.replaceAll("`", "")}\`…`,
      kind: adapterKind,
      command: {
        title: "More adapters",
        command: "litlens.insertAdapter",
        arguments: [asked.uri, asked.position],
      },
    },
  ];
}

/** The name of a model of a class that another file defines: what fits it is known once that file is read. */
function modelBuiltAt({ python }: OpenDocument, from: number, to: number): string | undefined {
  const calls = around(python.facts, "calls", from, to).filter(
    ({ statement }) => statement.from <= to && from <= statement.to,
  );
  return builtIn(python, calls).find(({ name }) => isUsedAsModule(python.text, name))?.name;
}

/** What holds fewer layers stands first: a layer before its class before the whole model; of two alike, the better known method. */
const specificFirst = ([a]: readonly Choice[], [b]: readonly Choice[]): number =>
  a === undefined || b === undefined
    ? 0
    : breadth(a.place) - breadth(b.place) || prominence(b.method) - prominence(a.method);

function breadth(place: Place): number {
  if (place.kind === "model" || place.kind === "model-layers") return 3;
  return place.key.endsWith("*") ? 2 : isLayerPlace(place) && pathsOf(place).length > 1 ? 1 : 0;
}

function toAction(document: OpenDocument, choice: Choice): CodeAction {
  const cost =
    choice.trainable === undefined || choice.trainable === 0 ? "" : ` (${count(choice.trainable)} trainable)`;
  const data: AdapterActionData = { uri: document.uri, method: choice.method.id, site: siteKey(choice) };
  return {
    title: `${title(choice)}${cost}`,
    kind: `${adapterKind}.${choice.method.id}`,
    data,
    ...(choice.disabled === undefined ? {} : { disabled: { reason: choice.disabled } }),
  };
}

export function isAdapterActionData(data: unknown): data is AdapterActionData {
  return typeof data === "object" && data !== null && "method" in data && "site" in data && "uri" in data;
}
