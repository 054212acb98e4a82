import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture, moduleOf, read, residualLines, source } from "./check";

const zoo = fixture("zoo.py");
const facts = read(zoo);

/** Residual branches of a class as `role form layer: branch | width`, `!` where it must not be wrapped. */
function check(text: string, name: string, expected: readonly string[]): void {
  assert.deepEqual(residualLines(text, moduleOf(read(text), name)), expected);
}

test("pre-norm blocks", () => {
  check(fixture("gpt.py"), "Block", [
    "attention pre-norm attn: self.attn(self.ln_1(x)) | config.n_embd",
    "feed-forward pre-norm mlp: self.mlp(self.ln_2(x)) | config.n_embd",
  ]);
});

test("two steps, dropout around, the norm after, and a tuple unpacked", () => {
  check(zoo, "BertSelfOutput", ["attention post-norm dense: hidden_states | hidden_size"]);
  check(zoo, "EncoderLayer", [
    "attention post-norm self_attn: self.dropout(attended) | d_model",
    "feed-forward post-norm linear2: src2 | d_model",
  ]);
});

test("shortcut variables, drop path, layer scale, checkpointing, in place", () => {
  check(zoo, "SwinBlock", [
    "attention pre-norm attn: self.drop_path(x) | dim",
    "feed-forward in-place mlp: self.drop_path(self.gamma * checkpoint(self.mlp, self.norm2(x), use_reentrant=False)) | dim",
  ]);
});

test("branches that must not be wrapped say why", () => {
  check(zoo, "BasicBlock", ["other in-place conv2: out | planes !"]);
  check(zoo, "Transformer", [
    "attention plain layers.*.0: attn(x) | dim !",
    "other plain layers.*.1: ff(x) | dim !",
  ]);
});

test("sums that are no residual: embeddings, time conditioning, two branches without a skip", () => {
  const sums = (line: string) =>
    moduleOf(
      read(
        `from torch import nn\nclass A(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(2, 2)\n        self.b = nn.Linear(2, 2)\n        self.wte = nn.Embedding(2, 2)\n        self.wpe = nn.Embedding(2, 2)\n    def forward(self, x, t):\n        ${line}\n        return x\n`,
      ),
      "A",
    ).residuals.length;
  assert.equal(sums("x = self.wte(x) + self.wpe(t)"), 0);
  assert.equal(sums("x = x + self.a(t)"), 0);
  assert.equal(sums("x = self.a(x) + self.b(x)"), 0);
  assert.equal(sums("x = x + 1"), 0);
  assert.equal(sums("x = x + self.a(x)"), 1);
  assert.equal(sums("x = self.a(input=x) + x"), 1);
  assert.equal(sums("x = x + self.a(x) + self.b(x)"), 2);
});

test("a sum of what two models return is a tuple, and no residual", () => {
  const sums = (first: string, last: string) =>
    moduleOf(
      read(
        `from torch import nn
class Seq2Seq(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder = Stack(config)
        self.decoder = Stack(config)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, ids, encoded, return_dict=None):
        decoded = self.decoder(input_ids=ids, states=${first})
        if not return_dict:
            return decoded + encoded
        return ${last}
`,
      ),
      "Seq2Seq",
    ).residuals.length;
  assert.equal(sums("encoded[0]", "Output(decoded.last_hidden_state, decoded.attentions)"), 0);
  assert.equal(sums("encoded", "Output(states=encoded.hidden_states)"), 0);
  assert.equal(sums("encoded", "decoded"), 1);
});

test("skip concatenations: which operand, and its channels", () => {
  const skips = (name: string) =>
    moduleOf(facts, name).skips.map(({ skip, channels, loop }) => [
      source(zoo, skip),
      channels?.text,
      loop?.iterable,
    ]);
  assert.deepEqual(skips("Up"), [["x2", "in_channels - (in_channels // 2)", undefined]]);
  assert.deepEqual(skips("Decoder"), [["skips.pop()", undefined, "self.blocks"]]);
  assert.deepEqual(
    read(fixture("gpt.py")).modules.flatMap((module) => module.skips),
    [],
  );
});

test("block stacks: a loop over blocks, an encoder", () => {
  const stacks = (text: string, name: string) =>
    moduleOf(read(text), name).stacks.map(({ variable, layer, width }) => [variable, layer, width?.text]);
  assert.deepEqual(stacks(fixture("gpt.py"), "GPT"), [["x", "transformer.h", "config.n_embd"]]);
  assert.deepEqual(stacks(zoo, "Classifier"), [["x", "encoder", "dim"]]);
});

test("generation loops: the logits, the model, its input, what is selected", () => {
  const steps = (text: string) =>
    read(text).generation.map(({ className, logits, model, input, select }) => [
      className,
      logits,
      model,
      input,
      select,
    ]);
  assert.deepEqual(steps(fixture("gpt.py")), [["GPT", "logits", "self", "idx_cond", 0]]);
  assert.deepEqual(steps(zoo), [[undefined, "logits", "model", "ids, use_cache=False", ".logits"]]);
  const lastPosition = zoo.replace(
    "model(ids, use_cache=False).logits",
    "model(ids, use_cache=False).logits[:, -1, :]",
  );
  assert.equal(steps(lastPosition)[0]?.at(-1), ".logits[:, -1, :]");
});

test("training loops: the loss, the optimizer, the model", () => {
  const [step, ...others] = facts.training;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [source(zoo, step?.backward), source(zoo, step?.step), step?.loss, step?.optimizer, step?.model],
    ["loss.backward()", "optimizer.step()", "loss", "optimizer", "model"],
  );
});
