import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type CompletionItem,
  InsertTextFormat,
  MarkupContent,
  type TextEdit,
} from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { complete, resolveCompletion } from "../../../server/src/features/completion";
import { diagnose } from "../../../server/src/features/diagnostics";
import { hover } from "../../../server/src/features/hover";
import type { ProjectManner } from "../../../server/src/adapters/projectManner";
import type { FeatureContext } from "../../../server/src/features/context";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

function itemsAt(
  source: string,
  changes: Partial<FeatureContext> = {},
  manner: ProjectManner = {},
): CompletionItem[] {
  const { text, offset } = marked(source);
  return complete(contextWith(changes), open(text), offset, manner).items.toSorted((a, b) =>
    (a.sortText ?? "").localeCompare(b.sortText ?? ""),
  );
}

const labels = (source: string): string[] => itemsAt(source).map(({ label }) => label);

/** The whole document after an item is accepted; snippet source stays as it is. */
function accepted(
  source: string,
  label: string,
  changes: Partial<FeatureContext> = {},
  manner: ProjectManner = {},
): string {
  const { text } = marked(source);
  const item = itemsAt(source, changes, manner).find((each) => each.label === label);
  assert.ok(item?.textEdit !== undefined && "range" in item.textEdit, `no item ${label}`);
  const edits: TextEdit[] = [item.textEdit, ...(item.additionalTextEdits ?? [])];
  return TextDocument.applyEdits(TextDocument.create("file:///a.py", "python", 1, text), edits);
}

const imported = "from peft import LoraConfig\n";
const allArguments = [
  "task_type",
  "bias",
  "r",
  "target_modules",
  "lora_alpha",
  "use_rslora",
  "init_lora_weights",
];

describe("completion of arguments", () => {
  it("offers what is not given yet, in the order of the corpus", () => {
    assert.deepEqual(labels(`${imported}LoraConfig(|)`), allArguments);
    assert.deepEqual(
      labels(`${imported}LoraConfig(r=8, bias="none", |)`),
      allArguments.filter((name) => name !== "r" && name !== "bias"),
    );
  });

  const states: readonly [why: string, source: string][] = [
    ["an unclosed bracket at the end", `${imported}config = LoraConfig(|`],
    [
      "an unclosed bracket before more code",
      `${imported}config = LoraConfig(r=8, |\n\nmodel = f(1)\n\nclass A:\n    x = 1\n`,
    ],
    ["a word half typed", `${imported}config = LoraConfig(r=8, lo|\n\nmodel = f(1)\n`],
    ["a new line", `${imported}config = LoraConfig(\n    r=8,\n    |\n)\n`],
    ["a line between others", `${imported}config = LoraConfig(\n    r=8,\n    lo|\n    bias="none",\n)\n`],
    ["an inner call", `${imported}m = wrap(base, LoraConfig(r=8, |`],
    ["an alias", "import peft as P\nP.LoraConfig(|"],
    ["a comment between", `${imported}LoraConfig(\n    r=8,  # small, ( it's\n    |\n)\n`],
  ];
  for (const [why, source] of states) {
    it(`works with ${why}`, () => assert.ok(labels(source).includes("lora_alpha"), labels(source).join()));
  }

  it("does not offer again what the word under the cursor already is", () => {
    assert.ok(labels(`${imported}LoraConfig(bia|s="none")`).includes("bias"));
  });

  it("inserts recommended values as choices, the usual value where there is one", () => {
    assert.equal(accepted(`${imported}LoraConfig(|)`, "r"), `${imported}LoraConfig(r=\${1|8,16,64|})`);
    assert.equal(
      accepted(`${imported}LoraConfig(|)`, "lora_alpha"),
      `${imported}LoraConfig(lora_alpha=\${1:8})`,
    );
    assert.equal(accepted(`${imported}LoraConfig(|)`, "bias"), `${imported}LoraConfig(bias=\${1:"none"})`);
    assert.equal(
      accepted(`${imported}LoraConfig(|)`, "use_rslora"),
      `${imported}LoraConfig(use_rslora=\${1|True,False|})`,
    );
    assert.equal(
      accepted(`${imported}LoraConfig(|)`, "init_lora_weights"),
      `${imported}LoraConfig(init_lora_weights=\${1|True,"pissa"|})`,
    );
  });

  it("inserts a plain value where the client has no snippets", () => {
    assert.equal(
      accepted(`${imported}LoraConfig(|)`, "r", { snippets: false }),
      `${imported}LoraConfig(r=8)`,
    );
    for (const item of itemsAt(`${imported}LoraConfig(|)`, { snippets: false }))
      assert.equal(item.insertTextFormat, InsertTextFormat.PlainText);
  });

  it("replaces the word, and leaves a value that stands there", () => {
    assert.equal(
      accepted(`${imported}LoraConfig(lora|, r=8)`, "bias"),
      `${imported}LoraConfig(bias=\${1:"none"}, r=8)`,
    );
    assert.equal(
      accepted(`${imported}LoraConfig(bi|as=x)`, "lora_alpha"),
      `${imported}LoraConfig(lora_alpha=x)`,
    );
  });

  it("uses the file's quotes", () => {
    assert.equal(
      accepted(`${imported}a = 'x'\nb = 'y'\nLoraConfig(|)`, "bias"),
      `${imported}a = 'x'\nb = 'y'\nLoraConfig(bias=\${1:'none'})`,
    );
  });

  it("documents an item when it is looked at", () => {
    const context = contextWith();
    const item = itemsAt(`${imported}LoraConfig(|)`).find(({ label }) => label === "r");
    assert.ok(item !== undefined && item.documentation === undefined);
    assert.equal(item.detail, "int, default 8");
    const { documentation } = resolveCompletion(context, item);
    assert.ok(MarkupContent.is(documentation));
    assert.equal(
      documentation.value,
      "rank of the update\n\nRecommended: 4 to 64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6)",
    );
  });

  it("knows the arguments of inserted classes", () => {
    assert.equal(
      accepted("from adapters import LoRALinear\nLoRALinear(2, 3, |)", "rank"),
      "from adapters import LoRALinear\nLoRALinear(2, 3, rank=${1|4,8,16|})",
    );
  });

  const silent: readonly [why: string, source: string][] = [
    ["in a comment", `${imported}LoraConfig(r=8,  # bi|\n)`],
    ["in a string", `${imported}LoraConfig("|")`],
    ["in a docstring", `"""LoraConfig(|"""\n`],
    ["in an unknown call", "LoraConfig(|)"],
    ["in an expression", `${imported}LoraConfig(r=8 * |)`],
    ["in a call of something unknown within", `${imported}LoraConfig(f(|))`],
    ["behind the call", `${imported}LoraConfig(r=8)|`],
    ["on the callee", `${imported}Lora|Config(r=8)`],
  ];
  for (const [why, source] of silent) {
    it(`is silent ${why}`, () => assert.deepEqual(labels(source), []));
  }

  it("can be turned off", () => {
    const { settings } = contextWith();
    assert.deepEqual(
      itemsAt(`${imported}LoraConfig(|)`, { settings: { ...settings, completion: { enable: false } } }),
      [],
    );
  });
});

