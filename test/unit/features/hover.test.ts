import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import type { FeatureContext } from "../../../server/src/features/context";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, corpus, formulas, open, paper } from "./corpus";

/** Markdown at the cursor, after checking that the hover's range is what `^^^` marks. */
function check(source: string, changes: Partial<FeatureContext> = {}): string {
  const { text, offset, ranges } = marked(source);
  const document = open(text);
  const answer = hover(contextWith(changes), document, offset);
  assert.ok(answer !== null, `no hover in\n${source}`);
  assert.ok(answer.range !== undefined);
  const [range] = ranges;
  const found = {
    from: document.text.offsetAt(answer.range.start),
    to: document.text.offsetAt(answer.range.end),
  };
  assert.deepEqual(text.slice(found.from, found.to), range && text.slice(range.from, range.to));
  assert.deepEqual(found, range);
  assert.ok(MarkupContent.is(answer.contents));
  return answer.contents.value;
}

function checkNone(source: string, changes: Partial<FeatureContext> = {}): void {
  const { text, offset } = marked(source);
  assert.equal(hover(contextWith(changes), open(text), offset), null);
}

const loraLine =
  "**LoRA: Low-Rank Adaptation of Large Language Models** · Hu et al. · ICLR 2022 · [arXiv:2106.09685](https://arxiv.org/abs/2106.09685)";

describe("hover over LoraConfig", () => {
  it("says what it is, what this call means and where it comes from", () => {
    const markdown = check(
      `from peft import LoraConfig
config = Lora|Config(r=64, lora_alpha=8)
         ^^^^^^^^^^^
`,
      { formulas: "latex" },
    );
    assert.equal(
      markdown,
      `**LoraConfig** · peft

Learns an update of rank r beside chosen layers.

\`\`\`latex
h = W x + \\frac{\\alpha}{r} B A x
\`\`\`

Here: \`r=64, lora_alpha=8\` → scale 0.125. Default ratio is 1. With \`use_rslora=True\` it would be 1 (α/√r, [rsLoRA](https://arxiv.org/abs/2312.03732)).

${loraLine}  
Refined by DoRA, rsLoRA

Recommended: \`r\` 4 to 64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6) · \`use_rslora\` True ([rsLoRA](https://arxiv.org/abs/2312.03732))`,
    );
  });

  const forms: readonly [why: string, source: string][] = [
    ["an alias", "from peft import LoraConfig as LC\nLC|(r=4)\n^^\n"],
    ["the module", "import peft\npeft.Lora|Config()\n     ^^^^^^^^^^^\n"],
    ["an aliased module", "import peft as P\nP.|LoraConfig()\n  ^^^^^^^^^^^\n"],
    ["the submodule", "from peft.tuners.lora import LoraConfig\nx = |LoraConfig\n    ^^^^^^^^^^^\n"],
    [
      "a submodule's path",
      "import peft.tuners.lora\npeft.tuners.lora.LoraConfi|g(r=2)\n                 ^^^^^^^^^^^\n",
    ],
    ["the import itself", "from peft import (\n    get_peft_model,\n    Lora|Config,\n    ^^^^^^^^^^^\n)\n"],
    ["the alias in the import", "from peft import LoraConfig as L|C\n                               ^^^\n"],
    ["a star import", "from peft import *\nconfig = |LoraConfig(r=8)\n         ^^^^^^^^^^^\n"],
    ["an annotation", "from peft import LoraConfig\ndef f(c: Lora|Config): ...\n         ^^^^^^^^^^^\n"],
    [
      "an unclosed call",
      "from peft import LoraConfig\nc = Lora|Config(r=8,\n    ^^^^^^^^^^^\n\nclass A:\n    pass\n",
    ],
    [
      "a broken line elsewhere",
      "from peft import LoraConfig\nx = = 3\nc = Lora|Config(r=8)\n    ^^^^^^^^^^^\n",
    ],
  ];
  for (const [why, source] of forms) {
    it(`knows it through ${why}`, () => assert.match(check(source), /^\*\*LoraConfig\*\* · peft\n/));
  }

  it("says nothing of a namesake", () => {
    checkNone("class LoraConfig: ...\nLora|Config()\n");
    checkNone("from mine import LoraConfig\nLora|Config()\n");
  });

  it("says what use_rslora does to the scale, and nothing where the figures are not certain", () => {
    const of = (args: string): string | undefined =>
      /^Here: .*$/m.exec(check(`from peft import LoraConfig\nLora|Config(${args})\n^^^^^^^^^^^\n`))?.[0];
    assert.equal(of("r=64, lora_alpha=16, use_rslora=True"), "Here: `r=64, lora_alpha=16` → scale 2 (α/√r).");
    assert.equal(of("lora_alpha=16")?.split(". ")[0], "Here: `r=8 by default, lora_alpha=16` → scale 2");
    assert.match(
      of("r=16, lora_alpha=32, rank_pattern={'q': 4}") ?? "",
      /→ scale 2 where no pattern says otherwise\./,
    );
    assert.equal(of(""), undefined);
    assert.equal(of("r=rank, lora_alpha=8"), undefined);
    assert.equal(of("**options, r=8"), undefined);
    assert.equal(of("r=0, lora_alpha=8"), undefined);
  });

  it("links to commands only where the client runs them", () => {
    const source = "from peft import LoraConfig\nLora|Config()\n^^^^^^^^^^^\n";
    assert.ok(!check(source).includes("command:"));
    assert.equal(
      check(source, { commandLinks: true }).split("\n").at(-1),
      "[Paper](command:litlens.showPaper?%5B%22lora%22%5D) · [Related](command:litlens.searchPapers?%5B%22LoRA%3A%20Low-Rank%20Adaptation%20of%20Large%20Language%20Models%22%5D) · [Insert into a model](command:litlens.insertAdapter?%5B%7B%22method%22%3A%22lora%22%7D%5D) · [Copy BibTeX](command:litlens.copyBibtex?%5B%22lora%22%5D)",
    );
  });

  it("shows the typeset formula where pictures can be shown", () => {
    const markdown = check("from peft import LoraConfig\nLora|Config()\n^^^^^^^^^^^\n", {
      formulas: "image",
    });
    assert.match(markdown, /\n!\[h = W x \+ \\frac\{\\alpha\}\{r\} B A x\]\(data:image\/svg\+xml[^\s]*\)\n/);
  });

  it("can be turned off", () => {
    const { settings } = contextWith();
    checkNone("from peft import LoraConfig\nLora|Config()\n", {
      settings: { ...settings, hover: { enable: false, layers: true } },
    });
  });
});

