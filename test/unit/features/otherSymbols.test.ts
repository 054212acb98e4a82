/** Libraries besides PEFT as the bundled corpus has them: what a hover says of one name and one argument of each. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

const { corpus } = compileCorpus("corpus");
const context = contextWith({ library: createLibrary(corpus, {}), formulas: "none", commandLinks: false });

/** The hover at the cursor as it reads. */
function at(source: string): string {
  const { text, offset } = marked(source);
  const { contents } = hover(context, open(text), offset) ?? {};
  assert.ok(MarkupContent.is(contents), `no hover in ${source}`);
  return contents.value.replace(/\\(?=\W|_)/g, "");
}

/** Asserts that the hover at each cursor says this. */
function says(hovers: Readonly<Record<string, RegExp>>): void {
  for (const [source, text] of Object.entries(hovers)) assert.match(at(source), text, source);
}

describe("a hover of other libraries", () => {
  it("explains loralib", () => {
    says({
      "import loralib as lora\nself.q = lora.Merged|Linear(8, 24, r=4)\n":
        /^\*\*MergedLinear\*\* · loralib[^]*no LoRA until you set it[^]*LoRA/,
      "import loralib as lora\nself.q = lora.Linear(8, 8, lora_|alpha=16)\n": /lora_alpha \/ r/,
    });
  });

  it("explains LitGPT and tells its three configurations apart", () => {
    says({
      "from litgpt.lora import GPT, Config\nc = Con|fig(lora_r=8)\n": /lora_r is 0/,
      "from litgpt.adapter import Config\nc = Con|fig()\n": /LLaMA-Adapter/,
      "from litgpt.adapter_v2 import Config\nc = Con|fig()\n": /V2/,
      "import litgpt.lora as l\nc = l.Config(lora_|head=True)\n": /output head/,
    });
  });

  it("explains torchtune", () => {
    says({
      "from torchtune.models import llama3\nm = llama3.lora_llama3|_8b(['q_proj'])\n": /Llama 3 8B with LoRA/,
      "from torchtune.models.llama3 import lora_llama3_8b\nm = lora_llama3_8b([], use_|dora=True)\n":
        /length and a direction/,
      "from torchtune.modules.peft import DoRA|Linear\n": /initialize_dora_magnitude/,
    });
  });

  it("explains LyCORIS and each algorithm it has", () => {
    says({
      "from lycoris import create|_lycoris\n": /algo chooses the method/,
      "import lycoris\nn = lycoris.create_lycoris(m, algo='lo|ha')\n": /entry by entry/,
    });
  });

  it("explains Lorax", () => {
    says({
      "import lorax\np = lorax.init|_lora(params, spec, key)\n": /vector cannot have a rank/,
      "import lorax\np = lorax.merge_params(p, destruct|ive=False)\n": /Frees the buffers/,
    });
  });

  it("explains TRL", () => {
    says({
      "from trl import SFT|Trainer\n": /ten times the learning rate/,
      "from trl import SFTTrainer\nt = SFTTrainer(model, peft|_config=c)\n": /any configuration of PEFT/,
      "from trl import ModelConfig\nc = ModelConfig(lora|_r=16)\n": /^\*\*lora_r\*\*/,
    });
  });

  it("explains MLX LM, whose scale is not divided by the rank", () => {
    says({
      "from mlx_lm.tuner.lora import LoRA|Linear\n": /lora_alpha \/ r/,
      "from mlx_lm.tuner.lora import LoRALinear\nl = LoRALinear(8, 8, sc|ale=2.0)\n":
        /not divided by the rank/,
    });
  });

  it("explains the commands of LitGPT, and the script of kohya", () => {
    says({
      "from litgpt.finetune.lora import set|up\n": /litgpt finetune_lora/,
      "from litgpt.scripts.merge_lora import merge|_lora\n": /folds trained factors/,
      "from train_network import setup|_parser\n": /weakens the update/,
    });
  });

  it("explains Keras, on the method of each layer", () => {
    says({
      "import keras\nx = keras.layers.Dense(8, lora|_rank=4)\n": /kernel is frozen/,
      "from keras import layers\nx = layers.Dense(8)\nx.enable|_lora(4)\n": /must be built/,
      "from keras import layers\nx = layers.Conv2D(8, 3)\nx.enable_lora(4, b_|initializer='zeros')\n":
        /B starts/,
    });
  });

  it("explains Unsloth", () => {
    says({
      "from unsloth import FastLanguageModel\nm = FastLanguageModel.get_peft|_model(m, r=16)\n":
        /embed_tokens and lm_head/,
      "from unsloth import FastVisionModel\nm = FastVisionModel.get_peft_model(m, finetune|_vision_layers=False)\n":
        /part for images/,
    });
  });

  it("explains Flax and Qwix", () => {
    says({
      "from flax import nnx\nl = nnx.LoRA|Linear(8, 8, lora_rank=2, rngs=r)\n": /no alpha/,
      "import qwix\np = qwix.Lora|Provider(rank=4, alpha=8.0)\n": /not both/,
      "import qwix\np = qwix.LoraProvider(al|pha=8.0)\n": /alpha \/ rank/,
    });
  });

  it("explains OpenDelta, with the methods that all its adapters have", () => {
    says({
      "from opendelta import LoraModel\nd = LoraModel(backbone_model=m, lora|_r=8)\n": /^\*\*lora_r\*\*/,
      "from opendelta import AdapterModel\nd = AdapterModel(m)\nd.freeze|_module(exclude=['deltas'])\n":
        /Until it is called the whole model trains/,
    });
  });

  it("explains the settings of LLaMA-Factory and Axolotl", () => {
    says({
      "from llamafactory.hparams import FinetuningArguments\na = FinetuningArguments(lora|_alpha=16)\n":
        /twice the rank/,
      "from llamafactory.hparams.finetuning_args import Galore|Arguments\n": /cannot go with finetuning_type/,
      "from axolotl.utils.schemas.peft import Lora|Config\n": /needs load_in_4bit/,
    });
  });
});
