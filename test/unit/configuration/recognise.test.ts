/** Which YAML is a library's configuration, by its keys alone; all other YAML gets no answer. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { recognise } from "../../../server/src/features/configuration/document";
import { axolotl, library, llamaFactory, mlx, swift } from "./check";

const kindOf = (text: string): string | undefined => recognise(library, text)?.name;

it("configurations of Axolotl and LLaMA-Factory are recognised by their keys", () => {
  assert.equal(kindOf(axolotl), "Axolotl configuration");
  assert.equal(kindOf("# a comment\nadapter: lora\nlora_r: 8\n'base_model': x\n"), "Axolotl configuration");
  assert.equal(kindOf(llamaFactory), "LLaMA-Factory configuration");
  assert.equal(
    kindOf("model_name_or_path: x\r\nadapter_name_or_path: y\r\ntemplate: qwen\r\nexport_dir: z\r\n"),
    "LLaMA-Factory configuration",
  );
  // half written
  assert.equal(kindOf(`${axolotl}lora_target_modules: [\n`), "Axolotl configuration");
});

it("configurations of MLX LM and ms-swift are recognised by their keys", () => {
  assert.equal(kindOf(mlx), "MLX LM configuration");
  const short = "model: x\ntrain: true\ndata: y\nnum_layers: 16\niters: 100\nlora_parameters:\n  rank: 8\n";
  assert.equal(kindOf(short), "MLX LM configuration");
  assert.equal(kindOf(short.replace("lora_parameters", "parameters")), undefined);
  assert.equal(kindOf(swift), "ms-swift configuration");
});

it("other YAML is not, whatever it has in common with them", () => {
  for (const text of [
    "",
    "base_model: x\n",
    "services:\n  web:\n    image: nginx\n    base_model: x\n    adapter: y\n    datasets: z\n",
    "on: push\njobs:\n  test:\n    steps:\n      - run: 'base_model: x'\n",
    // mergekit
    "base_model: mistralai/Mistral-7B-v0.1\nmerge_method: ties\nmodels:\n  - model: a\ndtype: float16\n",
    // scripts of TRL
    "model_name_or_path: x\ndataset_mixer:\n  a: 1.0\nlora_r: 16\nload_in_4bit: true\nper_device_train_batch_size: 4\n",
    // trainers of one's own that speak like MLX LM or ms-swift
    "model: gpt\nlora_parameters:\n  rank: 8\nepochs: 3\nlearning_rate: 1e-4\n",
    "model: x\niters: 1000\nnum_layers: 16\nsave_every: 10\nadapter_path: adapters\n",
    "model: x\ntuner_type: lora\ndataset: y\nlora_rank: 8\n",
    "model: x\ndataset: y\nlora_rank: 8\nmax_length: 100\ntorch_dtype: bfloat16\n",
    "text: |\n  base_model: x\n  adapter: lora\n  sequence_len: 3\n",
    `base_model: x\nadapter: lora\nsequence_len: 1\nnotes: ${"x".repeat(100_000)}\n`,
  ])
    assert.equal(kindOf(text), undefined, text.slice(0, 80));
});
