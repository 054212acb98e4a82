/** The steps of an insertion after the method is chosen: which layers, and what goes with it. */
import { QuickInputButtons, window, type QuickPickItem } from "vscode";
import type { AdapterChoice, InsertionExtra } from "../../server/src/protocol";
import { count, counted } from "./adapterFacts";
import type { Steps } from "./steps";

interface TargetItem extends QuickPickItem {
  readonly name: string;
  readonly trainable?: number;
}

/** Names of layers; `undefined` when the list was left. */
export async function chooseTargets(
  steps: Steps,
  { name: method, scope, targets = [] }: AdapterChoice,
  hasBefore: boolean,
): Promise<readonly string[] | "back" | undefined> {
  const items = targets
    .filter(({ disabled }) => disabled === undefined)
    .map(({ name, layers, trainable, chosen }): TargetItem => ({
      name,
      label: name,
      description: [
        layers === undefined ? undefined : counted(layers, "layer"),
        trainable === undefined ? undefined : `${count(trainable)} trainable`,
      ]
        .filter(Boolean)
        .join(" · "),
      picked: chosen,
      ...(trainable !== undefined && { trainable }),
    }));
  const where = scope === "model" ? "across the model" : "in this class";
  const picked = await chooseMany(steps, items, {
    title: (names) => {
      const known = names.flatMap(({ trainable }) => trainable ?? []);
      const sum = count(known.reduce((total, each) => total + each, 0));
      const isKnown = names.length > 0 && known.length === names.length;
      return `Layers to Adapt with ${method} ${where}${isKnown ? `: ${sum} trainable` : ""}`;
    },
    hint: "Tick at least one; Enter goes on",
    atLeastOne: true,
    hasBefore,
  });
  return typeof picked === "object" ? picked.map(({ name }) => name) : picked;
}

interface ExtraItem extends QuickPickItem {
  readonly extra: InsertionExtra;
}

const extraItems: readonly ExtraItem[] = [
  { extra: "freeze", label: "Freeze everything else", description: "train_only(model, …)" },
  {
    extra: "optimizer",
    label: "Optimise the adapter alone",
    description: "[p for p in model.parameters() if p.requires_grad]",
  },
  {
    extra: "save",
    label: "Save the adapter alone",
    description: "torch.save(adapter_state_dict(model, …), path), after training",
  },
  {
    extra: "load",
    label: "Load a saved adapter",
    description: "resume_adapter(model, path, …), where there is one",
  },
];

/** What goes with the insertion, mostly nothing; `undefined` when the list was left. */
export async function chooseExtras(
  steps: Steps,
  choice: AdapterChoice,
  hasBefore: boolean,
): Promise<readonly InsertionExtra[] | "back" | undefined> {
  const items = extraItems.filter(({ extra }) => choice.with.includes(extra));
  if (items.length === 0) return [];
  const picked = await chooseMany(steps, items, {
    title: () => `What Goes with ${choice.name} in the Same Edit`,
    hint: "Tick what you want, or nothing; Enter goes on",
    hasBefore,
  });
  return typeof picked === "object" ? picked.map(({ extra }) => extra) : picked;
}

interface Several<Item> {
  readonly title: (selected: readonly Item[]) => string;
  readonly hint: string;
  readonly atLeastOne?: boolean;
  readonly hasBefore: boolean;
}

/** Several of the items, those `picked` already ticked. */
function chooseMany<Item extends QuickPickItem>(
  steps: Steps,
  items: readonly Item[],
  { title, hint, atLeastOne = false, hasBefore }: Several<Item>,
): Promise<readonly Item[] | "back" | undefined> {
  const pick = window.createQuickPick<Item>();
  pick.canSelectMany = true;
  pick.items = items;
  pick.selectedItems = items.filter(({ picked }) => picked);
  pick.title = `Litlens: ${title(pick.selectedItems)}`;
  pick.placeholder = hint;
  pick.onDidChangeSelection((selected) => {
    pick.title = `Litlens: ${title(selected)}`;
  });
  return steps.show(pick, {
    buttons: new Map(hasBefore ? [[QuickInputButtons.Back, "back" as const]] : []),
    answers: (selected) => selected.length > 0 || !atLeastOne,
  });
}