describe("completion of values", () => {
  it("offers them behind the equals sign", () => {
    assert.deepEqual(labels(`${imported}LoraConfig(init_lora_weights=|)`), ["True", '"pissa"']);
    assert.deepEqual(labels(`${imported}LoraConfig(r=|`), ["8", "16", "64"]);
    assert.equal(
      accepted(`${imported}LoraConfig(task_type=|`, '"SEQ_CLS"'),
      `${imported}LoraConfig(task_type="SEQ_CLS"`,
    );
  });

  it("offers strings within quotes and replaces what stands between them", () => {
    assert.deepEqual(labels(`${imported}LoraConfig(task_type="|")`), ["CAUSAL_LM", "SEQ_CLS"]);
    assert.equal(
      accepted(`${imported}LoraConfig(task_type="CAU|SE", r=8)`, "SEQ_CLS"),
      `${imported}LoraConfig(task_type="SEQ_CLS", r=8)`,
    );
    assert.equal(
      accepted(`${imported}LoraConfig(task_type="CAU|\n`, "SEQ_CLS"),
      `${imported}LoraConfig(task_type="SEQ_CLS\n`,
    );
    assert.equal(
      accepted(`${imported}LoraConfig(task_type='|')`, "SEQ_CLS"),
      `${imported}LoraConfig(task_type='SEQ_CLS')`,
    );
    assert.equal(
      accepted(`${imported}LoraConfig(task_type="|, bias="none")`, "SEQ_CLS"),
      `${imported}LoraConfig(task_type="SEQ_CLS, bias="none")`,
    );
  });

  const model = `import torch.nn as nn
from peft import LoraConfig

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(4, 12)
        self.mlp = nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, 4))
        self.ln = nn.LayerNorm(4)

`;

  it("offers the linear layers of the file's models as target modules", () => {
    assert.deepEqual(labels(`${model}LoraConfig(target_modules=["|"])`), ["c_attn", "mlp.0", "mlp.2"]);
    assert.deepEqual(labels(`${model}LoraConfig(target_modules=["c_attn", "|`), ["mlp.0", "mlp.2"]);
    assert.deepEqual(labels(`${model}LoraConfig(target_modules=["c_attn", |])`), ['"mlp.0"', '"mlp.2"']);
    assert.deepEqual(labels(`${model}LoraConfig(target_modules={"mlp.0", "|`), ["c_attn", "mlp.2"]);
    // a text by itself is a regular expression for the whole path, so names alone stand in lists
    assert.deepEqual(labels(`${model}LoraConfig(target_modules=|)`), [
      '["c_attn", "mlp.0", "mlp.2"]',
      '"all-linear"',
    ]);
    assert.equal(
      accepted(`${model}LoraConfig(target_modules=r".*\\.mlp\\..*c_|")`, "c_attn"),
      `${model}LoraConfig(target_modules=r".*\\.mlp\\..*c_attn")`,
    );
    assert.equal(
      accepted(`${model}LoraConfig(|)`, "target_modules"),
      `${model}LoraConfig(target_modules=[\${1:"c_attn", "mlp.0", "mlp.2"}])`,
    );
  });

  it("documents a value", () => {
    const item = itemsAt(`${imported}LoraConfig(init_lora_weights="|")`)[0];
    assert.ok(item !== undefined);
    const { documentation } = resolveCompletion(contextWith(), item);
    assert.ok(MarkupContent.is(documentation));
    assert.match(documentation.value, /^principal singular vectors\n\n/);
  });
});

