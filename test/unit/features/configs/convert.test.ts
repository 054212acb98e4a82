/** Configurations become those of other methods, by their arguments and as other classes, and what surrounds them stays. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkEdit, offered, reason, titles } from "./check";

const call = (args: string): string =>
  `from peft import LoraConfig, get_peft_model\n\nconfig = LoraConfig(${args})\nmodel = get_peft_model(model, config)\n`;
const other = (name: string, args: string): string => call(args).replaceAll("LoraConfig", name);

const usual = `r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], lora_dropout=0.05, bias="none", task_type="CAUSAL_LM"`;
const marked = (args: string): string => call(`|${args}`);

describe("a configuration becomes another form of its class", () => {
  for (const [name, set] of [
    ["rsLoRA", "use_rslora=True"],
    ["DoRA", "use_dora=True"],
    ["PiSSA", `init_lora_weights="pissa"`],
    ["OLoRA", `init_lora_weights="olora"`],
    ["MiCA", `init_lora_weights="mica"`],
  ] as const)
    it(`${name} and back`, async () => {
      await checkEdit(marked(usual), `Convert to ${name}: \`${set}\``, call(`${usual}, ${set}`));
      const without = set.split("=")[0] ?? "";
      await checkEdit(
        marked(`${usual}, ${set}`),
        `Convert back from ${name}: without \`${without}\``,
        call(usual),
      );
    });

  it("in place of a value that is written out", async () => {
    await checkEdit(
      marked("r=8, use_dora=False"),
      "Convert to DoRA: `use_dora=True`",
      call("r=8, use_dora=True"),
    );
    await checkEdit(
      marked(`r=8, init_lora_weights="pissa", use_dora=True`),
      'Convert to OLoRA: `init_lora_weights="olora"`',
      call(`r=8, init_lora_weights="olora", use_dora=True`),
    );
  });

  it("with the scale as it was, where that is a whole number", async () => {
    await checkEdit(
      marked("r=16, lora_alpha=32"),
      "Convert to rsLoRA, keeping its scale: `use_rslora=True`, `lora_alpha=8`",
      call("r=16, lora_alpha=8, use_rslora=True"),
    );
    await checkEdit(
      marked("r=16, lora_alpha=8, use_rslora=True"),
      "Convert back from rsLoRA, keeping its scale: without `use_rslora`, `lora_alpha=32`",
      call("r=16, lora_alpha=32"),
    );
    for (const args of [
      "r=8, lora_alpha=16",
      "r=16",
      "r=16, lora_alpha=32, rank_pattern={}",
      "r=rank, lora_alpha=32",
    ])
      assert.deepEqual(
        titles(offered(marked(args)).actions).filter((title) => title.includes("keeping")),
        [],
        args,
      );
  });

  it("with what it needs besides, and without it again", async () => {
    const loftq = `r=8, init_lora_weights="loftq", loftq_config=LoftQConfig(loftq_bits=4)`;
    const imported = (args: string): string =>
      call(args).replace("import LoraConfig", "import LoftQConfig, LoraConfig");
    await checkEdit(
      marked("r=8"),
      'Convert to LoftQ: `init_lora_weights="loftq"`, `loftq_config=LoftQConfig(loftq_bits=4)`',
      imported(loftq),
    );
    await checkEdit(
      imported(`|${loftq}`),
      'Convert to PiSSA: `init_lora_weights="pissa"`',
      imported(`r=8, init_lora_weights="pissa"`),
    );
  });

  it("not where what it is now cannot be told", () => {
    const about = (args: string, name: string): string[] =>
      titles(offered(marked(args)).actions).filter((title) => title.includes(name));
    assert.deepEqual(about("r=8, **options", "DoRA"), []);
    assert.deepEqual(about("r=8, use_dora=args.dora", "DoRA"), []);
    assert.deepEqual(about("r=8, use_dora=True, **options", "DoRA"), [
      "Convert back from DoRA: without `use_dora`",
      "Cite DoRA above: arXiv:2402.09353",
    ]);
    assert.deepEqual(about("r=8, **options", "VeRA"), []);
  });

  it("beside a dict of the file, as long as nothing in that would have to change", async () => {
    const dict = (entries: string): string => `options = {${entries}}\n`;
    const from = `${dict('"r": 8, "bias": "none"')}${marked("**options, lora_dropout=0.1")}`;
    await checkEdit(
      from,
      "Convert to rsLoRA: `use_rslora=True`",
      `${dict('"r": 8, "bias": "none"')}${call("**options, lora_dropout=0.1, use_rslora=True")}`,
    );
    assert.equal(
      reason(`${dict('"use_rslora": True')}${marked("**options, r=8")}`, "Convert back from rsLoRA"),
      "`use_rslora` comes out of `**options`, where it would have to change.",
    );
    assert.equal(
      reason(`${dict('"r": 8, "use_rslora": False')}${marked("**options")}`, "Convert to rsLoRA"),
      "`use_rslora` comes out of `**options`, where it would have to change.",
    );
    assert.equal(
      reason(`${dict('"r": 8, "lora_dropout": 0.1')}${marked("**options")}`, "Convert to LoHa"),
      "`lora_dropout` comes out of `**options`, where it would have to change.",
    );
    await checkEdit(
      `${dict('"target_modules": ["q_proj"]')}${marked("r=8, **options")}`,
      "Convert to LoHa: `LoHaConfig`",
      `${dict('"target_modules": ["q_proj"]')}${call("r=8, **options").replaceAll("LoraConfig", "LoHaConfig")}`,
    );
  });

  it("not beside what it does not go with", () => {
    assert.equal(reason(marked("use_dora=True"), "Convert to MiCA"), "MiCA does not go with `use_dora`.");
    assert.equal(
      reason(marked(`init_lora_weights="mica"`), "Convert to DoRA"),
      "DoRA does not go with MiCA.",
    );
    const vera = titles(offered(other("VeraConfig", "|r=256")).actions);
    assert.deepEqual(
      vera.filter((title) => title.includes("back")),
      [],
    );
  });

  it("not where a rule speaks against it", () => {
    assert.match(
      reason(marked("r=8, lora_bias=True"), "Convert to DoRA"),
      /^`lora_bias` does not go with DoRA/,
    );
    assert.match(reason(marked("r=8"), "Convert to EVA"), /initialize_lora_eva_weights/);
    assert.match(reason(marked("r=8"), "Convert to CorDA"), /preprocess_corda/);
    const quantised = `model = load(load_in_4bit=True)\n`;
    assert.match(
      reason(quantised + marked("r=8"), "Convert to PiSSA"),
      /^PiSSA does not go with `load_in_4bit`/,
    );
    const disabled = `with model.disable_adapter():\n    pass\n`;
    assert.match(reason(marked("r=8") + disabled, "Convert to OLoRA"), /`disable_adapter`/);
  });
});

describe("a configuration becomes one of another class", () => {
  it("AdaLoRA, whose steps the user fills in, and back", async () => {
    const rest = `lora_alpha=16, target_modules=["q_proj", "v_proj"], lora_dropout=0.05, bias="none", task_type="CAUSAL_LM"`;
    await checkEdit(
      marked(usual),
      "Convert to AdaLoRA: `AdaLoraConfig`, with `init_r=12`, `total_step` to be filled in",
      other("AdaLoraConfig", `target_r=8, ${rest}, init_r=12, total_step=\${1:...}`),
    );
    await checkEdit(
      other("AdaLoraConfig", `|target_r=8, ${rest}, init_r=12, total_step=1000`),
      "Convert to LoRA: `LoraConfig`, without `init_r`, `total_step`",
      call(`r=8, ${rest}`),
    );
    assert.match(reason(marked(usual), "Convert to AdaLoRA", { snippets: false }), /total_step/);
  });

  it("VeRA, whose rank is another, and back", async () => {
    const vera = `r=256, target_modules=["q_proj", "v_proj"], vera_dropout=0.05, bias="none", task_type="CAUSAL_LM"`;
    await checkEdit(
      marked(usual),
      "Convert to VeRA: `VeraConfig`, with `r=256`, without `lora_alpha`",
      other("VeraConfig", vera),
    );
    await checkEdit(
      other("VeraConfig", `|${vera}`),
      "Convert to LoRA: `LoraConfig`, without `r`",
      call(`target_modules=["q_proj", "v_proj"], lora_dropout=0.05, bias="none", task_type="CAUSAL_LM"`),
    );
  });

  for (const [title, name, args] of [
    ["LoHa: `LoHaConfig`", "LoHaConfig", `r=4, alpha=8, target_modules=["a"], rank_pattern={"a": 2}`],
    ["LoKr: `LoKrConfig`", "LoKrConfig", `r=4, alpha=8, target_modules=["a"], rank_pattern={"a": 2}`],
  ] as const)
    it(`${name} and back to the same call`, async () => {
      const lora = `r=4, lora_alpha=8, target_modules=["a"], rank_pattern={"a": 2}`;
      await checkEdit(marked(lora), `Convert to ${title}`, other(name, args));
      await checkEdit(other(name, `|${args}`), "Convert to LoRA: `LoraConfig`", call(lora));
    });

  for (const [name, config, dropout] of [
    ["GraLoRA", "GraloraConfig", "gralora_dropout"],
    ["HiRA", "HiraConfig", "hira_dropout"],
  ] as const)
    it(`${name} with its own names and back`, async () => {
      const lora = `r=4, target_modules=["a"], lora_dropout=0.1, init_lora_weights=True`;
      const own = `r=4, target_modules=["a"], ${dropout}=0.1, init_weights=True`;
      await checkEdit(marked(lora), `Convert to ${name}: \`${config}\``, other(config, own));
      await checkEdit(other(config, `|${own}`), "Convert to LoRA: `LoraConfig`", call(lora));
    });

  it("without what has no place there, comments and lines as they were", async () => {
    await checkEdit(
      `from peft import LoraConfig

config = LoraConfig(
    r=8,  # the rank
    lora_|alpha=16, lora_dropout=0.1,  # as in the paper
    # where it goes
    target_modules=["q"],
)
`,
      "Convert to HRA: `HRAConfig`, without `r`, `lora_alpha`, `lora_dropout`",
      `from peft import HRAConfig

config = HRAConfig(
    # where it goes
    target_modules=["q"],
)
`,
    );
  });

  it("with new arguments on lines of their own", async () => {
    await checkEdit(
      `from peft import LoraConfig

config = LoraConfig(
    target_modules=["q"],
    r|=rank,  # of the update
)
`,
      "Convert to AdaLoRA: `AdaLoraConfig`, with `init_r=rank * 3 // 2`, `total_step` to be filled in",
      `from peft import AdaLoraConfig

config = AdaLoraConfig(
    target_modules=["q"],
    target_r=rank,  # of the update
    init_r=rank * 3 // 2,
    total_step=\${1:...},
)
`,
    );
  });

  it("not where other parameters would train, or the file is bound to the class", () => {
    assert.match(
      reason(marked(`r=8, target_modules=["q"], exclude_modules=["k"]`), "Convert to VeRA"),
      /^VeraConfig has nothing for `exclude_modules=\["k"\]`/,
    );
    assert.match(
      reason(marked(`r=8, bias="lora_only"`), "Convert to VeRA"),
      /^VeraConfig has nothing for `bias/,
    );
    assert.match(
      reason(`${marked("r=8, lora_alpha=4")}print(config.lora_alpha)\n`, "Convert to VeRA"),
      /^`config.lora_alpha` is used elsewhere/,
    );
    assert.match(
      reason(
        `${marked("r=8")}lora = [p for n, p in model.named_parameters() if "lora_" in n]\n`,
        "Convert to VeRA",
      ),
      /^This file picks parameters by the name "lora_"/,
    );
    assert.match(
      reason(`${marked("r=8")}model = prepare_model_for_kbit_training(model)\n`, "Convert to LoHa"),
      /not known to work on quantised weights/,
    );
    assert.match(reason(marked("r=7, lora_alpha=8"), "Convert to GraLoRA"), /k/);
  });
});

describe("the import goes along", () => {
  const vera = "Convert to VeRA: `VeraConfig`, with `r=256`";
  for (const [form, before, after] of [
    [
      "by name",
      `from peft import LoraConfig\n\nx = Lora|Config(r=8)\n`,
      `from peft import VeraConfig\n\nx = VeraConfig(r=256)\n`,
    ],
    [
      "under another name",
      `from peft import LoraConfig as LC, get_peft_model\n\nx = L|C(r=8)\n`,
      `from peft import VeraConfig, get_peft_model\n\nx = VeraConfig(r=256)\n`,
    ],
    [
      "by module",
      `import peft\n\nx = peft.Lora|Config(r=8)\n`,
      `import peft\n\nx = peft.VeraConfig(r=256)\n`,
    ],
    [
      "by module under another name",
      `import peft as p\n\nx = p.Lora|Config(r=8)\n`,
      `import peft as p\n\nx = p.VeraConfig(r=256)\n`,
    ],
    [
      "where the old name is used again",
      `from peft import LoraConfig, get_peft_model\n\nx = Lora|Config(r=8)\ny = LoraConfig(r=4)\n`,
      `from peft import LoraConfig, VeraConfig, get_peft_model\n\nx = VeraConfig(r=256)\ny = LoraConfig(r=4)\n`,
    ],
    [
      "in brackets over several lines",
      `from peft import (\n    LoraConfig,\n    get_peft_model,\n)\n\nx = Lora|Config(r=8)\ny: LoraConfig\n`,
      `from peft import (\n    LoraConfig,\n    VeraConfig,\n    get_peft_model,\n)\n\nx = VeraConfig(r=256)\ny: LoraConfig\n`,
    ],
    [
      "in brackets over several lines, in the place of the old name",
      `from peft import (\n    AdaLoraConfig,\n    LoraConfig,\n)\n\nx = Lora|Config(r=8)\n`,
      `from peft import (\n    AdaLoraConfig,\n    VeraConfig,\n)\n\nx = VeraConfig(r=256)\n`,
    ],
    [
      "where the new name is there already",
      `from peft import LoraConfig, VeraConfig\n\nx = Lora|Config(r=8)\n`,
      `from peft import VeraConfig\n\nx = VeraConfig(r=256)\n`,
    ],
    [
      "from the module that defines it",
      `import os\nfrom peft.tuners.lora import LoraConfig\n\nx = Lora|Config(r=8)\n`,
      `import os\nfrom peft import VeraConfig\n\nx = VeraConfig(r=256)\n`,
    ],
    [
      "inside a function",
      `def build():\n    from peft import LoraConfig\n\n    return Lora|Config(r=8)\n`,
      `def build():\n    from peft import VeraConfig\n\n    return VeraConfig(r=256)\n`,
    ],
  ] as const)
    it(form, () => checkEdit(before, vera, after));

  it("before the old name in brackets over several lines", () =>
    checkEdit(
      `from peft import (\n    LoraConfig,\n    get_peft_model,\n)\n\nx = Lora|Config(r=8)\n`,
      "Convert to LoHa: `LoHaConfig`",
      `from peft import (\n    LoHaConfig,\n    get_peft_model,\n)\n\nx = LoHaConfig(r=8)\n`,
    ));

  it("not where the file has another meaning for the name", () => {
    assert.match(
      reason(
        `from peft import LoraConfig\n\nclass VeraConfig: ...\n\nx = Lora|Config(r=8)\n`,
        "Convert to VeRA",
      ),
      /^This file calls something else `VeraConfig`/,
    );
  });
});

describe("the lightbulb", () => {
  it("shows a few, the menu of refactorings all", () => {
    const few = offered(marked(usual), {}, "").actions;
    assert.deepEqual(
      titles(few).map((title) => /^Convert to (\S+?):/.exec(title)?.[1]),
      ["rsLoRA", "DoRA", "PiSSA", "AdaLoRA", "VeRA", undefined, undefined, undefined],
    );
    assert.ok(offered(marked(usual)).actions.length > 20);
  });
  it("speaks of the configuration from anywhere in its statement, and of nothing elsewhere", () => {
    assert.ok(titles(offered(`from peft import LoraConfig\nconf|ig = LoraConfig(r=8)\n`).actions).length > 0);
    assert.deepEqual(
      titles(offered(`from peft import LoraConfig\nx|x = 1\nconfig = LoraConfig(r=8)\n`).actions),
      [],
    );
  });
});
