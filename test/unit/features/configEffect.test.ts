/** What hovers say of a PEFT configuration's consequence for the model at hand, and that they are silent where it is not certain. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

// 80 + 3 · (72 + 128) + 90 = 770 parameters
const model = `import torch.nn as nn
from peft import LoraConfig, get_peft_model
from trl import SFTTrainer


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8)
        self.v = nn.Linear(8, 16, bias=False)


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.head = nn.Linear(8, 10)


`;

/** What the hover says of layers, in the paragraph that begins with "Here:". */
function line(source: string, before = model, context = contextWith()): string | undefined {
  const { text, offset } = marked(before + source);
  const { contents } = hover(context, open(text), offset) ?? {};
  assert.ok(MarkupContent.is(contents), `no hover in ${source}`);
  const here = contents.value.split("\n\n").find((each) => each.startsWith("Here: "));
  return here
    ?.slice("Here: ".length)
    .split("  \n")
    .find((each) => / of `/.test(each));
}

const wrapped = (args: string): string =>
  `model = GPT()\nmodel = get_peft_model(model, Lora|Config(r=2, ${args}))\n`;

describe("the consequence of a configuration", () => {
  it("is said of the call: layers, names, parameters and share", () => {
    // 3 · (2 · (8 + 8) + 2 · (8 + 16)) = 240 of 770
    assert.equal(
      line(
        `model = GPT()\nconfig = Lora|Config(r=2, target_modules=["q", "v"])\nm = get_peft_model(model, config)\n`,
      ),
      "6 layers of `GPT` (`q`, `v`), 240 parameters (31 %).",
    );
  });

  it("is said of what a dict of the file passes", () => {
    const dict = 'options = {"r": 2}\noptions["target_modules"] = ["q", "v"]\n';
    const given = "model = GPT()\nm = get_peft_model(model, Lora|Config(**options))\n";
    assert.equal(line(dict + given), "6 layers of `GPT` (`q`, `v`), 240 parameters (31 %).");
    assert.equal(line(`${dict}options["use_dora"] = True\n${given}`), undefined);
    assert.equal(line(`${dict}options.update(more)\n${given}`), undefined);
  });

  it("stands below the scale, in one paragraph", () => {
    const source = 'model = GPT()\nm = get_peft_model(model, Lora|Config(r=2, target_modules=["q", "v"]))\n';
    const { text, offset } = marked(model + source);
    const { contents } = hover(contextWith(), open(text), offset) ?? {};
    assert.ok(MarkupContent.is(contents));
    assert.match(
      contents.value,
      /^Here: `r=2, lora_alpha=8 by default` → scale 4\. .* {2}\n6 layers of `GPT` \(`q`, `v`\), 240 parameters \(31 %\)\.$/m,
    );
  });

  it("is said of target_modules, and of the default rank", () => {
    // 8 · (8 + 10)
    assert.equal(
      line(`model = GPT()\nm = get_peft_model(model, LoraConfig(target_|modules=["head"]))\n`),
      "1 layer of `GPT` (`head`), 144 parameters (19 %).",
    );
  });

  it("is said where a trainer gets both, and where the model was moved", () => {
    const config = `config = Lora|Config(r=2, target_modules=["q"])\n`;
    const said = "3 layers of `GPT` (`q`), 96 parameters (12 %).";
    assert.equal(
      line(`model = GPT()\n${config}trainer = SFTTrainer(model=model, peft_config=config)\n`),
      said,
    );
    assert.equal(
      line(`model = GPT()\nmodel = model.to("cuda")\n${config}model = get_peft_model(model, config)\n`),
      said,
    );
  });

  it("counts every linear layer for all-linear, and leaves out what is excluded", () => {
    assert.equal(
      line(wrapped(`target_modules="all-linear"`)),
      "7 layers of `GPT` (`q`, `v`, `head`), 276 parameters (36 %).",
    );
    assert.equal(
      line(wrapped(`target_modules="all-linear", exclude_modules=["head", "v"]`)),
      "3 layers of `GPT` (`q`), 96 parameters (12 %).",
    );
    assert.equal(
      line(wrapped(`target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.1, bias="none"`)),
      line(wrapped(`target_modules="all-linear"`)),
    );
  });

  for (const args of [
    `target_modules=None`,
    `target_modules=names`,
    `target_modules=["q", "missing"]`,
    `target_modules=["blocks"]`,
    `target_modules=["emb"]`,
    `target_modules=["q"], rank_pattern={"q": 4}`,
    `target_modules=["q"], use_dora=True`,
    `target_modules=["q"], layers_to_transform=[0]`,
    `target_modules=["q"], task_type="SEQ_CLS"`,
    `target_modules=["q"], init_lora_weights="eva"`,
    `target_modules=["q"], **more`,
  ])
    it(`is not said with ${args}`, () => assert.equal(line(wrapped(args)), undefined));

  const config = `config = Lora|Config(r=2, target_modules=["q"])\n`;
  for (const [why, source] of [
    ["the model is not known", `${config}m = get_peft_model(load(), config)\n`],
    ["no model gets it", config],
    ["a field is assigned", `model = GPT()\n${config}config.r = 4\nm = get_peft_model(model, config)\n`],
    [
      "a layer is replaced",
      `model = GPT()\nmodel.head = nn.Linear(8, 2)\n${config}m = get_peft_model(model, config)\n`,
    ],
    [
      "a function got the model",
      `model = GPT()\nshrink(model)\n${config}m = get_peft_model(model, config)\n`,
    ],
    [
      "the rank is not known",
      `model = GPT()\nm = get_peft_model(model, Lora|Config(r=rank, target_modules=["q"]))\n`,
    ],
  ] as const)
    it(`is not said where ${why}`, () => assert.equal(line(source), undefined));

  it("is not said of a class whose layers are partly out of sight", () => {
    const source = wrapped(`target_modules=["q"]`);
    const hidden = (from: string, to: string): string => model.replace(from, to);
    assert.notEqual(line(source), undefined);
    assert.equal(
      line(source, hidden("class GPT(nn.Module)", "class GPT(transformers.PreTrainedModel)")),
      undefined,
    );
    assert.equal(line(source, hidden("range(3)", "range(depth)")), undefined);
    assert.equal(line(source, hidden("nn.Linear(8, 10)", "nn.MultiheadAttention(8, 2)")), undefined);
    const helper = "def make_head():\n    return load()\n\n\nclass GPT(";
    assert.equal(
      line(source, hidden("nn.Linear(8, 10)", "make_head()").replace("class GPT(", helper)),
      undefined,
    );
  });
});

// what PyTorch counts in this model, with the factors, copies and biases that PEFT trains: 1,258 parameters in all
const net = `import torch.nn as nn
from peft import IA3Config, LoHaConfig, LoKrConfig, LoraConfig, get_peft_model


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.q = nn.Linear(8, 8)
        self.v = nn.Linear(8, 16, bias=False)


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.stem = nn.Conv2d(3, 8, 3)
        self.layers = nn.ModuleList([Block() for _ in range(4)])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Body()
        self.head = nn.Linear(8, 10)


`;

describe("the consequence of a configuration with the bundled corpus", () => {
  const { corpus } = compileCorpus("corpus");
  const context = contextWith({ library: createLibrary(corpus, {}) });

  for (const [config, args, trainable] of [
    // (8 + 8 + 1) · 4: the ranks that the budget begins with
    ["AdaLoraConfig", "init_r=4, target_r=2, total_step=100, beta1=0.5", "204"],
    ["AdaLoraConfig", "total_step=100", "612"],
    // 2 · 2 + 1 · (4 + 4), and the large factor whole from half its side on
    ["LoKrConfig", "r=1, decompose_factor=2", "36"],
    ["LoKrConfig", "r=2, decompose_factor=2", "60"],
    // 8 · (4 - 1) / 2
    ["OFTConfig", "oft_block_size=4, use_cayley_neumann=True, num_cayley_neumann_terms=3", "36"],
    ["BOFTConfig", "boft_block_size=4", "120"],
    ["MissConfig", "r=4", "96"],
    ["VBLoRAConfig", "r=2, num_vectors=8, vector_length=4", "224"],
    // an angle and a factor for each pair of outputs, then for each output, then two of each
    ["RoadConfig", "group_size=4", "24"],
    ["RoadConfig", 'variant="road_2", group_size=4', "48"],
    ["RoadConfig", 'variant="road_4", group_size=4', "96"],
  ] as const)
    it(`is said of ${config}(${args})`, () =>
      assert.match(
        line(
          `from peft import ${config}\nmodel = GPT()\nm = get_peft_model(model, ${config.slice(0, 3)}|${config.slice(3)}(${args}, target_modules=["q"]))\n`,
          model,
          context,
        ) ?? "silent",
        new RegExp(`^3 layers of \`GPT\` \\(\`q\`\\), ${trainable} parameters`),
      ));

  for (const [config, args] of [
    ["LoKrConfig", "r=2"],
    ["LoKrConfig", "r=2, decompose_factor=3"],
    ["OFTConfig", "r=4"],
    ["OFTConfig", "oft_block_size=3"],
    ["BOFTConfig", "boft_block_num=2"],
  ] as const)
    it(`is not said of ${config}(${args})`, () =>
      assert.equal(
        line(
          `from peft import ${config}\nmodel = GPT()\nm = get_peft_model(model, ${config.slice(0, 3)}|${config.slice(3)}(${args}, target_modules=["q"]))\n`,
          model,
          context,
        ),
        undefined,
      ));

  const said = (args: string, config = "LoraConfig(r=2, ", of = net): string | undefined =>
    line(
      `model = Net()\nmodel = get_peft_model(model, ${config.replace("Config", "Con|fig")}${args}))\n`,
      of,
      context,
    )?.replace("of `Net` ", "");

  const counted: Readonly<Record<string, string>> = {
    'target_modules=["q", "emb"]': "5 layers (`emb`, `q`), 164 parameters (13 %).",
    'target_modules=["stem"]': "1 layer (`stem`), 70 parameters (5.6 %).",
    // 2 · (3 · 9 + 8) + 8
    'target_modules=["stem"], use_dora=True': "1 layer (`stem`), 78 parameters (6.2 %).",
    'target_modules=r".*\\.layers\\.(0|2)\\.(q|v)"': "4 layers (`q`, `v`), 160 parameters (13 %).",
    'target_modules=["q"], layers_to_transform=[1, 3]': "2 layers (`q`), 64 parameters (5.1 %).",
    'target_modules=["q"], layers_to_transform=1, layers_pattern="layers"':
      "1 layer (`q`), 32 parameters (2.5 %).",
    'target_modules=["q", "v"], rank_pattern={"v": 4, r"layers\\.0\\.q": 1}':
      "8 layers (`q`, `v`), 496 parameters (39 %).",
    'target_modules=["q"], modules_to_save=["head", "norm"]':
      "4 layers (`q`), 128 parameters; with `head` whole and `norm` whole 282 (22 %).",
    'target_modules=["q"], bias="lora_only"': "4 layers (`q`), 128 parameters; with their biases 160 (13 %).",
    'target_modules=["q"], bias="all", modules_to_save=["head"]':
      "4 layers (`q`), 128 parameters; with `head` whole and all biases 290 (23 %).",
    'target_modules=["q", "v"], use_dora=True': "8 layers (`q`, `v`), 416 parameters (33 %).",
    'target_modules="all-linear", exclude_modules=r".*head"': "8 layers (`q`, `v`), 320 parameters (25 %).",
    'target_modules="all-linear", modules_to_save=["head"]':
      "8 layers (`q`, `v`), 320 parameters; with `head` whole 410 (33 %).",
    'target_modules=["q"], init_lora_weights="mica"': "4 layers (`q`), 64 parameters (5.1 %).",
  };
  for (const [args, expected] of Object.entries(counted))
    it(`counts ${args}`, () => assert.equal(said(args), expected));

  it("counts convolutions of one, two and three dimensions, and is silent about groups", () => {
    const convolutions = `import torch.nn as nn
from peft import LoraConfig, get_peft_model


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.wave = nn.Conv1d(4, 6, 5)
        self.tall = nn.Conv1d(4, 6, (3,))
        self.wide = nn.Conv2d(4, 6, (3, 3))
        self.deep = nn.Conv3d(4, 6, 3)
        self.flat = nn.Conv3d(4, 6, (1, 3, 3))
        self.apart = nn.Conv1d(4, 6, 5, groups=2)


`;
    const trained = (name: string): string | undefined =>
      /, (\d+) parameters/.exec(
        line(
          `model = Net()\nmodel = get_peft_model(model, Lora|Config(r=2, target_modules=["${name}"]))\n`,
          convolutions,
          context,
        ) ?? "",
      )?.[1];
    // 2 · (4 · kernel + 6)
    assert.deepEqual(["wave", "tall", "wide", "deep", "flat", "apart"].map(trained), [
      ...["52", "36", "84", "228", "84"],
      undefined,
    ]);
  });

  it("counts the scales of (IA)³ by what an input or an output is scaled", () => {
    assert.equal(
      said('target_modules=["q", "v"], feedforward_modules=["v"]', "IA3Config("),
      "8 layers (`q`, `v`), 64 parameters (5.1 %).",
    );
  });

  const withStem = (stem: string): string => net.replace("nn.Conv2d(3, 8, 3)", stem);
  const stem = 'target_modules=["stem"]';

  for (const [config, layer, trainable] of [
    // 2 · 2 · (8 + 3 · 9), and with a core of 2 · 2 · 9 in each product 2 · 2 · (8 + 3 + 2 · 9)
    ["LoHaConfig(r=2, ", "nn.Conv2d(3, 8, 3)", 140],
    ["LoHaConfig(r=2, use_effective_conv2d=True, ", "nn.Conv2d(3, 8, 3)", 116],
    // 1 · 1 + 1 · (8 + 3 · 9), and 1 · 1 + 1 · (8 + 3 + 1 · 9)
    ["LoKrConfig(r=1, decompose_factor=1, ", "nn.Conv2d(3, 8, 3)", 36],
    ["LoKrConfig(r=1, decompose_factor=1, use_effective_conv2d=True, ", "nn.Conv2d(3, 8, 3)", 21],
    ["IA3Config(feedforward_modules=[], ", "nn.Conv2d(3, 8, 3)", 8],
    // 2 · (3 · 5 + 8), 2 · (3 · 2 · 3 · 3 + 8)
    ["LoraConfig(r=2, ", "nn.Conv1d(3, 8, 5)", 46],
    ["LoraConfig(r=2, ", "nn.Conv3d(3, 8, (2, 3, 3))", 124],
    // what PEFT has no class for, and what it lets train otherwise
    ["LoHaConfig(r=2, ", "nn.Conv3d(3, 8, 3)", undefined],
    ["IA3Config(feedforward_modules=[], ", "nn.Conv1d(3, 8, 3)", undefined],
    ["LoraConfig(r=2, ", "nn.Conv2d(4, 8, 3, groups=2)", undefined],
  ] as const)
    it(`counts the convolution ${layer} for ${config}…)`, () =>
      assert.equal(
        /, ([\d,]+) parameters/.exec(said(stem, config, withStem(layer)) ?? "")?.[1],
        trainable?.toString(),
      ));

  for (const args of [
    'target_modules=["q"], layers_to_transform=[9]',
    'target_modules=["q"], rank_pattern={"q": rank}',
    'target_modules=["q"], init_lora_weights=start',
    'target_modules=["emb"], use_dora=True',
    'target_modules=["q"], modules_to_save=["missing"]',
    'target_modules=["norm"]',
    'target_modules=r".*layers.*"',
    'target_modules=r"(.*)+q"',
    'target_modules=["q"], target_parameters=["weight"]',
  ])
    it(`is silent about ${args}`, () => assert.equal(said(args), undefined));
});

