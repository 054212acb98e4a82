/** "all-linear" and the list that it stands for, where the model is known. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkEdit, offered, reason, titles } from "./check";

const script = (targets: string, build = "GPT()"): string => `import torch.nn as nn
from peft import LoraConfig, get_peft_model


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.mlp = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.head = nn.Linear(8, 10)


model = ${build}
model = get_peft_model(model, LoraConfig(r=2, target_modules=${targets}))
`;
const list = `["q", "mlp.0", "mlp.2", "head"]`;
const toList = 'Write "all-linear" as the list of names, in `GPT` `q`, `mlp.0`, `mlp.2`, `head`';
const toAll = 'Write the list as "all-linear", which is the same in `GPT`';
const about = (source: string): string[] =>
  titles(offered(source).actions).filter(
    (title) => title.includes('all-linear"') && title.startsWith("Write"),
  );

describe("all-linear", () => {
  it("becomes the list of names and back", async () => {
    await checkEdit(script(`|"all-linear"`), toList, script(list));
    await checkEdit(script(`|${list}`), toAll, script(`"all-linear"`));
  });

  for (const build of ["GPT().to(device)", "GPT().cuda().eval()", "GPT()\nmodel = model.cuda()"])
    it(`is known of ${build.replace("\n", ", ")}`, () =>
      checkEdit(script(`|"all-linear"`, build), toList, script(list, build)));

  it("is not what a shorter or a longer list means", () => {
    for (const targets of [
      `["q", "mlp.0", "mlp.2"]`,
      `["q", "mlp.0", "mlp.2", "head", "emb"]`,
      `["q", "mlp"]`,
    ])
      assert.deepEqual(about(script(`|${targets}`)), []);
    assert.deepEqual(about(script(`|${list}, layers_to_transform=[0]`)), []);
  });

  it("says why it cannot be written out", () => {
    assert.match(reason(script(`|"all-linear"`, "load()"), 'Write "all-linear"'), /not in sight/);
    const lists = script(`|"all-linear"`).replace(
      "nn.Linear(8, 10)",
      "nn.ModuleList([nn.Linear(8, 2) for _ in range(9)])",
    );
    assert.match(reason(lists, 'Write "all-linear"'), /no names of their own/);
  });
});

describe("all-linear of a pretrained model", () => {
  const pretrained = (targets: string, load: string): string => `from peft import LoraConfig, get_peft_model
from transformers import AutoModel, AutoModelForCausalLM

model = ${load}
model = get_peft_model(model, LoraConfig(target_modules=${targets}))
`;
  const llama = 'AutoModelForCausalLM.from_pretrained("meta-llama/Llama-2-7b-hf")';
  const names = `["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]`;

  it("becomes the list of its family and back", async () => {
    await checkEdit(
      pretrained(`|"all-linear"`, llama),
      'Write "all-linear" as the list of names, in `meta-llama/Llama-2-7b-hf` `q_proj`, `k_proj`, `v_proj` and 4 more',
      pretrained(names, llama),
    );
    await checkEdit(
      pretrained(`|${names}`, llama),
      'Write the list as "all-linear", which is the same in `meta-llama/Llama-2-7b-hf`',
      pretrained(`"all-linear"`, llama),
    );
    assert.deepEqual(about(pretrained(`|["q_proj", "v_proj"]`, llama)), []);
  });

  for (const load of [
    'AutoModel.from_pretrained("meta-llama/Llama-2-7b-hf")',
    'AutoModelForCausalLM.from_pretrained("facebook/opt-350m")',
    'AutoModelForCausalLM.from_pretrained("mistralai/Mixtral-8x7B-v0.1")',
    "AutoModelForCausalLM.from_pretrained(name)",
  ])
    it(`is not known of ${load}`, () =>
      assert.match(reason(pretrained(`|"all-linear"`, load), 'Write "all-linear"'), /not in sight/));
});