describe("hover over an argument", () => {
  it("speaks of that argument alone", () => {
    assert.equal(
      check(`from peft import LoraConfig
config = LoraConfig(
    |r=64,
    ^^
    lora_alpha=8,
)
`),
      `**r** · \`int\`, default \`8\` · LoraConfig

rank of the update

Here: \`r=64, lora_alpha=8\` → scale 0.125. Default ratio is 1. With \`use_rslora=True\` it would be 1 (α/√r, [rsLoRA](https://arxiv.org/abs/2312.03732)).

Recommended: 4 to 64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6)

Values: \`8\`, \`16\`, \`64\``,
    );
  });

  it("speaks of the argument over a plain value", () => {
    assert.match(
      check("from peft import LoraConfig\nLoraConfig(r=6|4)\n             ^^^\n"),
      /^\*\*r\*\* · /,
    );
  });

  it("explains a known value", () => {
    assert.equal(
      check(
        `import peft
peft.LoraConfig(target_modules="all-|linear")
                               ^^^^^^^^^^^^^
`,
      ),
      `\`"all-linear"\` · value of \`target_modules\` · LoraConfig\n\nEvery linear layer but the head.\n\nSource: [DoRA](https://arxiv.org/abs/2402.09353)`,
    );
    const value = (written: string, cursor: number): string => {
      const at = "LoraConfig(init_lora_weights=".length;
      const line = `LoraConfig(init_lora_weights=${written.slice(0, cursor)}|${written.slice(cursor)})`;
      return check(
        `from peft import LoraConfig\n${line}\n${" ".repeat(at)}${"^".repeat(written.length + 1)}\n`,
      );
    };
    assert.match(
      value("'pissa'", 3),
      /^`'pissa'` · value of `init_lora_weights` · LoraConfig\n\nPrincipal singular vectors\.$/,
    );
    assert.match(value("True", 1), /\n\nA random, B zero\.$/);
  });

  it("explains an enumeration's member by its name", () => {
    assert.match(
      check(`from peft import LoraConfig, TaskType
LoraConfig(task_type=TaskType.CAUSAL|_LM)
                              ^^^^^^^^^^
`),
      /A decoder that predicts the next token\.$/,
    );
  });

  it("speaks of the inner call's argument, not of the outer one's", () => {
    assert.match(
      check(
        `from peft import LoraConfig, get_peft_model
m = get_peft_model(base(r=2), LoraConfig(|r=8))
                                         ^^
`,
      ),
      /^\*\*r\*\*/,
    );
    checkNone(
      "from peft import LoraConfig, get_peft_model\nm = get_peft_model(base(|r=2), LoraConfig(r=8))\n",
    );
  });

  it("says nothing over what the library does not have", () => {
    checkNone("from peft import LoraConfig\nLoraConfig(|nonsense=8)\n");
    checkNone("from peft import LoraConfig\nLoraConfig(r=ra|nk)\n");
  });
});