describe("snippets of methods", () => {
  const model = (line: string): string => `import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        ${line}

    def forward(self, x):
        return x
`;
  const lora = (rank: string, alpha: string): string => `class LoRALinear(nn.Linear):
    """\`nn.Linear\` plus a low-rank update: LoRA (Hu et al., 2022, arXiv:2106.09685)."""

    def __init__(self, in_features: int, out_features: int, *, rank: int = ${rank}, alpha: float = ${alpha}) -> None:
        super().__init__(in_features, out_features)
        self.scale = math.sqrt(alpha) / rank`;

  it("write the line that uses the method in a model's __init__, and its class above the model", () => {
    assert.equal(
      accepted(model("lor|"), "litlens-lora"),
      `import math

import torch
from torch import nn


${lora("8", "16.0")}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.\${1:layer} = LoRALinear(\${2:in_features}, \${3:out_features}, rank=\${4|8,4,16|}, alpha=\${5:16.0})

    def forward(self, x):
        return x
`,
    );
  });

  const narrow = (rank: string, alpha: string): string =>
    lora(rank, alpha)
      .replace('2022, arXiv:2106.09685)."""', '2022,\n    arXiv:2106.09685).\n    """')
      .replace(
        / {4}def __init__.*/,
        `    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rank: int = ${rank},
        alpha: float = ${alpha},
    ) -> None:`,
      );

  it("are broken where the project's formatter would break them, stops and all", () => {
    assert.equal(
      accepted(model("lor|"), "litlens-lora", {}, { width: 77 }),
      `import math

import torch
from torch import nn


${narrow("8", "16.0")}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.\${1:layer} = LoRALinear(
            \${2:in_features}, \${3:out_features}, rank=\${4|8,4,16|}, alpha=\${5:16.0}
        )

    def forward(self, x):
        return x
`,
    );
    assert.equal(
      accepted("import torch\nfrom torch import nn\n\n\nlora|\n", "litlens-lora", {}, { width: 77 }),
      `import math

import torch
from torch import nn


${narrow("${1|8,4,16|}", "${2:16.0}")}

`,
    );
  });

  it("do not bring the class a second time", () => {
    const once = model("lor|").replace("class Block", `${lora("8", "16.0")}\n\n\nclass Block`);
    const item = itemsAt(once).find(({ label }) => label === "litlens-lora");
    assert.equal(item?.additionalTextEdits, undefined);
  });

  it("write the class itself at module level, with stops at its hyperparameters", () => {
    assert.equal(
      accepted("import torch\nfrom torch import nn\n\n\nlora|\n", "litlens-lora"),
      `import math

import torch
from torch import nn


${lora("${1|8,4,16|}", "${2:16.0}")}

`,
    );
  });

  it("work in an empty file", () => {
    assert.equal(
      accepted("lora|", "litlens-lora", { snippets: false }),
      `import math

from torch import nn


${lora("8", "16.0")}
`,
    );
  });

  it("are found by the method's name and by the label", () => {
    assert.deepEqual(labels(model("Do|")), ["litlens-dora"]);
    assert.deepEqual(labels(model("litl|")), ["litlens-lora", "litlens-dora"]);
    assert.deepEqual(labels(model("|")), ["litlens-lora", "litlens-dora"]);
    assert.deepEqual(labels(model("zzz|")), []);
    for (const typed of ["lo", "litlens-l", "LoR"]) {
      const [item] = itemsAt(model(`${typed}|`));
      assert.ok(item?.filterText?.toLowerCase().startsWith(typed.toLowerCase()), typed);
    }
  });

  it("have the formula in their documentation", () => {
    const context = contextWith({ formulas: "latex" });
    const [item] = itemsAt(model("lor|"));
    assert.ok(item !== undefined);
    const { documentation } = resolveCompletion(context, item);
    assert.ok(MarkupContent.is(documentation));
    assert.match(documentation.value, /^\*\*LoRA\*\* · LoRA\n[\s\S]*```latex\nh = W x/);
  });

  const silent: readonly [why: string, source: string][] = [
    ["in an expression", model("self.x = lor|")],
    ["in a list over several lines", model("self.x = [\n        lor|\n        ]")],
    [
      "in another method",
      "from torch import nn\nclass A(nn.Module):\n    def __init__(self):\n        super().__init__()\n    def forward(self, x):\n        lor|\n",
    ],
    ["in a class that is no module", "class A:\n    def __init__(self):\n        lor|\n"],
    ["in a comment", model("# lor|")],
    ["in a docstring", '"""\nlor|\n"""\n'],
    ["before other code", "lor| = 3\n"],
  ];
  for (const [why, source] of silent) {
    it(`are silent ${why}`, () => assert.deepEqual(labels(source), []));
  }
});

it("hover, completion and diagnostics answer at every stage of typing", () => {
  const source = `"""LoRA (arXiv:2106.09685
"""
from torch import nn
from peft import BoneConfig as B, LoraConfig

class A(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.fc = nn.Linear(d, 2 * d, bias=False)

%time x = LoraConfig(task_type="CAUSAL_LM", r=(3, [1, {"a": "b
# DoRA (arXiv:2106.09685
lora`;
  const context = contextWith({ commandLinks: true, formulas: "image" });
  for (let length = 0; length <= source.length; length++) {
    const document = open(source.slice(0, length));
    for (const offset of [length, length >> 1]) {
      hover(context, document, offset);
      for (const item of complete(context, document, offset).items) resolveCompletion(context, item);
    }
    diagnose(context, document);
  }
});

describe("names of layers", () => {
  const library = createLibrary(compileCorpus("corpus").corpus, {});
  const names = (source: string): string[] => {
    const { text, offset } = marked(source);
    return complete(contextWith({ library }), open(text), offset).items.map(({ label }) => label);
  };
  const loaded = (checkpoint: string, type = "AutoModelForCausalLM"): string =>
    `from peft import LoraConfig\nfrom transformers import ${type}\nmodel = ${type}.from_pretrained(${checkpoint})\n`;

  it("are those of the family that is loaded", () => {
    const llama = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
    const list = 'LoraConfig(target_modules=["|"])\n';
    assert.deepEqual(names(loaded('"meta-llama/Llama-2-7b-hf"') + list), llama);
    assert.deepEqual(names(loaded("path", "LlamaForCausalLM") + list), llama);
    assert.deepEqual(names(loaded('"openai-community/gpt2"') + list), ["c_attn", "c_proj", "c_fc"]);
    const experts = ["q_proj", "k_proj", "v_proj", "o_proj"];
    assert.deepEqual(names(loaded('"Qwen/Qwen3-30B-A3B-Base"') + list), experts);
    assert.deepEqual(names(loaded("path", "MixtralForCausalLM") + list), experts);
    const dense = names(loaded('"Qwen/Qwen3-4B-Instruct-2507"') + list);
    assert.deepEqual(dense, llama);
    assert.deepEqual(names(loaded('"microsoft/phi-2"') + list), [
      ...["q_proj", "k_proj", "v_proj", "dense"],
      ...["fc1", "fc2"],
    ]);
    const image = loaded('"google/vit-base-patch16-224"', "AutoModelForImageClassification");
    assert.deepEqual(names(image + list), [
      ...["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"],
      ...["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
    ]);
    const masks = loaded('"facebook/sam-vit-base"', "SamModel");
    assert.deepEqual(names(masks + list).slice(0, 2), ["qkv", "attn.proj"]);
    const modern = loaded('"answerdotai/ModernBERT-base"', "AutoModelForSequenceClassification");
    assert.deepEqual(names(modern + list), ["Wqkv", "attn.Wo", "Wi", "mlp.Wo"]);
    assert.deepEqual(names(`${loaded('"meta-llama/Llama-2-7b-hf"')}LoraConfig(modules_to_save=["|`), [
      "lm_head",
      "embed_tokens",
    ]);
  });

  it("are not guessed where checkpoints of two families, or of none, are loaded", () => {
    const both = loaded('"gpt2"') + loaded('"Qwen/Qwen2.5-7B"');
    for (const source of [both, loaded('"Qwen/Qwen2.5-VL-7B-Instruct"'), loaded('"gpt2x/other"')])
      assert.ok(!names(`${source}LoraConfig(modules_to_save=["|"])\n`).includes("lm_head"), source);
  });
});
