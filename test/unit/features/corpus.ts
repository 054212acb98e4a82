/** A small corpus of known content, so that expected texts can be written by hand. */
import { TextDocument } from "vscode-languageserver-textdocument";
import type { FeatureContext, OpenDocument } from "../../../server/src/features/context";
import { createLibrary } from "../../../server/src/literature/library";
import type { Rule } from "../../../server/src/literature/catalogue";
import type { Corpus, Formulas, Method, Paper } from "../../../server/src/literature/model";
import { readPython } from "../../../server/src/python/document";

const paper = (facts: Pick<Paper, "id" | "title"> & Partial<Paper>): Paper => ({
  authors: [],
  topics: [],
  aliases: [],
  methods: [],
  claims: [],
  relations: [],
  summary: "",
  origin: "bundled",
  ...facts,
});

export const papers: readonly Paper[] = [
  paper({
    id: "lora",
    title: "LoRA: Low-Rank Adaptation of Large Language Models",
    authors: ["Edward J. Hu", "Yelong Shen", "Phillip Wallis"],
    authorCount: 8,
    year: 2022,
    venue: "ICLR",
    arxiv: "2106.09685",
    code: "microsoft/LoRA",
    topics: ["peft"],
    aliases: ["LoRA"],
    methods: ["lora"],
    claims: [
      { text: "Trains far fewer parameters.", value: "10,000 times", baseline: "GPT-3", source: "abstract" },
    ],
    summary: "Freezes the weights and learns\na low-rank update beside them.\n\nThe update can be merged.",
  }),
  paper({
    id: "dora",
    title: "DoRA: Weight-Decomposed Low-Rank Adaptation",
    authors: ["Shih-Yang Liu"],
    authorCount: 7,
    year: 2024,
    venue: "ICML",
    arxiv: "2402.09353",
    topics: ["peft"],
    aliases: ["DoRA"],
    methods: ["dora"],
    relations: [{ kind: "improves", paper: "lora", source: "abstract" }],
    summary: "Learns magnitude and direction apart.",
  }),
  paper({
    id: "rslora",
    title: "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA",
    authors: ["Damjan Kalajdzievski"],
    year: 2023,
    arxiv: "2312.03732",
    aliases: ["rsLoRA"],
    relations: [{ kind: "builds-on", paper: "lora", source: "abstract" }],
    summary: "Scales by the square root of the rank.",
  }),
];

const loraSource = `class LoRALinear(nn.Linear):
    """\`nn.Linear\` plus a low-rank update: LoRA (Hu et al., 2022, arXiv:2106.09685)."""

    def __init__(self, in_features: int, out_features: int, *, rank: int = 8, alpha: float = 16.0) -> None:
        super().__init__(in_features, out_features)
        self.scale = math.sqrt(alpha) / rank`;

const doraSource = `class DoRALinear(nn.Linear):
    """DoRA (Liu et al., 2024, arXiv:2402.09353)."""

    def __init__(self, in_features: int, out_features: int, *, rank: int = 8) -> None:
        super().__init__(in_features, out_features)`;

const loraMethod: Method = {
  id: "lora",
  name: "LoRA",
  paper: "lora",
  family: "low-rank",
  fidelity: "reference",
  summary: "Adds a low-rank update.",
  formula: "h = W x + \\frac{\\alpha}{r} B A x",
  hyperparameters: [
    {
      name: "rank",
      type: "int",
      default: 8,
      typical: "4–64",
      choices: [4, 8, 16],
      meaning: "inner dimension",
      source: "lora, table 6",
    },
    { name: "alpha", type: "float", default: 16, meaning: "numerator of the scale" },
  ],
  properties: { identityAtInit: "exact", mergeable: true, keepsCheckpointKeys: true },
  sites: [
    {
      kind: "linear",
      symbol: "LoRALinear",
      write: ["rank", "alpha"],
      trainable: "rank * (in_features + out_features)",
    },
  ],
  notes: ["B starts at zero."],
  prominence: 10,
  python: [
    {
      file: "lora.py",
      imports: ["import math", "from torch import nn"],
      definitions: [{ name: "LoRALinear", kind: "class", source: loraSource, needs: [] }],
    },
  ],
};

