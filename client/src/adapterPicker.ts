/** The steps of an insertion: the method and its place, the layers, and what goes with it. */
import {
  commands,
  ThemeIcon,
  window,
  type QuickInputButton,
  type QuickPick,
  type QuickPickItem,
} from "vscode";
import type { AdapterChoice, AdapterChoicesParams, InsertionExtra } from "../../server/src/protocol";
import { count, factsOf, inOrder, orders, type Order } from "./adapterFacts";
import type { Session } from "./session";

interface ChoiceItem extends QuickPickItem {
  readonly choice: AdapterChoice;
}

const orderNames: Readonly<Record<Order, string>> = {
  suggested: "as suggested here",
  trainable: "by trainable parameters",
  share: "by share of the parameters",
  name: "by method",
  fidelity: "by fidelity to the paper",
  mergeable: "mergeable first",
  identity: "those that start as the base model first",
};

/** The order that was chosen last holds for the session. */
let lastOrder: Order = "suggested";

const sortButton = (order: Order): QuickInputButton => ({
  iconPath: new ThemeIcon("sort-precedence"),
  tooltip: `Sorted ${orderNames[order]}; sort ${orderNames[after(order)]}`,
});
const after = (order: Order): Order => orders[(orders.indexOf(order) + 1) % orders.length] ?? "suggested";
const compareButton: QuickInputButton = {
  iconPath: new ThemeIcon("graph"),
  tooltip: "Compare as a table and a picture",
};

/** One of the choices; `undefined` when the list was left. */
export async function chooseAdapter(
  session: Session,
  choices: readonly AdapterChoice[],
  place: AdapterChoicesParams,
): Promise<AdapterChoice | undefined> {
  if (choices.length === 1) return choices[0];
  const titles = await paperTitles(session, choices);
  const pick = window.createQuickPick<ChoiceItem>();
  pick.placeholder = "What to adapt, and with which method";
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  // Without this VS Code would sort what was typed for by labels. Not in the typed API.
  Reflect.set(pick, "sortByLabel", false);
  const show = (order: Order): void => {
    lastOrder = order;
    pick.title = `Litlens: Insert Adapter (${orderNames[order]})`;
    pick.buttons = [sortButton(order), compareButton];
    pick.items = inOrder(choices, order).map((choice) => ({
      label: `${choice.disabled ? "$(circle-slash) " : ""}${choice.title.replaceAll("`", "")}`,
      description: factsOf(choice),
      detail: choice.disabled ?? titles.get(choice.paper) ?? choice.paper,
      choice,
    }));
  };
  show(lastOrder);
  pick.onDidTriggerButton((button) => {
    if (button !== compareButton) {
      show(after(lastOrder));
      return;
    }
    pick.hide();
    void commands.executeCommand("litlens.compareAdapters", place);
  });
  const accepted = await shown(pick);
  return accepted?.[0]?.choice;
}

async function paperTitles(
  session: Session,
  choices: readonly AdapterChoice[],
): Promise<Map<string, string>> {
  const papers = [...new Set(choices.map(({ paper }) => paper))];
  const views = await Promise.all(papers.map((id) => session.server.request("paper", { id })));
  return new Map(views.flatMap((view) => (view === null ? [] : [[view.id, view.title] as const])));
}

interface TargetItem extends QuickPickItem {
  readonly name: string;
  readonly trainable?: number;
}

/** Names of layers, none where the choice leaves nothing to choose; `undefined` when the list was left. */
export async function chooseTargets(choice: AdapterChoice): Promise<readonly string[] | undefined> {
  const { targets, scope } = choice;
  if (!targets) return [];
  const items = targets
    .filter(({ disabled }) => disabled === undefined)
    .map(({ name, layers, trainable }): TargetItem => ({
      name,
      label: name,
      description: [
        layers === undefined ? undefined : `${count(layers)} layer${layers === 1 ? "" : "s"}`,
        trainable === undefined ? undefined : `${count(trainable)} trainable`,
      ]
        .filter(Boolean)
        .join(" · "),
      ...(trainable !== undefined && { trainable }),
    }));
  const chosen = new Set(targets.filter((each) => each.chosen).map(({ name }) => name));
  const title = (names: readonly TargetItem[]): string => {
    const known = names.every((each) => each.trainable !== undefined);
    const total = names.reduce((sum, { trainable = 0 }) => sum + trainable, 0);
    const where = scope === "model" ? "all over the model" : "in this class";
    return `Layers to adapt with ${choice.name}, ${where}${known && names.length > 0 ? `: ${count(total)} trainable` : ""}`;
  };
  const picked = await chooseMany(items, ({ name }) => chosen.has(name), title, "At least one layer");
  return picked?.map(({ name }) => name);
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
export async function chooseExtras(choice: AdapterChoice): Promise<readonly InsertionExtra[] | undefined> {
  const items = extraItems.filter(({ extra }) => choice.with.includes(extra));
  if (items.length === 0) return [];
  const picked = await chooseMany(
    items,
    () => false,
    () => `With ${choice.name}, in the same edit`,
  );
  return picked?.map(({ extra }) => extra);
}

/** Several of the items; `least` says what is missing where none may not be. */
async function chooseMany<Item extends QuickPickItem>(
  items: readonly Item[],
  isChosen: (item: Item) => boolean,
  title: (selected: readonly Item[]) => string,
  least?: string,
): Promise<readonly Item[] | undefined> {
  const pick = window.createQuickPick<Item>();
  pick.canSelectMany = true;
  pick.items = items;
  pick.selectedItems = items.filter(isChosen);
  pick.title = `Litlens: ${title(pick.selectedItems)}`;
  pick.placeholder = least ?? "Tick what you want; Enter goes on, with nothing too";
  pick.onDidChangeSelection((selected) => {
    pick.title = `Litlens: ${title(selected)}`;
  });
  const picked = await shown(pick);
  if (picked?.length === 0 && least !== undefined) {
    void window.showInformationMessage(`Litlens: nothing inserted. ${least} is needed.`);
    return undefined;
  }
  return picked;
}

/** Shows the list until it is accepted or left. */
function shown<Item extends QuickPickItem>(pick: QuickPick<Item>): Promise<readonly Item[] | undefined> {
  return new Promise((resolve) => {
    let picked: readonly Item[] | undefined;
    pick.onDidAccept(() => {
      picked = pick.canSelectMany ? pick.selectedItems : pick.activeItems.slice(0, 1);
      pick.hide();
    });
    pick.onDidHide(() => {
      pick.dispose();
      resolve(picked);
    });
    pick.show();
  });
}