it("hover over get_peft_model", () => {
  assert.equal(
    check(
      `from peft import get_peft_model
model = get_|peft_model(model, config)
        ^^^^^^^^^^^^^^^
`,
    ),
    "**get_peft_model** · peft\n\nWraps a model with adapters.\n\nPapers: [LoRA](https://arxiv.org/abs/2106.09685)",
  );
});

describe("hover over a layer", () => {
  const model = (line: string, marks: string, more = ""): string => `import torch.nn as nn
from dataclasses import dataclass

@dataclass
class Config:
    n_embd: int = 768
    bias: bool = True

class Block(nn.Module):
    def __init__(self, config: Config, flag):
        super().__init__()
        ${line}
        ${marks}
${more}`;

  it("gives sizes, parameters and what adapters would train", () => {
    assert.equal(
      check(model("self.c_|attn = nn.Linear(config.n_embd, 3 * config.n_embd)", "     ^^^^^^^")),
      "**c_attn** · 768 → 2304 · 1,771,776 parameters\n\nLoRA `rank=8` would train 24,576 (1.4 %) · DoRA `rank=8` 26,880 (1.5 %)",
    );
  });

  it("answers over the constructor as well, with a link where the client runs commands", () => {
    const markdown = check(model("self.proj = nn.Lin|ear(4, 2, bias=False)", "               ^^^^^^^"), {
      commandLinks: true,
    });
    assert.match(markdown, /^\*\*proj\*\* · 4 → 2 · 8 parameters\n/);
    assert.match(
      markdown,
      /\n\[Adapt this layer…\]\(command:litlens\.insertAdapter\?%5B%22file%3A%2F%2F%2Fmodel\.py%22%2C%7B%22line%22%3A11%2C%22character%22%3A13%7D%5D\)$/,
    );
  });

  const layers: readonly [line: string, marks: string, first: string][] = [
    ["self.co|nv = nn.Conv2d(3, 64, 7)", "     ^^^^^", "**conv** · 3 → 64 · kernel 7 · 9,472 parameters"],
    [
      "self.co|nv = nn.Conv1d(8, 8, 3, groups=8, bias=False)",
      "     ^^^^^",
      "**conv** · 8 → 8 · kernel 3 · 24 parameters",
    ],
    [
      "self.wt|e = nn.Embedding(50257, config.n_embd)",
      "     ^^^^",
      "**wte** · 50257 × 768 · 38,597,376 parameters",
    ],
    ["self.ln|_1 = nn.LayerNorm(768)", "     ^^^^^", "**ln_1** · 768 · 1,536 parameters"],
    [
      "self.ln|_1 = nn.LayerNorm(768, elementwise_affine=False)",
      "     ^^^^^",
      "**ln_1** · 768 · 0 parameters",
    ],
    ["self.fc| = nn.Linear(2, 3, bias=flag)", "     ^^^", "**fc** · 2 → 3 · 6 parameters without bias"],
  ];
  for (const [line, marks, first] of layers) {
    it(`knows ${line.replace("|", "").slice(line.indexOf("=") + 1)}`, () => {
      assert.equal(check(model(line, marks.replace(/\^(?=\^*$)/, "^"))).split("\n")[0], first);
    });
  }

  it("keeps out of the way where sizes are not known, outside model classes, and when turned off", () => {
    checkNone(model("self.fc| = nn.Linear(flag, 3)", ""));
    checkNone("from torch import nn\nhead = nn.Lin|ear(2, 3)\n");
    const { settings } = contextWith();
    checkNone(model("self.fc| = nn.Linear(2, 3)", ""), {
      settings: { ...settings, hover: { enable: true, layers: false } },
    });
  });
});

describe("hover over an inserted class", () => {
  const definition = `from torch import nn

class LoRALinear(nn.Linear):
    """\`nn.Linear\` plus a low-rank update: LoRA (Hu et al., 2022, arXiv:2106.09685)."""

    def __init__(self, in_features, out_features, *, rank=8, alpha=16.0):
        super().__init__(in_features, out_features)

`;
  const whole = `**LoRALinear** · LoRA

Adds a low-rank update.

- \`rank\` 8, typically 4–64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6)
- \`alpha\` 16.0

Starts as the layer it adapts; can be merged; loads the old checkpoint.

${loraLine}`;

  it("tells the method where it is defined and where it is used", () => {
    assert.equal(
      check(
        definition.replace(
          "class LoRALinear(nn.Linear):",
          "class LoRA|Linear(nn.Linear):\n      ^^^^^^^^^^^",
        ),
      ),
      whole,
    );
    assert.equal(check(`${definition}x = LoRA|Linear(2, 3)\n    ^^^^^^^^^^^\n`), whole);
    assert.equal(check("from adapters import LoRALinear\nx = LoRA|Linear(2, 3)\n    ^^^^^^^^^^^\n"), whole);
  });

  it("explains its arguments", () => {
    assert.equal(
      check(`${definition}x = LoRALinear(2, 3, ra|nk=4)\n                     ^^^^^\n`),
      "**rank** · int, default `8` · LoRA\n\ninner dimension\n\nTypical: 4–64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6)",
    );
  });

  it("says what was inferred", () => {
    assert.match(
      check("from adapters import DoRALinear\nDoRA|Linear(2, 3)\n^^^^^^^^^^^\n"),
      /\n\n\*Reconstruction: details are inferred\.\* The norm is detached\.$/,
    );
  });

  it("leaves the user's own class of that name alone", () => {
    checkNone('class LoRA|Linear:\n    """My own."""\n');
  });
});

