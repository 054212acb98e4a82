import assert from "node:assert/strict";
import { test } from "node:test";
import { costOf, inOrder, sectionsOf, traitsOf, type Order } from "../../../client/src/adapterFacts";
import type { AdapterChoice } from "../../../server/src/protocol";

const choice = (name: string, more: Partial<AdapterChoice> = {}): AdapterChoice => ({
  ...{
    method: name.toLowerCase(),
    name,
    site: name,
    title: `Adapt \`x\` with ${name}`,
    place: "x",
    paper: "p",
    paperTitle: "P",
  },
  ...{ mergeable: true, identityAtInit: "exact", fidelity: "reference", with: [], ...more },
});

const choices = [
  choice("LoRA", { trainable: 24576, share: 0.002 }),
  choice("Houlsby", { fidelity: "paper", mergeable: false }),
  choice("Bone", { trainable: 512, share: 0.01, fidelity: "reconstruction", identityAtInit: "no" }),
  choice("Off", { trainable: 1, disabled: "no" }),
  choice("DoRA", { trainable: 26880, fidelity: "paper" }),
];

const check = (order: Order, descending: boolean, expected: string): void =>
  assert.equal(
    inOrder(choices, order, descending)
      .map(({ name }) => name)
      .join(" "),
    expected,
  );

test("what cannot be applied stands last, what is not known before it, whichever way one sorts", () => {
  check("suggested", false, "LoRA Houlsby Bone DoRA Off");
  check("trainable", false, "Bone LoRA DoRA Houlsby Off");
  check("trainable", true, "DoRA LoRA Bone Houlsby Off");
  check("name", false, "Bone DoRA Houlsby LoRA Off");
  check("fidelity", false, "LoRA Houlsby DoRA Bone Off");
  check("mergeable", false, "LoRA Bone DoRA Houlsby Off");
  check("share", false, "LoRA Bone Houlsby DoRA Off");
  check("identity", false, "LoRA Houlsby DoRA Bone Off");
});

test("the share says of what", () => {
  const facts = { trainable: 294912, share: 0.00237 };
  assert.equal(
    costOf(choice("LoRA", { ...facts, scope: "model" })),
    "294,912 trainable · 0.24 % of the model",
  );
  assert.equal(
    costOf(choice("LoRA", { ...facts, scope: "layer" })),
    "294,912 trainable · 0.24 % of the class",
  );
  assert.equal(costOf(choice("LoRA")), "");
});

test("traits name what holds", () => {
  assert.equal(traitsOf(choice("LoRA")), "mergeable · starts as the base model · reference");
  assert.equal(
    traitsOf(choice("Houlsby", { mergeable: false, identityAtInit: "no", fidelity: "paper" })),
    "paper",
  );
});

/** "x: LoRA DoRA +3" a place; "(reason)" where one reason refuses all. */
const drawn = (...parameters: Parameters<typeof sectionsOf>): string[] =>
  sectionsOf(...parameters).map(({ place, choices: shown, more, refused }) => {
    const rows = [...shown.map(({ name }) => name), ...(more > 0 ? [`+${more}`] : [])];
    return `${place}: ${refused === undefined ? rows.join(" ") : `(${refused.disabled ?? ""})`}`;
  });

test("an overview shows of each place the first few, all of one that was opened, and a common refusal once", () => {
  const all = [
    ...["A", "B", "C", "D", "E", "F"].map((name) => choice(name)),
    ...["A", "B", "C", "D"].map((name) => choice(name, { place: "y" })),
    ...["A", "B"].map((name) => choice(name, { place: "z", disabled: "tied" })),
    choice("A", { place: "w", disabled: "one" }),
    choice("B", { place: "w" }),
  ];
  const overview = (...whole: string[]) => drawn(all, "suggested", { whole: new Set(whole) });
  const others = ["y: A B C D", "z: (tied)", "w: B A"];
  assert.deepEqual(overview(), ["x: A B C +3", ...others]);
  assert.deepEqual(overview("x"), ["x: A B C D E F", ...others]);
  assert.deepEqual(drawn(all, "name"), ["x: A B C D E F", "y: A B C D", "z: A B", "w: B A"]);
});

test("a single place is shown whole", () => {
  const all = ["A", "B", "C", "D", "E", "F"].map((name) => choice(name));
  assert.deepEqual(drawn(all, "suggested", { whole: new Set() }), ["x: A B C D E F"]);
});
