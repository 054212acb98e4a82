/** Layers whose weight other code computes with or shares: what is changed there, and what comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, serviceWith, source, uri } from "./check";

const header =
  "import math\n\nimport torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\n";
const lora = `${source("lora/lora.py", "LoRALinear")}\n\n\n`;

const joint = (q: string, read: string): string => `class Joint(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q = ${q}
        self.k = nn.Linear(d, d)

    def forward(self, x):
        weight = torch.cat([self.q.${read}, self.k.weight])
        return F.linear(x, weight, torch.cat([self.q.bias, self.k.bias])) @ self.q.${read}.t()
`;

test("code that computes with a layer's weight gets the one that the adapter makes of it", async () => {
  await checkInsertion(
    header + joint("nn.Lin|ear(d, d)", "weight"),
    "Adapt `q` with LoRA",
    header + lora + joint("LoRALinear(d, d, rank=8, alpha=16)", "merged_weight()"),
  );
});

test("and the weight again when the adapter leaves", async () => {
  const text = header + lora + joint("LoRALinear(d, d, rank=8, alpha=16)", "merged_weight()");
  const service = serviceWith(text);
  const line = text.slice(0, text.indexOf("self.q = ")).split("\n").length - 1;
  const position = { line, character: 12 };
  const actions = service.codeActions(
    uri,
    { start: position, end: position },
    { diagnostics: [], only: ["refactor.rewrite.adapter"] },
  );
  const removal = actions.find(({ title }) => title.startsWith("Remove"));
  assert.ok(removal);
  const after = applied((await service.resolveCodeAction(removal)).edit, { [uri]: text })[uri];
  const before = header.replace("import math\n\n", "");
  assert.equal(after, before + joint("nn.Linear(d, d)", "weight"));
});

test("a method that has no weight to offer is refused there with the reason", () => {
  const { actions } = actionsAt(header + joint("nn.Lin|ear(d, d)", "weight"));
  const reason = (title: string): string | undefined =>
    actions.find((each) => each.title.startsWith(title))?.disabled?.reason;
  assert.match(reason("Adapt `q` with (IA)") ?? "", /weight of `q` is used directly/);
  assert.equal(reason("Adapt `q` with DoRA"), undefined);
});

const tiedModel = (tie: string, head: string): string => `class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(64, 16)
        self.lm_head = ${head}
        ${tie}

    def forward(self, x):
        return self.lm_head(self.wte(x))
`;

for (const [tie, title] of [
  ["self.wte.weight = self.lm_head.weight", "Adapt `lm_head` with LoRA, freezing `wte` too (640 trainable)"],
  [
    "self.lm_head.weight = self.wte.weight",
    "Adapt `lm_head` with LoRA; `wte` trains their weight (640 trainable)",
  ],
] as const) {
  test(`a tied head is adapted, and the title says what becomes of the embedding: ${tie}`, async () => {
    await checkInsertion(
      header + tiedModel(tie, "nn.Lin|ear(16, 64, bias=False)"),
      title,
      header + lora + tiedModel(tie, "LoRALinear(16, 64, bias=False, rank=8, alpha=16)"),
    );
  });
}
