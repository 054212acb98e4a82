/** PEFT's symbols as the bundled corpus has them, by every way in which code names them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { complete } from "../../../server/src/features/completion";
import { diagnose } from "../../../server/src/features/diagnostics";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

const { corpus } = compileCorpus("corpus");
const library = createLibrary(corpus, {});
const context = contextWith({ library, formulas: "none", commandLinks: false });

/** The hover at the cursor as it reads. */
function at(source: string): string {
  const { text, offset } = marked(source);
  const { contents } = hover(context, open(text), offset) ?? {};
  assert.ok(MarkupContent.is(contents), `no hover in ${source}`);
  return contents.value.replace(/\\(?=\W|_)/g, "");
}

const first = (source: string): string => at(source).split("\n")[0] ?? "";

const labels = (source: string): string[] => {
  const { text, offset } = marked(source);
  return complete(context, open(text), offset)
    .items.toSorted((a, b) => (a.sortText ?? "").localeCompare(b.sortText ?? ""))
    .map(({ label }) => label);
};

const groups = {
  "low-rank": ["VeraConfig", "vera", "d_initial"],
  additive: ["HiraConfig", "hira", "hira_dropout"],
  orthogonal: ["BOFTConfig", "boft", "boft_block_size"],
  sparse: ["FourierFTConfig", "fourierft", "n_frequency"],
  prompt: ["PrefixTuningConfig", "prefix_tuning", "prefix_projection"],
  LoRA: ["AdaLoraConfig", "adalora", "deltaT"],
} as const;

describe("a configuration of PEFT", () => {
  for (const [group, [name, module, field]] of Object.entries(groups)) {
    it(`has hovers by every import form: ${group}`, () => {
      for (const [imported, called] of [
        ["import peft", `peft.${name}`],
        ["import peft as p", `p.${name}`],
        [`from peft import ${name} as C`, "C"],
        [`from peft import ${name}`, name],
        ["from peft import *", name],
        [`import peft.tuners.${module} as l`, `l.${name}`],
        [`from peft.tuners.${module}.config import ${name}`, name],
        [`from peft import tuners`, `tuners.${name}`],
      ] as const) {
        const head = called.slice(0, -1);
        const last = called.slice(-1);
        assert.equal(first(`${imported}\nc = ${head}|${last}(${field}=1)\n`), `**${name}** · peft`, imported);
        assert.match(
          first(`${imported}\nc = ${called}(|${field}=1)\n`),
          new RegExp(`^\\*\\*${field}\\*\\* · .* · ${name}$`),
        );
        assert.match(first(`${imported}\nc = ${called}(|task_type=None)\n`), /^\*\*task_type\*\*/);
      }
    });
  }

  it("says what it adapts, how it starts and what to look out for", () => {
    const value = at("from peft import LoHa|Config\n");
    assert.match(
      value,
      /^Starts as the model it adapts; can be merged; can become a LoRA\. Adapts Linear, Conv1d and Conv2d\. Tensors are called `hada_…`\. Since 0\.6\.$/m,
    );
    assert.match(value, /^- High ranks can give a loss/m);
    assert.match(
      at("from peft import Lora|Config\n"),
      /Adapts Linear, Embedding, Conv1d and 5 more, also quantised by bitsandbytes, GPTQ, AWQ and 5 more\. /,
    );
    assert.match(
      at("from peft import Ada|LoraConfig\n"),
      /Adapts Linear, also quantised by bitsandbytes and GPTQ\./,
    );
  });

  it("has a hover for each text it takes", () => {
    for (const [call, text] of [
      ['LoraConfig(init_lora_weights="pi|ssa")', "Main singular vectors; "],
      ['LoraConfig(init_lora_weights="lora|_ga")', "first gradients; "],
      ['LoraConfig(target_modules="all-|linear")', "Every linear layer but the output head."],
      ['VeraConfig(task_type="CAUSAL|_LM")', "Language models that continue a text."],
      ['RoadConfig(variant="road|_4")', "four times as many"],
      ['MissConfig(init_weights="b|at")', "Depends on the weight"],
    ] as const) {
      const value = at(`from peft import *\nc = ${call}\n`);
      assert.ok(value.includes(text), value);
    }
  });

  it("completes its arguments, the most used first", () => {
    assert.deepEqual(labels("from peft import LoraConfig\nc = LoraConfig(|)\n").slice(0, 5), [
      "r",
      "lora_alpha",
      "lora_dropout",
      "target_modules",
      "task_type",
    ]);
    const all = labels("from peft import VeraConfig\nc = VeraConfig(r=8, |)\n");
    assert.equal(all[0], "target_modules");
    assert.ok(all.includes("task_type") && all.includes("inference_mode") && !all.includes("r"));
  });
});

