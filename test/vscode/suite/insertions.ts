/** What each kind of code action makes of a file, written out by hand but for the class, which is the corpus's own. */
import bone from "../../../corpus/methods/bone/bone.py";
import compacter from "../../../corpus/methods/compacter/compacter.py";
import dora from "../../../corpus/methods/dora/dora.py";
import houlsby from "../../../corpus/methods/houlsby/houlsby.py";
import lora from "../../../corpus/methods/lora/lora.py";
import promptTuning from "../../../corpus/methods/prompt-tuning/prompt_tuning.py";
import proxyTuning from "../../../corpus/methods/proxy-tuning/proxy_tuning.py";
import scedit from "../../../corpus/methods/scedit/scedit.py";
import trainOnly from "../../../corpus/methods/shared/train_only.py";
import { unquoted } from "../../annotations";

export interface Insertion {
  readonly method: string;
  readonly name?: string;
  /** The cursor is at `|`. */
  readonly source: string;
  /** The whole file afterwards. */
  readonly expected: string;
  /** What stands selected afterwards: the first value to decide on. */
  readonly selected: string;
}

/** Classes and functions of a file of the corpus as they are inserted, in its order. */
export function definitions(python: string, ...names: readonly string[]): string {
  const parts = python.trimEnd().split(/\n\n\n(?=class |def |@)/);
  const chosen = parts.filter((part) =>
    names.includes(/^(?:@.*\n)*(?:class|def) (\w+)/.exec(part)?.[1] ?? ""),
  );
  if (chosen.length !== names.length) throw new Error(`${names.join(", ")}: found ${chosen.length}`);
  return unquoted(chosen.join("\n\n\n"));
}

const imports = "import math\nfrom collections.abc import Sequence\n\n";
const torch = "import torch\nfrom torch import Tensor, nn\nfrom torch.nn import functional as F\n";

const attention = `class Attention(nn.Module):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.query = nn.Lin|ear(width, width, bias=False)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.query(x))
`;

const feedForward = `class FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(64, 256)
        self.down = nn.Linear(256, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))
`;

const block = `class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(64)
        self.mlp = Feed|Forward()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mlp(self.norm(x))  # (B, T, C)
        return x
`;

const decoder = `class UpBlock(nn.Module):
    def __init__(self, channels: int, skip_channels: int) -> None:
        super().__init__()
        self.merge = nn.Conv2d(channels + skip_channels, channels, 3, padding=1)

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        h = torch.c|at([h, skip], dim=1)
        return self.merge(h)
`;

const languageModel = `class LanguageModel(nn.Module):
    def __init__(self, vocabulary: int = 256, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)

    @torch.no_grad()
    def generate(self, tokens: Tensor, count: int) -> Tensor:
        for _ in range(count):
            logits = self(tokens)[:, -1, :]
            following = logits.softmax(dim=-1).multinomial(1)
            tokens = torch.cat([tokens, following], dim=1)
        return tokens
`;

/** The text with a change written out: each `from` stands in it once. */
function changed(text: string, ...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce(
    (result, [from, to]) => {
      if (result.split(from).length !== 2) throw new Error(`not once in the source: ${from}`);
      return result.replace(from, () => to);
    },
    text.replace("|", ""),
  );
}

const inLinear = (python: string, name: string, layer: string) => ({
  source: `${imports}${torch}\n\n${attention}`,
  expected: `${imports}${torch}\n\n${definitions(python, name)}\n\n\n${changed(attention, [
    "nn.Linear(width, width, bias=False)",
    layer,
  ])}`,
});

const afterBlock = (python: string, names: readonly string[], call: string) => ({
  source: `${imports}${torch}\n\n${feedForward}\n\n${block}`,
  expected: `${imports}${torch}\n\n${feedForward}\n\n${definitions(python, ...names)}\n\n\n${changed(
    block,
    ["self.mlp = FeedForward()\n", `self.mlp = FeedForward()\n        self.mlp_adapter = ${call}\n`],
    ["x + self.mlp(self.norm(x))", "x + self.mlp_adapter(self.mlp(self.norm(x)))"],
  )}`,
});

const frozen = block.replace("|", "");
const model = (cursor: string) => languageModel.replace(cursor.replace("|", ""), cursor);

