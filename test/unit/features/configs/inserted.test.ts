/** LoRA of PEFT becomes LoRA of our own Python and the other way, where both do the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { source } from "../../adapters/check";
import { offered, reason, titles } from "./check";

const model = `class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.q_proj = nn.Linear(8, 8)
        self.v_proj = nn.Linear(8, 8)

    def forward(self, x):
        return self.v_proj(self.q_proj(self.emb(x)))
`;
const head = `import torch.nn as nn
from peft import LoraConfig, TaskType, get_peft_model


${model}

`;
const toOurs = "Insert LoRA in place of PEFT's: `apply_lora(…)`";
const apply = `def apply_lora(
    model: nn.Module, targets: Collection[str], **hyperparameters: object
) -> nn.Module:
    """LoRA (arXiv:2106.09685) in every layer of \`model\` that \`targets\` name; returns \`model\`."""
    return replace_layers(model, targets, LoRALinear, **hyperparameters)`;

describe("a configuration of PEFT becomes inserted Python", () => {
  const wrapped = (args: string, rest = "", before = ""): string =>
    `${head}model = GPT()\nconfig = LoraConfig(${args})\n${before}model = get_peft_model(model, config)\n${rest}`;

  it("with the definitions, the freezing, and without what only PEFT used", async () => {
    const text = await offered(
      wrapped(
        `|r=4, target_modules=["q_proj", "v_proj"], lora_dropout=0.1, bias="none", task_type=TaskType.CAUSAL_LM`,
        "model.print_trainable_parameters()\nmodel.train()\n",
      ),
    ).edited(toOurs);
    const after = text.slice(text.indexOf("model = GPT()"));
    assert.equal(
      after,
      `model = GPT()
model = apply_lora(model, targets=("q_proj", "v_proj"), rank=4, alpha=8, dropout=0.1)
train_only(model, LoRALinear)
model.train()
`,
    );
    assert.doesNotMatch(text, /peft|TaskType/);
    assert.ok(text.includes(model));
    for (const definition of [
      source("lora/lora.py", "LoRALinear"),
      source("shared/replace_layers.py", "replace_layers"),
      source("shared/train_only.py", "train_only"),
      apply,
    ])
      assert.ok(text.includes(definition.split("\n")[0] ?? ""), definition.split("\n")[0]);
  });

  it("from the call that wraps the model as well, the configuration inside it", async () => {
    const text = await offered(
      `${head}model = GPT().cuda()\nmodel = get_peft|_model(model, LoraConfig(lora_alpha=16, target_modules="all-linear"))\n`,
    ).edited(toOurs);
    const call = `model = apply_lora(model, targets=("q_proj", "v_proj"), alpha=16)`;
    assert.ok(text.endsWith(`${call}\ntrain_only(model, LoRALinear)\n`), text.slice(-200));
  });

  const q = `target_modules=["q_proj"]`;
  for (const [why, marked, pattern] of [
    ["biases train", wrapped(`|${q}, bias="all"`), /^`bias="all"` has no counterpart/],
    ["other modules train", wrapped(`|${q}, modules_to_save=["emb"]`), /^`modules_to_save/],
    ["a head trains", wrapped(`|${q}, task_type="SEQ_CLS"`), /^`task_type/],
    [
      "it is another form",
      wrapped(`|${q}, init_lora_weights="pissa"`),
      /^PiSSA is not what LoRALinear computes/,
    ],
    ["a layer is not linear", wrapped(`|target_modules=["emb"]`), /emb/],
    ["layers are not named", wrapped(`|r=4`), /^The names of the layers/],
    [
      "the model is not in sight",
      wrapped(`|${q}`).replace("GPT()\nconfig", "load()\nconfig"),
      /^The line that builds `model`/,
    ],
    ["the adapter is saved", wrapped(`|${q}`, `model.save_pretrained("out")\n`), /^`model.save_pretrained`/],
    ["it is merged", wrapped(`|${q}`, `model = model.merge_and_unload()\n`), /^`model.merge_and_unload`/],
    [
      "a trainer gets it",
      `from transformers import Trainer\n${wrapped(`|${q}`, `trainer = Trainer(model=model)\n`)}`,
      /^`model` is given to Trainer/,
    ],
  ] as const)
    it(`not where ${why}`, () => assert.match(reason(marked, toOurs), pattern));

  const of = (config: string, args: string): string =>
    wrapped(`|${args}${args && ", "}target_modules=["q_proj", "v_proj"]`).replaceAll("LoraConfig", config);
  const insertionOf = (marked: string): string =>
    titles(offered(marked).actions).find((each) => each.startsWith("Insert ")) ?? "";

  for (const [config, args, call] of [
    ["LoraConfig", "r=8, lora_alpha=16, use_rslora=True", "apply_lora|rank=8, alpha=16 * 8 ** 0.5"],
    ["LoraConfig", "lora_alpha=a + b, use_rslora=True", "apply_lora|alpha=(a + b) * 8 ** 0.5"],
    ["LoKrConfig", "r=2, alpha=4, decompose_factor=2", "apply_lokr|rank=2, alpha=4, factor=2"],
    ["MissConfig", 'r=4, init_weights="bat"', "apply_bat|block_size=4"],
    ["WaveFTConfig", "n_frequency=16", "apply_waveft|n_frequency=16"],
    ["C3AConfig", "block_size=4", "apply_c3a|block_size=4"],
    ["RoadConfig", "group_size=4", "apply_road|group_size=4"],
  ] as const)
    it(`${config}(${args}) as ${call}`, async () => {
      const marked = of(config, args);
      const text = await offered(marked).edited(insertionOf(marked));
      const [name = "", values = ""] = call.split("|");
      assert.ok(
        text.includes(
          `\nmodel = ${name}(model, targets=("q_proj", "v_proj"), ${values})\ntrain_only(model, `,
        ),
        text.slice(text.indexOf("model = GPT()")),
      );
    });

  it("with what all layers of a model share", async () => {
    const marked = of("VeraConfig", "r=64");
    const text = await offered(marked).edited(insertionOf(marked));
    assert.equal(
      text.slice(text.indexOf("model = GPT()")),
      `model = GPT()
model = apply_vera(model, targets=("q_proj", "v_proj"), rank=64)
share_vera_factors(model)
train_only(model, VeRALinear)
`,
    );
    assert.ok(text.includes("\ndef share_vera_factors(model: nn.Module, seed: int = 0)"));
    const back = text.replace("= apply_vera(", "= apply|_vera(");
    const title = "Use VeRA of PEFT in place of this: `get_peft_model(…, VeraConfig(…))`";
    assert.equal(
      await offered(back).edited(title),
      `import torch.nn as nn
from peft import VeraConfig, get_peft_model


${model}

model = GPT()
model = get_peft_model(model, VeraConfig(target_modules=["q_proj", "v_proj"], r=64))
`,
    );
    assert.equal(
      reason(back.replace("share_vera_factors(model)\n", ""), title),
      "PEFT has one set of what VeRA shares for the whole model, and this code does not: there is no share_vera_factors(model).",
    );
  });

  for (const [config, args, pattern] of [
    ["LoKrConfig", "r=2", /needs factor >= 1/],
    ["C3AConfig", 'block_size=4, init_weights="gaussian"', /^`init_weights="gaussian"` has no counterpart/],
    ["VeraConfig", "projection_prng_key=1", /^`projection_prng_key=1` has no counterpart/],
    ["RoadConfig", 'variant="road_2", group_size=4', /^RoAdLinear computes .*`variant="road_1"`/],
  ] as const)
    it(`not ${config}(${args})`, () => {
      const marked = of(config, args);
      assert.match(reason(marked, insertionOf(marked)), pattern);
    });

  it("says nothing of a configuration that no model gets here", () =>
    assert.deepEqual(
      titles(offered(`${head}config = LoraConfig(|r=4)\n`).actions).filter((title) =>
        title.startsWith("Insert"),
      ),
      [],
    ));
});

describe("inserted Python becomes a configuration of PEFT", () => {
  const title = "Use LoRA of PEFT in place of this: `get_peft_model(…, LoraConfig(…))`";
  const wrapped = `model = GPT()
model = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], lora_alpha=16))
`;
  const inserted = (): Promise<string> => offered(head + wrapped.replace("(r=4", "(|r=4")).edited(toOurs);
  const marked = async (): Promise<string> => (await inserted()).replace("= apply_lora(", "= apply_|lora(");

  it("and everything that was brought for it goes", async () => {
    const text = await offered(await marked()).edited(title);
    assert.equal(
      text,
      `import torch.nn as nn
from peft import LoraConfig, get_peft_model


${model}

model = GPT()
model = get_peft_model(model, LoraConfig(target_modules=["q_proj", "v_proj"], r=4, lora_alpha=16))
`,
    );
  });

  it("with what PEFT would take another default for", async () => {
    const text = (await marked()).replace(", rank=4, alpha=16", "").replace("model = apply", "apply");
    assert.match(
      await offered(text).edited(title),
      /\nmodel = get_peft_model\(model, LoraConfig\(target_modules=\["q_proj", "v_proj"\], lora_alpha=16.*\)\)\n/,
    );
  });

  it("not where it would do something else", async () => {
    const text = await marked();
    const refused = (from: string, to: string): string => reason(text.replace(from, to), "Use LoRA of PEFT");
    assert.match(refused("train_only(model, LoRALinear)\n", ""), /^PEFT freezes the rest/);
    assert.match(
      refused("train_only(model, LoRALinear)\n", "train_only(model, LoRALinear, nn.Embedding)\n"),
      /further/,
    );
    assert.match(refused("\ntrain_only(", "\nweights = train_only("), /returns is used/);
    assert.match(refused('("q_proj", "v_proj")', '("attn.q_proj",)'), /plain names/);
    assert.match(reason(`${text}model.state_dict()\n`, "Use LoRA of PEFT"), /other names/);
  });
});

describe("other methods of PEFT", () => {
  const net = (config: string, args: string): string => `import torch.nn as nn
from peft import ${config}, get_peft_model


${model}

model = GPT()
model = get_peft_model(model, ${config.replace("Config", "Con|fig")}(target_modules=["q_proj"]${args}))
`;
  const called = async (config: string, args: string, title: string): Promise<string> => {
    const text = await offered(net(config, args)).edited(title);
    assert.doesNotMatch(text, /peft/);
    return text.slice(text.indexOf("model = GPT()") + "model = GPT()\n".length).trim();
  };

  for (const [config, args, name, apply, written, symbol] of [
    ["LoraConfig", ", r=4, use_dora=True", "DoRA", "apply_dora", "rank=4, alpha=8", "DoRALinear"],
    ["HRAConfig", ", r=4", "HRA", "apply_hra", "rank=4", "HRALinear"],
    ["LoHaConfig", ", r=2, alpha=4", "LoHa", "apply_loha", "rank=2, alpha=4", "LoHaLinear"],
    ["BOFTConfig", "", "BOFT", "apply_boft", "", "BOFTLinear"],
    [
      "FourierFTConfig",
      ", n_frequency=9",
      "FourierFT",
      "apply_fourierft",
      "n_frequency=9",
      "FourierFTLinear",
    ],
    ["DeloraConfig", ", delora_lambda=12", "DeLoRA", "apply_delora", "delora_lambda=12", "DeLoRALinear"],
    ["MissConfig", ", r=4", "MiSS", "apply_bone", "block_size=4", "BoneLinear"],
    ["IA3Config", ", feedforward_modules=[]", "(IA)³", "apply_ia3", "", "IA3Linear"],
    [
      "OFTConfig",
      ", oft_block_size=4, use_cayley_neumann=False",
      "OFT",
      "apply_oft",
      "block_size=4",
      "OFTLinear",
    ],
  ] as const)
    it(`become inserted Python: ${name}`, async () =>
      assert.equal(
        await called(config, args, `Insert ${name} in place of PEFT's: \`${apply}(…)\``),
        `model = ${apply}(model, targets=("q_proj",)${written === "" ? "" : `, ${written}`})\ntrain_only(model, ${symbol})`,
      ));

  for (const [config, args, begins, pattern] of [
    ["OFTConfig", "", "Insert OFT", /`use_cayley_neumann=False`/],
    ["IA3Config", ', feedforward_modules=["q_proj"]', "Insert (IA)³", /`feedforward_modules=\[\]`/],
    ["HRAConfig", ", apply_GS=True", "Insert HRA", /^`apply_GS=True` has no counterpart/],
    [
      "LoraConfig",
      ", use_dora=True, lora_dropout=0.1",
      "Insert DoRA",
      /^`lora_dropout=0.1` has no counterpart/,
    ],
    ["LoraConfig", ", use_dora=True, use_rslora=True", "Insert LoRA", /is not what LoRALinear computes/],
    ["BOFTConfig", ", boft_block_size=3", "Insert BOFT", /needs/],
  ] as const)
    it(`are refused where they are not the same: ${config}${args}`, () =>
      assert.match(reason(net(config, args), begins), pattern));

  for (const [config, args, name, apply, back] of [
    ["IA3Config", ", feedforward_modules=[]", "(IA)³", "apply_ia3", ", feedforward_modules=[]"],
    ["LoHaConfig", ", r=2, alpha=4", "LoHa", "apply_loha", ", r=2, alpha=4"],
    ["MissConfig", "", "MiSS", "apply_bone", ""],
  ] as const)
    it(`come back from inserted Python: ${name}`, async () => {
      const text = await offered(net(config, args).replaceAll("8, 8)", "64, 64)")).edited(
        `Insert ${name} in place of PEFT's: \`${apply}(…)\``,
      );
      const again = await offered(text.replace(`= ${apply}(`, `= ${apply.replace("_", "_|")}(`)).edited(
        `Use ${name} of PEFT in place of this: \`get_peft_model(…, ${config}(…))\``,
      );
      const expected = `model = get_peft_model(model, ${config}(target_modules=["q_proj"]${back}))\n`;
      assert.equal(again.slice(-expected.length), expected);
    });
});
