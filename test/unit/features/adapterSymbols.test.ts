/** Libraries of adapters beside PEFT as the bundled corpus has them: configurations, calls and methods have hovers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { diagnose } from "../../../server/src/features/diagnostics";
import { quickFixes } from "../../../server/src/features/quickFixes";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

const { corpus } = compileCorpus("corpus");
const context = contextWith({
  library: createLibrary(corpus, {}),
  formulas: "none",
  commandLinks: false,
});

/** The hover at the cursor as it reads. */
function at(source: string): string {
  const { text, offset } = marked(source);
  const { contents } = hover(context, open(text), offset) ?? {};
  assert.ok(MarkupContent.is(contents), `no hover in ${source}`);
  return contents.value.replace(/\\(?=\W|_)/g, "");
}

describe("Adapters", () => {
  it("gives a configuration the fields of the one it extends, with its own defaults", () => {
    assert.match(at("from adapters import SeqBnInv|Config\n"), /^\*\*SeqBnInvConfig\*\* · adapters/);
    const call = (argument: string): string =>
      at(`from adapters import SeqBnInvConfig\nSeqBnInvConfig(|${argument}=1)\n`);
    assert.match(call("inv_adapter"), /^\*\*inv_adapter\*\* · .*"nice".* · SeqBnInvConfig/);
    assert.match(call("ln_before"), /new layer normalisation/);
  });

  it("knows the methods of a model that AutoAdapterModel loads", () => {
    const model = 'from adapters import AutoAdapterModel\nm = AutoAdapterModel.from_pretrained("bert")\n';
    assert.match(at(`${model}m.train_|adapter("a")\n`), /Freezes the model/);
  });
});

describe("adapter-transformers", () => {
  const source = "from transformers.adapters import PfeifferConfig\nc = PfeifferConfig()\n";

  it("says what to import today", () => {
    assert.match(at(source.replace("import ", "import |")), /import SeqBnConfig from adapters/);
  });

  it("has no fix for the finding: the new name stands in another package, so that renaming alone would break it", () => {
    const found = diagnose(context, open(source));
    assert.deepEqual(
      found.map(({ code }) => code),
      ["old-adapter-names"],
    );
    assert.deepEqual(quickFixes(open(source), found), []);
  });
});

describe("Diffusers", () => {
  it("knows what a pipeline does with LoRAs, image prompts and learned words", () => {
    const pipe =
      'from diffusers import StableDiffusionXLPipeline\np = StableDiffusionXLPipeline.from_pretrained("x")\n';
    assert.match(at(`${pipe}p.load_lora_|weights("x")\n`), /U-Net and the text encoder/);
    assert.match(at(`${pipe}p.set_|adapters(["a"])\n`), /how strongly each acts/);
    assert.match(at(`${pipe}p.load_ip_|adapter("x", subfolder="", weight_name="")\n`), /IP-Adapters/);
    assert.match(at(`${pipe}p.load_textual_|inversion("x")\n`), /new words/);
  });

  it("warns of a prefix that leads nowhere", () => {
    assert.match(
      at("from diffusers import UNet2DConditionModel\nUNet2DConditionModel.load_lora_|adapter\n"),
      /prefix="unet"/,
    );
  });
});

describe("ms-swift", () => {
  it("explains tuners and the arguments of the command line", () => {
    assert.match(at("from swift.tuners import SCETuning|Config\n"), /skip connections/);
    assert.match(
      at("from swift.arguments import TunerArguments\nTunerArguments(|lora_alpha=1)\n"),
      /lora_alpha \/ lora_rank.*/,
    );
  });
});

describe("pyreft", () => {
  it("explains an intervention and the model that it is put on", () => {
    assert.match(at("from pyreft import LoreftInter|vention\n"), /LoReFT/);
    const model = "import pyreft\nm = pyreft.get_reft_model(base, config)\n";
    assert.match(at(`${model}m.print_trainable_|parameters()\n`), /in the interventions and in the model/);
  });
});
