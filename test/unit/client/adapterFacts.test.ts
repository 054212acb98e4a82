import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, inOrder, type Order } from "../../../client/src/adapterFacts";
import type { AdapterChoice } from "../../../server/src/protocol";

const choice = (name: string, more: Partial<AdapterChoice> = {}): AdapterChoice => ({
  ...{
    method: name.toLowerCase(),
    name,
    site: name,
    title: `Adapt \`x\` with ${name}`,
    place: "x",
    paper: "p",
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
    factsOf(choice("LoRA", { ...facts, scope: "model" })),
    "294,912 trainable · 0.24 % of the model · mergeable · starts as the base model · reference",
  );
  assert.match(factsOf(choice("LoRA", { ...facts, scope: "layer" })), /0\.24 % of the class/);
});
