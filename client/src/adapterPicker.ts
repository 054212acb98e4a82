/** The steps of an insertion: the method and its place, the layers, and what goes with it. */
import { QuickPickItemKind, ThemeIcon, window, type QuickInputButton, type QuickPickItem } from "vscode";
import type { AdapterChoice, InsertionExtra } from "../../server/src/protocol";
import { chooseExtras, chooseTargets } from "./adapterDetails";
import {
  costOf,
  count,
  orders,
  plainTitle,
  sectionsOf,
  traitsOf,
  type Order,
  type Section,
} from "./adapterFacts";
import type { Steps } from "./steps";

interface ChoiceItem extends QuickPickItem {
  readonly choice?: AdapterChoice;
  /** Lists all methods of this place. */
  readonly expands?: string;
}

const orderNames: Readonly<Record<Order, string>> = {
  suggested: "as suggested here",
  trainable: "by trainable parameters",
  share: "by share of the parameters",
  name: "by method",
  mergeable: "mergeable first",
  identity: "those that start as the base model first",
  fidelity: "by fidelity to the paper",
};

/** The order that was chosen last holds for the session. */
let lastOrder: Order = "suggested";

const sortButton: QuickInputButton = { iconPath: new ThemeIcon("sort-precedence"), tooltip: "Sort by…" };
const compareButton: QuickInputButton = {
  iconPath: new ThemeIcon("graph"),
  tooltip: "Compare as a table and a picture",
};

/** What shall be inserted. */
export interface Insertion {
  readonly choice: AdapterChoice;
  readonly targets: readonly string[];
  readonly extras: readonly InsertionExtra[];
}

/**
 * Asks for one step after the other; "compare" where the user would rather see all choices as a page, `undefined` when
 * a list was left. A choice that is refused ends it: the reason is what there is to say.
 */
export async function chooseInsertion(
  steps: Steps,
  choices: readonly AdapterChoice[],
): Promise<Insertion | "compare" | undefined> {
  const [only, another] = choices;
  const isAsked = another !== undefined;
  for (;;) {
    const choice = isAsked ? await chooseAdapter(steps, choices) : only;
    if (choice === undefined || choice === "compare") return choice;
    if (choice.disabled !== undefined) throw new Error(choice.disabled);
    const details = await chooseDetails(steps, choice, isAsked);
    if (details !== "back") return details;
  }
}

async function chooseDetails(
  steps: Steps,
  choice: AdapterChoice,
  hasBefore: boolean,
): Promise<Insertion | "back" | undefined> {
  const asksTargets = choice.targets !== undefined;
  for (;;) {
    const targets = asksTargets ? await chooseTargets(steps, choice, hasBefore) : [];
    if (targets === undefined || targets === "back") return targets;
    const extras = await chooseExtras(steps, choice, hasBefore || asksTargets);
    if (extras === undefined) return undefined;
    if (extras !== "back") return { choice, targets, extras };
    if (!asksTargets) return "back";
  }
}

/** One of the choices, "compare" for all of them as a page, `undefined` when the list was left. */
async function chooseAdapter(
  steps: Steps,
  choices: readonly AdapterChoice[],
): Promise<AdapterChoice | "compare" | undefined> {
  for (;;) {
    const chosen = await chooseOnce(steps, choices);
    if (chosen !== "sort") return chosen;
    const order = await chooseOrder(steps);
    if (order === undefined) return undefined;
    lastOrder = order;
  }
}

async function chooseOnce(
  steps: Steps,
  choices: readonly AdapterChoice[],
): Promise<AdapterChoice | "compare" | "sort" | undefined> {
  const isSuggested = lastOrder === "suggested";
  const pick = window.createQuickPick<ChoiceItem>();
  pick.title = `Litlens: Insert Adapter${isSuggested ? "" : ` (${orderNames[lastOrder]})`}`;
  pick.placeholder = choices.some(({ scope }) => scope !== undefined)
    ? "What to adapt, and with which method; type to find one"
    : "No layer at the cursor; these stand by themselves in the file";
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  // Without this VS Code would sort what was typed for by labels. Not in the typed API.
  Reflect.set(pick, "sortByLabel", false);
  const whole = new Set<string>();
  const list = (): void => {
    // What one types is looked for in everything
    const overview = isSuggested && pick.value === "" ? { whole } : undefined;
    pick.items = sectionsOf(choices, lastOrder, overview).flatMap(itemsOf);
  };
  list();
  pick.onDidChangeValue(list);
  const answer = await steps.show(pick, {
    buttons: new Map([
      [sortButton, "sort" as const],
      [compareButton, "compare" as const],
    ]),
    answers: ([item]) => {
      if (item?.expands !== undefined) {
        whole.add(item.expands);
        list();
        const first = pick.items.find(({ choice }) => choice?.place === item.expands);
        if (first !== undefined) pick.activeItems = [first];
      }
      return item?.choice !== undefined;
    },
  });
  return typeof answer === "object" ? answer[0]?.choice : answer;
}

function itemsOf({ place, choices, more, refused }: Section): ChoiceItem[] {
  return [
    { label: place, kind: QuickPickItemKind.Separator },
    ...(refused === undefined ? choices : [refused]).map((choice) =>
      choiceItem(choice, refused === undefined ? plainTitle(choice) : place),
    ),
    ...(more === 0 ? [] : [{ label: `$(ellipsis) ${count(more)} more for ${place}`, expands: place }]),
  ];
}

function choiceItem(choice: AdapterChoice, label: string): ChoiceItem {
  const { disabled, paperTitle } = choice;
  return {
    label: `${disabled === undefined ? "" : "$(circle-slash) "}${label}`,
    description: disabled === undefined ? costOf(choice) : "cannot be adapted",
    detail: disabled ?? [traitsOf(choice), paperTitle].filter(Boolean).join(" · "),
    choice,
  };
}

interface OrderItem extends QuickPickItem {
  readonly order: Order;
}

async function chooseOrder(steps: Steps): Promise<Order | undefined> {
  const pick = window.createQuickPick<OrderItem>();
  pick.title = "Litlens: Sort Adapters";
  pick.items = orders.map((order) => ({ order, label: orderNames[order] }));
  pick.activeItems = pick.items.filter(({ order }) => order === lastOrder);
  const answer = await steps.show(pick);
  return answer?.[0]?.order;
}