describe("what PEFT's functions give", () => {
  const made = "from peft import PeftModel, get_peft_model\nmodel = get_peft_model(m, c)\n";

  it("has hovers for its methods and their arguments", () => {
    assert.equal(first(`${made}model.merge|_and_unload()\n`), "**PeftModel.merge_and_unload** · peft");
    assert.match(first(`${made}model.merge_and_unload(safe|_merge=True)\n`), /^\*\*safe_merge\*\*/);
    assert.equal(
      first("from peft import PeftModel\nPeftModel.from|_pretrained(m, p)\n"),
      "**PeftModel.from_pretrained** · peft",
    );
    assert.equal(
      first(`${made}model.base_model.update|_and_allocate(1)\n`),
      "**AdaLoraModel.update_and_allocate** · peft",
    );
    assert.equal(
      first(
        "import peft\nmodel = peft.AutoPeftModelForCausalLM.from_pretrained(p)\nmodel.disable|_adapter()\n",
      ),
      "**PeftModel.disable_adapter** · peft",
    );
  });

  it("completes arguments and values of its methods", () => {
    assert.equal(labels(`${made}model.add_weighted_adapter(|`)[0], "adapters");
    assert.ok(labels(`${made}model.add_weighted_adapter(combination_type="|")\n`).includes("ties"));
  });

  it("is silent over what only looks like it", () => {
    for (const source of [
      "model = f()\nmodel.merge|_and_unload()\n",
      `${made}model = f(model)\nmodel.merge|_and_unload()\n`,
    ]) {
      const { text, offset } = marked(source);
      assert.equal(hover(context, open(text), offset), null);
    }
  });
});

describe("the symbols of PEFT", () => {
  const symbols = corpus.symbols.filter((symbol) => symbol.library === "peft");

  it("each stand at paths of their own, which lead to them", () => {
    const owners = new Map<string, string>();
    for (const { name, qualified } of symbols) {
      assert.ok(qualified.length > 0, name);
      for (const path of qualified) {
        assert.equal(owners.get(path), undefined, `${path} of ${name}`);
        owners.set(path, name);
        assert.equal(library.symbol(path)?.name, name);
      }
    }
  });

  it("have every tuner type, with its tag, configuration and class", () => {
    const tags = symbols.filter(({ name }) => name.startsWith("PeftType."));
    assert.equal(tags.length, 44);
    for (const { summary } of tags) {
      const config = /(\w+Config)\.$/.exec(summary)?.[1] ?? "";
      const found = library.symbol(`peft.${config}`);
      assert.equal(found?.name, config);
      assert.ok(
        found.fields.some((field) => field.name === "task_type"),
        config,
      );
    }
  });

  it("know what was removed and what it is now", () => {
    const text = "from peft import prepare_model_for_int8_training\nprepare_model_for_int8_training(m)\n";
    assert.deepEqual(
      diagnose(context, open(text)).map(({ code }) => code),
      ["removed-symbol"],
    );
    assert.match(
      at("from peft import Bone|Config\n"),
      /^Removed in peft 0\.19; `MissConfig` is the same thing now\.$/m,
    );
  });
});