const doraMethod: Method = {
  ...loraMethod,
  id: "dora",
  name: "DoRA",
  paper: "dora",
  fidelity: "reconstruction",
  fidelityNote: "The norm is detached.",
  summary: "Splits magnitude from direction.",
  formula: "h = m \\, v",
  hyperparameters: [{ name: "rank", type: "int", default: 8, meaning: "inner dimension" }],
  sites: [
    {
      kind: "linear",
      symbol: "DoRALinear",
      write: ["rank"],
      trainable: "rank * (in_features + out_features) + out_features",
    },
  ],
  notes: [],
  prominence: 5,
  python: [
    {
      file: "dora.py",
      imports: ["from torch import nn"],
      definitions: [{ name: "DoRALinear", kind: "class", source: doraSource, needs: [] }],
    },
  ],
};

const rule = (id: string, message: string): Rule => ({
  id,
  message,
  why: "So.",
  severity: "warning",
  default: true,
  evidence: "",
  citations: [],
  check: id,
  when: [],
  fixes: [],
});

export const corpus: Corpus = {
  version: "test",
  papers,
  methods: [doraMethod, loraMethod],
  shared: [],
  rules: [
    rule("removed-symbol", "{library} {since} removed `{name}`; it is `{replacement}` now."),
    rule("wrong-arxiv-id", "arXiv:{id} is {cited} (“{title}”); {named} is arXiv:{right}."),
  ],
  symbols: [
    {
      name: "LoraConfig",
      qualified: ["peft.LoraConfig", "peft.tuners.lora.LoraConfig"],
      library: "peft",
      kind: "config",
      summary: "Learns an update of rank r beside chosen layers.",
      papers: ["lora", "rslora"],
      methods: ["lora"],
      fields: [
        {
          name: "task_type",
          type: "str | None",
          default: "None",
          meaning: "which wrapper the model gets",
          values: [
            { value: "CAUSAL_LM", meaning: "a decoder that predicts the next token" },
            { value: "SEQ_CLS" },
          ],
        },
        { name: "bias", type: "str", default: "'none'", meaning: "which biases train" },
        {
          name: "r",
          type: "int",
          default: "8",
          meaning: "rank of the update",
          recommended: { value: "4 to 64", source: "lora, table 6" },
          values: [{ value: "8" }, { value: "16" }, { value: "64" }],
        },
        {
          name: "target_modules",
          type: "list[str] | str | None",
          default: "None",
          meaning: "layers to adapt",
          values: [{ value: "all-linear", meaning: "every linear layer but the head", source: "dora" }],
        },
        { name: "lora_alpha", type: "int", default: "8", meaning: "numerator of the scale" },
        {
          name: "use_rslora",
          type: "bool",
          default: "False",
          meaning: "divide by √r",
          recommended: { value: "True", source: "rslora" },
        },
        {
          name: "init_lora_weights",
          type: "bool | str",
          default: "True",
          meaning: "how A and B start",
          values: [
            { value: "True", meaning: "A random, B zero" },
            { value: "pissa", meaning: "principal singular vectors" },
          ],
        },
      ],
    },
    {
      name: "get_peft_model",
      qualified: ["peft.get_peft_model"],
      library: "peft",
      kind: "function",
      summary: "Wraps a model with adapters.",
      papers: ["lora"],
      methods: [],
      fields: [],
    },
    {
      name: "BoneConfig",
      qualified: ["peft.BoneConfig"],
      library: "peft",
      kind: "config",
      summary: "One trained matrix, repeated.",
      papers: [],
      methods: [],
      fields: [],
      removed: { version: "0.19", instead: "MissConfig" },
    },
    {
      name: "MissConfig",
      qualified: ["peft.MissConfig"],
      library: "peft",
      kind: "config",
      summary: "Shard sharing.",
      papers: [],
      methods: [],
      fields: [],
    },
  ],
};

export const formulas: Formulas = { lora: { svg: '<svg><path fill="@ink@" d="M1 2"/></svg>' } };

/** A context over the small corpus; `formulas` are LaTeX and links are off unless asked for. */
export const contextWith = (changes: Partial<FeatureContext> = {}): FeatureContext => ({
  library: createLibrary(corpus, formulas),
  settings: {
    hover: { enable: true, layers: true },
    completion: { enable: true },
    inlayHints: { enable: false },
    diagnostics: { enable: true, rules: {} },
    insert: { destination: "inline", moduleName: "adapters" },
    corpus: { paths: [] },
    citation: { style: "comment" },
  },
  formulas: "none",
  theme: "dark",
  commandLinks: false,
  snippets: true,
  ...changes,
});

export const open = (text: string): OpenDocument => ({
  uri: "file:///model.py",
  text: TextDocument.create("file:///model.py", "python", 1, text),
  python: readPython(text),
});

export { paper };
