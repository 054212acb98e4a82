/** Completion in configuration files: keys, values, and the layers of the model's family. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { resolveCompletion } from "../../../server/src/features/completion";
import { afterTaking, axolotl, context, itemsIn, llamaFactory, mlx, swift } from "./check";

const labels = (source: string): string[] => itemsIn(source).map(({ label }) => label);
const plain = { ...context, snippets: false };

describe("completion in a configuration file", () => {
  it("offers keys that are not given yet, the most used first", () => {
    const found = labels(`${axolotl}|\nlora_r: 8\n`);
    for (const given of ["base_model", "datasets", "sequence_len", "lora_r"])
      assert.ok(!found.includes(given), given);
    for (const key of ["adapter", "lora_alpha", "load_in_4bit", "relora"])
      assert.ok(found.includes(key), key);
    assert.ok(found.indexOf("micro_batch_size") < found.indexOf("lisa_n_layers"));
    assert.ok(labels(`${llamaFactory}lo|\n`).includes("lora_rank"));
    // the word under the cursor is not counted as given
    assert.ok(labels(`${axolotl}lora_r|: 8\n`).includes("lora_r"));
  });

  it("writes a key with recommended values as choices", () => {
    assert.equal(afterTaking("lora_r", `${axolotl}lo|\n`), `${axolotl}lora_r: \${1|16,32,64,8|}\n`);
    assert.equal(afterTaking("load_in_4bit", `${axolotl}|\n`), `${axolotl}load_in_4bit: \${1|true,false|}\n`);
    assert.equal(afterTaking("load_in_4bit", `${axolotl}|\n`, plain), `${axolotl}load_in_4bit: true\n`);
    assert.equal(afterTaking("lora_alpha", `${axolotl}lora_|r: 8\n`), `${axolotl}lora_alpha: 8\n`);
    assert.equal(afterTaking("peft", `${axolotl}pe|\n`, plain), `${axolotl}peft:\n  \n`);
  });

  it("knows the keys of MLX LM and ms-swift", () => {
    assert.deepEqual(labels(`${mlx}  rank: 8\n  |\n`).sort(), ["dropout", "keys", "scale"]);
    assert.deepEqual(labels(`${mlx}fine_tune_type: |\n`), ["lora", "dora", "full"]);
    assert.equal(afterTaking("lora_alpha", `${swift}lora_a|\n`, plain), `${swift}lora_alpha: 32\n`);
    const layers = labels(`${swift}target_modules: [|]\n`);
    assert.ok(layers.includes("q_proj"), layers.join());
  });

  it("offers values", () => {
    assert.deepEqual(labels(`${axolotl}adapter: |\n`), ["lora", "qlora", "llama-adapter"]);
    assert.equal(afterTaking("qlora", `${axolotl}adapter: l|ora # x\n`), `${axolotl}adapter: qlora # x\n`);
    assert.deepEqual(labels(`${axolotl}load_in_8bit: |\n`), ["true", "false"]);
    assert.deepEqual(labels(`${llamaFactory}finetuning_type: f|`), ["lora", "oft", "freeze", "full"]);
    assert.ok(labels(`${llamaFactory}pref_loss: `.concat("|\n")).includes("simpo"));
  });

  it("lists the layers of the model's family", () => {
    const llama = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
    assert.deepEqual(labels(`${axolotl}lora_target_modules:\n  - |\n`), llama);
    assert.deepEqual(
      labels(`${axolotl}lora_target_modules:\n- q_proj\n- v_proj\n- |\n`),
      llama.filter((name) => name !== "q_proj" && name !== "v_proj"),
    );
    assert.deepEqual(
      labels(`${axolotl}lora_target_modules: [q_proj, |]\n`),
      llama.filter((name) => name !== "q_proj"),
    );
    const phi = axolotl.replace("meta-llama/Llama-3.1-8B", "microsoft/Phi-3-mini-4k-instruct");
    assert.ok(labels(`${phi}lora_target_modules:\n  - |\n`).includes("gate_up_proj"));
    assert.equal(
      afterTaking("lora_target_modules", `${axolotl}|\n`, plain),
      `${axolotl}lora_target_modules:\n${llama.map((name) => `  - ${name}\n`).join("")}`,
    );
    const qwen = labels(`${llamaFactory}lora_target: |\n`);
    assert.deepEqual(qwen.slice(0, 2), ["all", "q_proj,v_proj"]);
    assert.ok(qwen.includes(llama.join(",")));
  });

  it("knows in which mapping the cursor stands", () => {
    assert.deepEqual(labels(`${axolotl}peft:\n  |\n`), [
      "loftq_config",
      "backend",
      "weight_dtype",
      "group_size",
    ]);
    assert.deepEqual(labels(`${axolotl}peft:\n  loftq_config:\n    |\n`), ["loftq_bits"]);
    assert.deepEqual(labels(`${axolotl}peft:\n  backend: |\n`), ["bnb", "torchao"]);
    const start = "base_model: x\nsequence_len: 1\nadapter: lora\n";
    for (const source of [
      `${start}datasets:\n  - path: x\n    |\n  - path: y\n    type: z\n`,
      `${start}datasets:\n- path: x\n  |\n`,
      `${start}test_datasets:\n- path: x\n  ty|: y\n`,
    ]) {
      const found = labels(source);
      assert.ok(found.includes("type") && !found.includes("path"), source);
      assert.ok(!found.includes("lora_r"), source);
    }
    assert.ok(labels(`${start}datasets:\n  - |\n`).includes("path"));
    assert.ok(labels(`${start}datasets:\n  - path: x\n|\n`).includes("lora_r"));
  });

  it("is silent in comments, texts and parts that nobody knows", () => {
    for (const source of [
      "# lo|\n",
      "x: 1 # |\n",
      "x: |\n",
      "fsdp_config:\n  |\n",
      "lora_r: 8\n  lo|\n",
      "adapter: lora lo|:\n",
    ])
      assert.deepEqual(
        labels(axolotl + source),
        source.startsWith("adapter") ? labels(axolotl + source) : [],
        source,
      );
    assert.deepEqual(labels(`${axolotl}chat_template_jinja: >\n  text\n  |\n`), []);
    const settings = { ...context.settings, completion: { enable: false } };
    assert.deepEqual(itemsIn(`${axolotl}|\n`, { ...context, settings }), []);
  });

  it("documents an item when it is looked at", () => {
    const text = (label: string, source: string): string => {
      const item = itemsIn(source).find((each) => each.label === label);
      assert.ok(item);
      const { documentation } = resolveCompletion(context, item);
      assert.ok(MarkupContent.is(documentation));
      return documentation.value;
    };
    assert.match(text("lora_r", `${axolotl}|\n`), /Rank of the update[^]*Recommended: 64/);
    assert.match(text("qlora", `${axolotl}adapter: |\n`), /4 bits[^]*QLoRA/);
  });
});
