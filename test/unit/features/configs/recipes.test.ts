/** Figures of papers are filled in at the call under the cursor, and papers cited above it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkEdit, offered, reason, titles } from "./check";

const lora = (args: string): string => `from peft import LoraConfig\n\nconfig = LoraConfig(${args})\n`;
const about = (source: string, word: string): string[] =>
  titles(offered(source).actions).filter((title) => title.includes(word));

describe("a recipe", () => {
  it("names every value that it replaces, and leaves the rest", () =>
    checkEdit(
      lora(`|r=8, lora_alpha=16, bias="none"`),
      'Fill in the figures of QLoRA (arXiv:2305.14314): `r=64 for 8`, `lora_dropout=0.1`, `target_modules="all-linear"`',
      lora(`r=64, lora_alpha=16, bias="none", lora_dropout=0.1, target_modules="all-linear"`),
    ));

  it("is not offered where nothing changes, or what is there cannot be told", () => {
    assert.deepEqual(about(lora(`|r=96, lora_alpha=32, lora_dropout=0.05`), "MFTCoder"), []);
    assert.deepEqual(about(lora(`|r=8, **more`), "figures"), []);
    assert.deepEqual(about(`${lora("|r=8")}config.r = 4\n`, "figures"), []);
  });

  it("is not offered beside what it does not go with", () =>
    assert.deepEqual(about(lora(`|r=8, layers_to_transform=[1], target_modules=["q"]`), "QLoRA"), []));

  it("loads a model in 4 bits, with the imports and the preparation", () =>
    checkEdit(
      `import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_|pretrained("meta-llama/Llama-2-7b-hf")
model = get_peft_model(model, LoraConfig())
`,
      "Fill in the figures of QLoRA (arXiv:2305.14314): `quantization_config=BitsAndBytesConfig(…)`",
      `import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

model = AutoModelForCausalLM.from_pretrained("meta-llama/Llama-2-7b-hf", quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16))
model = prepare_model_for_kbit_training(model)
model = get_peft_model(model, LoraConfig())
`,
    ));

  const training = (optimizer: string, names = "LoraConfig, get_peft_model"): string => `import torch
from peft import ${names}

model = get_peft_model(model, LoraConfig(r=8))
optimizer = ${optimizer}
`;
  it("trains with LoRA+ and the decay that was", async () => {
    const imported = (optimizer: string): string =>
      training(optimizer).replace(
        "get_peft_model\n\n",
        "get_peft_model\nfrom peft.optimizers import create_loraplus_optimizer\n\n",
      );
    await checkEdit(
      training("torch.optim.Adam|W(model.parameters(), lr=2e-4)"),
      "Train with LoRA+ (arXiv:2402.12354): `loraplus_lr_ratio=16`, `loraplus_weight_decay=0.01`",
      imported(
        "create_loraplus_optimizer(model, torch.optim.AdamW, lr=2e-4, loraplus_lr_ratio=16, loraplus_weight_decay=0.01)",
      ),
    );
    await checkEdit(
      training("torch.optim.SG|D(model.parameters(), lr=1, weight_decay=0.1)"),
      "Train with LoRA+ (arXiv:2402.12354): `loraplus_lr_ratio=16`",
      imported(
        "create_loraplus_optimizer(model, torch.optim.SGD, lr=1, loraplus_weight_decay=0.1, loraplus_lr_ratio=16)",
      ),
    );
    assert.match(
      reason(training("torch.optim.Adam|W(model.parameters(), 2e-4)"), "Train with LoRA+"),
      /by name/,
    );
    assert.deepEqual(
      about("import torch\nopt = torch.optim.Adam|W(model.parameters(), lr=1)\n", "LoRA+"),
      [],
    );
  });
});

describe("a citation", () => {
  const title = "Cite LoRA above: arXiv:2106.09685";
  const comment = "# LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2022), arXiv:2106.09685";
  it("stands above the statement", async () => {
    await checkEdit(lora("|r=8"), title, lora("r=8").replace("config", `${comment}\nconfig`));
    await checkEdit(
      `def f():\n    from peft import LoraConfig\n    return get(LoraConfig(|r=8))\n`,
      title,
      `def f():\n    from peft import LoraConfig\n    ${comment}\n    return get(LoraConfig(r=8))\n`,
    );
  });
  it("is of each paper that the arguments speak of", () =>
    assert.deepEqual(about(lora("|r=8, use_dora=True"), "Cite"), [
      title,
      "Cite DoRA above: arXiv:2402.09353",
    ]));
  it("is not offered twice", () => {
    assert.deepEqual(
      about(lora("|r=8").replace("config", `# see arXiv:2106.09685\n# and more\nconfig`), "Cite"),
      [],
    );
    assert.deepEqual(about(lora("|r=8").replace(")\n", ")  # 2106.09685\n"), "Cite"), []);
    assert.deepEqual(about(`# arXiv:2106.09685\n\n${lora("|r=8")}`, "Cite"), [title]);
  });
  it("stands above a class of ours from another module", () =>
    checkEdit(
      `import torch.nn as nn\nfrom adapters import LoRALinear\n\nlayer = LoRA|Linear(8, 8, rank=4)\n`,
      title,
      `import torch.nn as nn\nfrom adapters import LoRALinear\n\n${comment}\nlayer = LoRALinear(8, 8, rank=4)\n`,
    ));
});