describe("hover over a paper in prose", () => {
  const whole = `${loraLine}

Edward J. Hu, Yelong Shen, Phillip Wallis and 5 more

Freezes the weights and learns a low-rank update beside them.

- \`rank\` 8, typically 4–64 ([LoRA](https://arxiv.org/abs/2106.09685), table 6)
- \`alpha\` 16.0

Refined by DoRA, rsLoRA`;

  const spellings: readonly [source: string, token: string][] = [
    ["x = 1  # see arXiv:2106.0|9685 for why\n", "arXiv:2106.09685"],
    ["# (arXiv: 2106.09685|v2)\n", "arXiv: 2106.09685v2"],
    ["# 2106.|09685v2\n", "2106.09685v2"],
    ["# https://arxiv.org/abs/2106.09|685, there\n", "https://arxiv.org/abs/2106.09685"],
    ["# <https://arxiv.org/pdf/2106.09685|v1.pdf>\n", "https://arxiv.org/pdf/2106.09685v1.pdf"],
    ["# hf|.co/papers/2106.09685\n", "hf.co/papers/2106.09685"],
    ["# https://huggingface.co/papers/2106.09685|\n", "https://huggingface.co/papers/2106.09685"],
    ['def f():\n    """As in\n    arXiv:2106|.09685.\n    """\n', "arXiv:2106.09685"],
    ['url = "https://arxiv.org/abs/2106.0|9685"\n', "https://arxiv.org/abs/2106.09685"],
    [
      "# LoRA: Low-Rank Adap|tation of Large Language Models, by Hu\n",
      "LoRA: Low-Rank Adaptation of Large Language Models",
    ],
  ];
  for (const [source, token] of spellings) {
    it(`finds ${token} in ${source
      .split("\n")
      .find((line) => line.includes("|"))
      ?.replace("|", "")
      .trim()}`, () => {
      const { text, offset } = marked(source);
      const document = open(text);
      const { contents, range } = hover(contextWith(), document, offset) ?? {};
      assert.equal(document.text.getText(range), token);
      assert.ok(MarkupContent.is(contents));
      assert.equal(contents.value, whole);
    });
  }

  it("finds a title that is wrapped over two comment lines", () => {
    const { text, offset } = marked("# LoRA: Low-Rank Adaptation of\n# Large Lang|uage Models\nx = 1\n");
    const answer = hover(contextWith(), open(text), offset);
    assert.deepEqual(answer?.range, { start: { line: 0, character: 2 }, end: { line: 1, character: 23 } });
  });

  it("says nothing of ids it does not know and of numbers that only look like one", () => {
    checkNone("# arXiv:1706.|03762\n");
    checkNone("x = 2106.|09685\n");
    checkNone("# 12106.|096851\n");
    checkNone("# arXiv:2106.0968|51\n");
    checkNone("# see the paper| arXiv:2106.09685\n");
  });

  it("finds papers of the user's own library and takes none of their words for Markdown", () => {
    const library = createLibrary(corpus, formulas);
    library.setUserPapers([
      paper({
        id: "mine",
        title: "A [x](command:evil) title of `many` words",
        organisation: "<b>Org</b>",
        arxiv: "2501.00001",
        origin: "user",
        summary: "![i](https://evil.example/i.png)\n# <script>alert(1)</script>",
        listed: { date: "Jan 2", votes: 7 },
      }),
    ]);
    assert.equal(
      check("# arXiv:2501.0|0001\n  ^^^^^^^^^^^^^^^^^\n", { library }),
      `**A \\[x\\](command:evil) title of \\\`many\\\` words** · \\<b\\>Org\\</b\\> · [arXiv:2501.00001](https://arxiv.org/abs/2501.00001)

\\<b\\>Org\\</b\\> · Jan 2 · 7 votes

!\\[i\\](https://evil.example/i.png) # \\<script\\>alert(1)\\</script\\>`,
    );
  });
});
