/** What the service answers once the files that a document imports from are known. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serviceWith, uri } from "../adapters/check";

/** The title of the action that adapts the whole model on the third line with LoRA, once there is one. */
async function wholeModel(text: string): Promise<string | undefined> {
  const files = { "file:///project/gpt.py": readFileSync("examples/gpt.py", "utf8") };
  const service = serviceWith(text, { files });
  const cursor = { line: 2, character: 9 };
  for (let attempt = 0; attempt < 200; attempt++) {
    const actions = service.codeActions(
      uri,
      { start: cursor, end: cursor },
      { diagnostics: [], only: ["refactor.rewrite.adapter"] },
    );
    const found = actions.find(({ title }) => /across `model` with LoRA(?: \(|$)/.test(title));
    if (found) return found.title;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

test("a script can adapt the model of another file, with the count for the sizes that it passes", async () => {
  const script = (config: string): string =>
    `from gpt import GPT, GPTConfig\n\nmodel = GPT(GPTConfig(${config}))\n`;
  // rank (in + out) of c_attn (d, 3 d) in each block: 2 · 8 · 4 · 64
  assert.equal(
    await wholeModel(script("n_layer=2, n_embd=64")),
    "Adapt `c_attn` across `model` with LoRA (4,096 trainable)",
  );
  assert.equal(
    await wholeModel(script("n_layer=3, n_embd=32")),
    "Adapt `c_attn` across `model` with LoRA (3,072 trainable)",
  );
  assert.equal(await wholeModel(script("**options")), "Adapt `c_attn` across `model` with LoRA");
});
