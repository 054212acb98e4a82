/** What is said of a choice, and the orders in which choices can be listed. */
import type { AdapterChoice } from "../../server/src/protocol";
import { percent } from "./names";

const joined = (parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(" · ");

/** "24,576 trainable · 1.4 % of the class" */
export function costOf({ trainable, share, scope }: AdapterChoice): string {
  return joined([
    trainable === undefined ? undefined : `${count(trainable)} trainable`,
    share === undefined ? undefined : `${percent(share)} of the ${scope === "model" ? "model" : "class"}`,
  ]);
}

/** "mergeable · starts as the base model · reference" */
export function traitsOf({ mergeable, identityAtInit, fidelity }: AdapterChoice): string {
  return joined([
    mergeable ? "mergeable" : undefined,
    identityAtInit === "exact" ? "starts as the base model" : undefined,
    fidelity,
  ]);
}

/** Code in a title without the marks that a list does not show as such. */
export const plainTitle = ({ title }: AdapterChoice): string => title.replaceAll("`", "");

export const count = (number: number): string => number.toLocaleString("en");

/** "1 method", "32 methods" */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`;

/** Orders, by what the user reads of them. The first is that of the server: what stands at the cursor, then what is known best. */
export const orders = [
  "suggested",
  "trainable",
  "share",
  "name",
  "mergeable",
  "identity",
  "fidelity",
] as const;
export type Order = (typeof orders)[number];

const starts = ["exact", "approximate", "no", "not-applicable"];
const fidelities = ["reference", "paper", "reconstruction"];

/** What cannot be applied stands last in every order; what is not known stands behind what is. */
export function inOrder(
  choices: readonly AdapterChoice[],
  order: Order,
  descending = false,
): readonly AdapterChoice[] {
  const compare = (a: AdapterChoice, b: AdapterChoice): number => {
    switch (order) {
      case "suggested":
        return 0;
      case "trainable":
        return (a.trainable ?? 0) - (b.trainable ?? 0);
      case "share":
        return (a.share ?? 0) - (b.share ?? 0);
      case "identity":
        return starts.indexOf(a.identityAtInit) - starts.indexOf(b.identityAtInit);
      case "name":
        return a.name.localeCompare(b.name, "en");
      case "fidelity":
        return fidelities.indexOf(a.fidelity) - fidelities.indexOf(b.fidelity);
      case "mergeable":
        return Number(b.mergeable) - Number(a.mergeable);
    }
  };
  const isLast = (choice: AdapterChoice): number => {
    if (choice.disabled !== undefined) return 2;
    return (order === "trainable" || order === "share") && choice[order] === undefined ? 1 : 0;
  };
  return choices.toSorted((a, b) => isLast(a) - isLast(b) || (descending ? -1 : 1) * compare(a, b));
}

/** Place → its choices, in the order in which the places come. */
export function placesOf(choices: readonly AdapterChoice[]): Map<string, AdapterChoice[]> {
  const places = new Map<string, AdapterChoice[]>();
  for (const choice of choices) {
    const its = places.get(choice.place);
    if (its === undefined) places.set(choice.place, [choice]);
    else its.push(choice);
  }
  return places;
}

/** What one place can be given. */
export interface Section {
  readonly place: string;
  readonly choices: readonly AdapterChoice[];
  /** Choices that an overview leaves out. */
  readonly more: number;
  /** One of them to tell the reason, where the same one refuses them all; an overview has no other. */
  readonly refused?: AdapterChoice;
}

/** Methods of a place in the overview. */
const fewest = 3;

/** Choices by place. An overview shows of each the first few, but for the `whole`. */
export function sectionsOf(
  choices: readonly AdapterChoice[],
  order: Order,
  overview?: { readonly whole: ReadonlySet<string> },
): Section[] {
  const places = placesOf(choices);
  return [...places].map(([place, its]): Section => {
    const [first] = its;
    const areAlike =
      first?.disabled !== undefined && its.every(({ disabled }) => disabled === first.disabled);
    if (overview !== undefined && areAlike) return { place, choices: [], more: 0, refused: first };
    const ordered = inOrder(its, order);
    // A row that says "1 more" is no shorter than that one
    const isShort =
      overview !== undefined && places.size > 1 && !overview.whole.has(place) && ordered.length > fewest + 1;
    const shown = isShort ? ordered.slice(0, fewest) : ordered;
    return { place, choices: shown, more: ordered.length - shown.length };
  });
}