export const insertions: readonly Insertion[] = [
  {
    method: "lora",
    ...inLinear(lora, "LoRALinear", "LoRALinear(width, width, bias=False, rank=8, alpha=16)"),
    selected: "8",
  },
  {
    method: "dora",
    ...inLinear(dora, "DoRALinear", "DoRALinear(width, width, bias=False, rank=8, alpha=16)"),
    selected: "8",
  },
  {
    method: "bone",
    ...inLinear(bone, "BoneLinear", "BoneLinear(width, width, bias=False, block_size=64)"),
    selected: "64",
  },
  {
    method: "houlsby",
    ...afterBlock(houlsby, ["HoulsbyAdapter"], "HoulsbyAdapter(64, bottleneck=64)"),
    selected: "64",
  },
  {
    method: "compacter",
    ...afterBlock(
      compacter,
      ["PHMLinear", "CompacterAdapter", "share_phm_rule"],
      "CompacterAdapter(64, reduction=32)\n        share_phm_rule(self)",
    ),
    selected: "32",
  },
  {
    method: "scedit",
    source: `${imports}${torch}\n\n${decoder}`,
    expected: `${imports}${torch}\n\n${definitions(scedit, "SCTuner")}\n\n\n${changed(
      decoder,
      [
        "channels, 3, padding=1)\n",
        "channels, 3, padding=1)\n        self.sc_tuner = SCTuner(skip_channels, ratio=1)\n",
      ],
      ["torch.cat([h, skip]", "torch.cat([h, self.sc_tuner(skip)]"],
    )}`,
    selected: "1",
  },
  {
    method: "prompt-tuning",
    source: `${imports}${torch}\n\n${frozen}\n\n${model("self.blo|cks = nn")}`,
    expected: `${imports}${torch}\n\n${frozen}\n\n${definitions(promptTuning, "SoftPrompt")}\n\n\n${changed(
      languageModel,
      [
        "Block() for _ in range(2))\n",
        "Block() for _ in range(2))\n        self.soft_prompt = SoftPrompt(64, tokens=20)\n",
      ],
      [
        "        for block in self.blocks:\n            x = block(x)\n",
        "        x = self.soft_prompt(x)  # (B, n + T, d)\n        for block in self.blocks:\n            x = block(x)\n" +
          "        x = self.soft_prompt.strip(x)  # (B, T, d)\n",
      ],
    )}`,
    selected: "20",
  },
  {
    method: "proxy-tuning",
    source: `${imports}${torch}\n\n${frozen}\n\n${model("logits = se|lf(tokens)")}`,
    expected: `${imports}${torch}\n\n${frozen}\n\n${definitions(proxyTuning, "proxy_tuned_logits")}\n\n\n${changed(
      languageModel,
      [
        "tokens: Tensor, count: int) -> Tensor:\n        for",
        "tokens: Tensor, count: int, expert=None, antiexpert=None) -> Tensor:\n        for",
      ],
      [
        "self(tokens)[:, -1, :]\n",
        "self(tokens)[:, -1, :]\n            if expert is not None and antiexpert is not None:\n" +
          "                logits = proxy_tuned_logits(logits, expert(tokens)[:, -1, :], antiexpert(tokens)[:, -1, :], alpha=1)\n",
      ],
    )}`,
    selected: "1",
  },
  {
    method: "train-only",
    source: `${imports}${torch}\n\n${definitions(lora, "LoRALinear")}\n\n\n${attention
      .replace("nn.Lin|ear", "LoRALinear")
      .replace("class Attention", "class Atten|tion")}`,
    expected: `${imports}${torch}\n\n${definitions(lora, "LoRALinear")}\n\n\n${definitions(trainOnly, "train_only")}\n\n\n${changed(
      attention.replace("nn.Lin|ear", "LoRALinear"),
      [
        "        self.output = nn.Linear(width, width)\n",
        "        self.output = nn.Linear(width, width)\n        train_only(self, LoRALinear)\n",
      ],
    )}`,
    selected: "",
  },
  {
    method: "lora",
    name: "lora with the imports it needs, in the words of the file",
    source: `import torch\nimport torch.nn as nn\n\n\n${attention.replaceAll("Tensor", "torch.Tensor")}`,
    expected: `import math\n\nimport torch\nimport torch.nn as nn\n\n\n${definitions(lora, "LoRALinear").replaceAll("Tensor", "torch.Tensor")}\n\n\n${changed(
      attention.replaceAll("Tensor", "torch.Tensor"),
      ["nn.Linear(width, width, bias=False)", "LoRALinear(width, width, bias=False, rank=8, alpha=16)"],
    )}`,
    selected: "8",
  },
];