describe("the targets of a pretrained model", () => {
  const { corpus } = compileCorpus("corpus");
  const context = contextWith({ library: createLibrary(corpus, {}) });
  const said = (
    targets: string,
    load = 'AutoModelForCausalLM.from_pretrained("meta-llama/Llama-2-7b-hf")',
  ) => {
    const source = `from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForImageClassification, AutoModelForSpeechSeq2Seq, CLIPModel
model = ${load}
model = get_peft_model(model, LoraConfig(${targets}))
`;
    const { text, offset } = marked(source);
    const { contents } = hover(context, open(text), offset) ?? {};
    assert.ok(MarkupContent.is(contents), source);
    return contents.value;
  };

  it("are said by name", () => {
    assert.match(
      said('target_|modules="all-linear"'),
      /^Here: `q_proj`, `k_proj`, `v_proj`, `o_proj`, `gate_proj`, `up_proj`, `down_proj` in each block of `meta-llama\/Llama-2-7b-hf`, not `lm_head`\.$/m,
    );
    assert.match(said('target_modules="all-|linear"'), /^Here: `q_proj`/m);
    assert.match(
      said('target_|modules=["q_proj", "v_proj"]'),
      /^Here: `q_proj`, `v_proj` of `meta-llama\/Llama-2-7b-hf`, in attention alone\.$/m,
    );
    assert.match(
      said('target_|modules=["q_proj", "up_proj"]'),
      /; not `k_proj`, `v_proj`, `o_proj`, `gate_proj`, `down_proj`\.$/m,
    );
  });

  it("are named by the release of the library, where that has changed them", () => {
    const image = 'AutoModelForImageClassification.from_pretrained("google/vit-base-patch16-224")';
    assert.match(
      said('target_|modules=["q_proj", "v_proj"]', image),
      /^Here: `q_proj`, `v_proj` of `google\/vit-base-patch16-224` in recent releases of the library, in attention alone\.$/m,
    );
    assert.match(
      said('target_|modules=["query", "value"]', image),
      /^Here: `query`, `value` of `google\/vit-base-patch16-224` in earlier releases of the library, in attention alone\.$/m,
    );
    assert.doesNotMatch(said('target_|modules=["query", "v_proj"]', image), /Here/);
  });

  it("leave out the head by its name, where that is one in every release", () => {
    const all = (load: string) => /^Here: .*$/m.exec(said('target_|modules="all-linear"', load))?.[0];
    assert.equal(
      all('AutoModelForSpeechSeq2Seq.from_pretrained("openai/whisper-small")'),
      "Here: `q_proj`, `k_proj`, `v_proj`, `out_proj`, `fc1`, `fc2` in each block of `openai/whisper-small`, not `proj_out`.",
    );
    assert.equal(
      all('AutoModelForCausalLM.from_pretrained("EleutherAI/pythia-410m")'),
      "Here: `query_key_value`, `dense`, `dense_h_to_4h`, `dense_4h_to_h` in each block of `EleutherAI/pythia-410m`.",
    );
  });

  it("are not said of what is not known", () => {
    assert.doesNotMatch(said('target_|modules="all-linear"', "load()"), /Here/);
    const clip = 'CLIPModel.from_pretrained("openai/clip-vit-base-patch32")';
    assert.doesNotMatch(said('target_|modules="all-linear"', clip), /Here/);
    assert.doesNotMatch(said('target_|modules=["W_pack"]'), /Here/);
  });

  it("are explained one by one", () => {
    assert.equal(
      said('target_modules=["q_|proj"]'),
      '`"q_proj"` · one of `target_modules` · LoraConfig\n\nA linear layer in attention of Llama.',
    );
    assert.match(said('target_modules=["den|se"]', "load()"), /attention of Phi, GPT-NeoX, BLOOM, Falcon\.$/);
  });
});
