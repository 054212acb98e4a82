/** What is said of a choice, and the orders in which choices can be listed. */
import type { AdapterChoice } from "../../server/src/protocol";
import { percent } from "./names";

/** "24,576 trainable · 1.4 % of the class · mergeable · starts as the base model · reference" */
export function factsOf(choice: AdapterChoice): string {
  const { trainable, share, scope, mergeable, identityAtInit, fidelity } = choice;
  return [
    trainable === undefined ? undefined : `${count(trainable)} trainable`,
    share === undefined ? undefined : `${percent(share)} of the ${scope === "model" ? "model" : "class"}`,
    mergeable ? "mergeable" : undefined,
    identityAtInit === "exact" ? "starts as the base model" : undefined,
    fidelity,
  ]
    .filter(Boolean)
    .join(" · ");
}

export const count = (number: number): string => number.toLocaleString("en");

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
