/** Hovers over keys, values and comments of configuration files. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { axolotl, context, hoverIn, llamaFactory, mlx, swift } from "./check";

/** Asserts that the hover at the cursor is about `token` and says this. */
function says(source: string, token: string, ...texts: readonly (string | RegExp)[]): void {
  const found = hoverIn(source);
  assert.equal(found?.token, token, source);
  for (const text of texts)
    if (typeof text === "string") assert.ok(found.text.includes(text), `${text} in\n${found.text}`);
    else assert.match(found.text, text);
}

describe("a hover in a configuration file", () => {
  it("explains a key: type, default, recommendation, paper", () => {
    says(
      `${axolotl}lora_|r: 64\n`,
      "lora_r",
      /^\*\*lora_r\*\* · `int` · Axolotl configuration\n\nRank of the update/,
      "Recommended: 64 with all linear layers ([QLoRA](https://arxiv.org/abs/2305.14314))",
      "Paper: [LoRA](https://arxiv.org/abs/2106.09685)",
    );
    says(
      `${llamaFactory}use_dora|: true\n`,
      "use_dora",
      "**use_dora** · `bool`, default `false` · LLaMA-Factory configuration",
      "Paper: [DoRA](https://arxiv.org/abs/2402.09353)",
    );
    // of a truth value one knows both
    assert.doesNotMatch(hoverIn(`${llamaFactory}use_dora|: true\n`)?.text ?? "", /Values/);
    says(`${llamaFactory}loraplus_lr_rat|io: 16\n`, "loraplus_lr_ratio", "16 ([LoRA+]");
    says(axolotl.replace("sequence_len", "seque|nce_len"), "sequence_len", "default `512`");
  });

  it("says what rank and alpha come to here", () => {
    says(
      `${axolotl}lora_r: 64\nlora_al|pha: 8\n`,
      "lora_alpha",
      "Here: `lora_r: 64, lora_alpha: 8` → scale 0.125. With `peft_use_rslora: true` it would be 1 (α/√r, [rsLoRA]",
    );
    says(`${axolotl}lora_r: 6|4\nlora_alpha: 8\n`, "64", "value of `lora_r`", "scale 0.125");
    says(
      `${llamaFactory}lora_ra|nk: 64\n`,
      "lora_rank",
      "Here: `lora_rank: 64, lora_alpha: 128 by default` → scale 2.",
    );
    says(`${axolotl}lora_r|: 16\nlora_alpha: 8\npeft_use_rslora: yes\n`, "lora_r", "→ scale 2 (α/√r).");
    for (const other of ["lora_alpha: ${ALPHA}", "lora_alpha:", "lora_alpha: many"])
      assert.doesNotMatch(hoverIn(`${axolotl}lora_|r: 64\n${other}\n`)?.text ?? "", /Here/);
  });

  it("explains the keys of MLX LM, whose scale stands for itself, and of ms-swift", () => {
    says(
      `${mlx}  rank: 8\n  sca|le: 20.0\n  dropout: 0.0\n`,
      "scale",
      "not divided by the rank",
      "lora_alpha / r",
    );
    says(mlx.replace("num_layers", "num_la|yers"), "num_layers", "default `16`", "counted from the last");
    says(`${mlx}fine_tune_type: do|ra\n`, "dora", "[DoRA]");
    says(`${swift}lora_ra|nk: 16\n`, "lora_rank", "lora_rank: 16, lora_alpha: 32 by default` → scale 2.");
    says(swift.replace("tuner_type: lora", "tuner_type: ia|3"), "ia3", "rained scales");
    says(`${swift}target_modules: all-lin|ear\n`, "all-linear", "every linear layer");
  });

  it("explains values", () => {
    says(`${axolotl}adapter: ql|ora\n`, "qlora", /^`qlora` · value of `adapter`/, "4 bits", "[QLoRA]");
    says(`${axolotl}adapter: "qlo|ra"\n`, '"qlora"', "4 bits");
    says(`${axolotl}lora_target_linear: tr|ue\n`, "true", "Every linear layer");
    says(`${llamaFactory}lora_target: al|l\n`, "all", "Every linear layer");
    says(`${llamaFactory}finetuning_type: fr|eeze\n`, "freeze", "ome blocks");
    says(llamaFactory.replace("sft", "s|ft"), "sft", "xamples of answers");
    says(`${axolotl}lora_target_modules:\n  - q_p|roj\n`, "q_proj", "**lora_target_modules**");
  });

  it("knows the keys of parts that the catalogue describes, and no others", () => {
    says(`${axolotl}peft:\n  loftq_config:\n    loftq_b|its: 4\n`, "loftq_bits", "default `4`", "[LoftQ]");
    says(axolotl.replace("path", "pa|th"), "path", "SFTDataset, Axolotl configuration");
    assert.equal(hoverIn(`${axolotl}fsdp_config:\n  lora_|r: 8\n`), null);
    assert.equal(hoverIn(`${axolotl}anything_|else: 8\n`), null);
    assert.equal(hoverIn(`${axolotl}  |\n`), null);
  });

  it("shows the paper of an arXiv id in a comment", () => {
    says(`${axolotl}# as in arXiv:2305.|14314\n`, "arXiv:2305.14314", "QLoRA: Efficient Finetuning");
    says(`${axolotl}lora_r: 64 # arXiv:2106.0|9685\n`, "arXiv:2106.09685", "Low-Rank Adaptation");
    assert.equal(hoverIn(`${axolotl}# lora_|r\n`), null);
  });

  it("answers while the file is half written", () => {
    for (const broken of ["x: [\n", "x: 'open\n", "lora_\n", "x: {a\n"])
      says(`${axolotl}${broken}lora_al|pha: 8\nlora_r: 4\n`, "lora_alpha", "Numerator of the scale");
  });

  it("is silent where hovers are turned off", () => {
    const settings = { ...context.settings, hover: { enable: false, layers: true } };
    assert.equal(hoverIn(`${axolotl}lora_|r: 64\n`, { ...context, settings }), null);
  });
});
