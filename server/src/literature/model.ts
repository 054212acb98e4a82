/** What the papers say, and the compiled corpus as the server holds it. The format of the source files is in corpus/schema. */
import type { Conversions, Families, LibrarySymbol, Recipe, Rule } from "./catalogue";

export interface Claim {
  readonly text: string;
  readonly value?: string;
  readonly dataset?: string;
  readonly baseline?: string;
  /** Where the figure stands: "abstract", "table 2", "README of …". */
  readonly source: string;
}

export interface Paper {
  readonly id: string;
  readonly title: string;
  readonly authors: readonly string[];
  /** How many authors there are when not all are named in `authors`. */
  readonly authorCount?: number;
  readonly organisation?: string;
  readonly year?: number;
  readonly venue?: string;
  readonly arxiv?: string;
  readonly doi?: string;
  readonly url?: string;
  /** Repository as owner/name or address. */
  readonly code?: string;
  readonly topics: readonly string[];
  /** Short names people use: "LoRA", "PEFT". */
  readonly aliases: readonly string[];
  readonly methods: readonly string[];
  readonly claims: readonly Claim[];
  readonly relations: readonly Relation[];
  /** Plain paragraphs of our own (bundled) or the abstract (user library). Never trusted as Markdown. */
  readonly summary: string;
  /** The user's own library, or the bundled corpus. */
  readonly origin: "bundled" | "user";
  /** Dates exactly as an imported page gave them, and its votes. */
  readonly listed?: { readonly date?: string; readonly votes?: number };
}

export interface Relation {
  readonly kind: "builds-on" | "improves" | "compared-with" | "applies" | "surveys" | "renames";
  readonly paper: string;
  readonly source: string;
}

export type Fidelity = "reference" | "paper" | "reconstruction";

export type Family =
  | "low-rank"
  | "adapter"
  | "prompt"
  | "sparse"
  | "orthogonal"
  | "scaling"
  | "side-network"
  | "skip"
  | "merging"
  | "federated"
  | "decoding"
  | "training"
  | "recipe"
  | "evaluation";

export interface Hyperparameter {
  readonly name: string;
  readonly type: "int" | "float" | "bool" | "str";
  readonly default: number | boolean | string;
  /** Values that papers use, as text: "8–64". */
  readonly typical?: string;
  /** Choices offered as snippet alternatives. */
  readonly choices?: readonly (number | boolean | string)[];
  /** In the place of the default where a layer is too small for it, or of a size that is not known. */
  readonly small?: number | boolean | string;
  readonly meaning: string;
  readonly source?: string;
}

export type SiteKind =
  | "linear"
  | "conv"
  | "embedding"
  | "norm"
  | "attention"
  | "beside"
  | "block-input"
  | "block-output"
  | "skip"
  | "block-stack"
  | "model"
  | "peft-config"
  | "training-step"
  | "generation-step"
  | "loss"
  | "free";

export interface MethodSite {
  readonly kind: SiteKind;
  /** The class or function of the method's Python that goes to this place. */
  readonly symbol: string;
  /** What the action says, default from kind and name: "Prepend a soft prompt to {place}". */
  readonly title?: string;
  /** Hyperparameters written at the call, as keywords, in this order. */
  readonly write: readonly string[];
  /** Parameters trained per use: a Python expression over the hyperparameters and in_features, out_features, bias, width, taps (positions of a kernel), … */
  readonly trainable?: string;
  /** Comparisons over the same names, in Python; the class accepts the sizes exactly where all hold. */
  readonly requires?: readonly string[];
  /** Part of `trainable` that all uses in a model share (see afterInit), so that it counts once. */
  readonly shared?: string;
  /** For block-output and block-input: which sub-layers, default both. */
  readonly placements?: readonly ("attention" | "feed-forward")[];
  /** Attribute name given to a new module: "{layer}_adapter", "sc_tuner". */
  readonly attribute?: string;
  /** Free text for the snippet: a usage example in Python, with `${…}` tab stops. Only where no place in code applies. */
  readonly snippet?: string;
  /** Statement at the end of the whole model's `__init__`, e.g. "share_phm_rule({root})". */
  readonly afterInit?: string;
  /** torch.jit.script compiles the class. */
  readonly scripts?: boolean;
  /** Layers it is meant for, by the last part of their name: "v_proj". Absent: any. */
  readonly named?: readonly string[];
  /** Layer that `symbol` subclasses; default torch.nn.Linear, Conv2d, Embedding or LayerNorm after `kind`. */
  readonly adapts?: string;
  /**
   * block-stack: what the constructor takes before the hyperparameters, default ["{width}"], over {width} and {depth}
   * (how many blocks there are). A value without such a name is one that the user will want to change.
   */
  readonly leading?: readonly string[];
  /** block-stack: mixes all tokens with each other, so that it is refused where a model must not look ahead. */
  readonly looksAhead?: boolean;
  /** model: attributes that the class must have. */
  readonly has?: readonly string[];
  /** model: a kind of layer that it must have somewhere. */
  readonly hasLayer?: "linear" | "conv" | "embedding" | "norm" | "bias";
  /**
   * Variables of the user's that the templates mention, with other names they go by: "task_ids|task_id|tasks".
   * Where none is in sight the action is disabled and says what to name.
   */
  readonly variables?: readonly string[];
  /** Definitions that the templates below mention besides `symbol`. */
  readonly uses?: readonly string[];
  /**
   * block-output, block-input, skip: the expression in `forward`, default "{adapter}({inner})". {inner} is the wrapped
   * expression, {stream} the residual stream it is added to.
   */
  readonly call?: string;
  /**
   * Statements as templates. block-stack: before, insideFirst and inside (at the start and the end of the loop's body) and
   * after the stack, over {adapter}, {x}, {layers} and {index}, the number of the block. training-step: `setup` before the
   * outermost loop, `beforeForward` above the line that calls the model, `before` and `after` the backward pass, `afterStep`
   * after the optimizer's, over {model}, {loss}, {optimizer}. loss: `after` the line that computes it, or `replace` in place
   * of a sequence's cross-entropy, over {loss}, {model}, {labels}. In both {lossExpression} computes the loss anew, {logits}
   * is the model's output and {logitsAgain} computes that anew. model: `after` the line that builds it, over {model}; one that
   * rebinds {model} goes to such lines alone. generation-step: `after` the logits, over {logits}, {input}, {model}.
   * In all of them {call} is `symbol(arguments)` with the written hyperparameters and {arguments} those alone.
   */
  readonly setup?: string;
  readonly beforeForward?: string;
  readonly before?: string;
  readonly insideFirst?: string;
  readonly inside?: string;
  readonly replace?: string;
  readonly after?: string;
  readonly afterStep?: string;
  /** generation-step, block-stack: parameters added to the function, "expert=None, antiexpert=None". */
  readonly parameters?: string;
}

export interface Method {
  readonly id: string;
  readonly name: string;
  readonly paper: string;
  readonly family: Family;
  readonly fidelity: Fidelity;
  /** What was inferred; shown in the hover when fidelity is not "reference". */
  readonly fidelityNote?: string;
  /** One sentence: what it computes, in words. */
  readonly summary: string;
  /** LaTeX, display style, without delimiters. */
  readonly formula: string;
  readonly hyperparameters: readonly Hyperparameter[];
  readonly properties: {
    readonly identityAtInit: "exact" | "approximate" | "no" | "not-applicable";
    readonly mergeable: boolean;
    readonly keepsCheckpointKeys: boolean;
  };
  /** Parameters trained for each adapted place of a method without sites, as in MethodSite. */
  readonly trainable?: string;
  /** Part of `trainable` that all places of a model share, so that it counts once. */
  readonly shared?: string;
  /** Where it goes. None: the method is described, and nothing is offered. */
  readonly sites: readonly MethodSite[];
  readonly notes: readonly string[];
  /** Names of library symbols that mean this method: "LoraConfig". */
  readonly symbols?: readonly string[];
  /**
   * Formulas in Python by which a class that somebody wrote by hand is recognised: x is the input, base the adapted
   * layer, capitals are matrices and small letters vectors that train, f an activation. Scales are left out.
   */
  readonly computes?: readonly string[];
  /** Formulas that several methods share, by which a class is recognised where it also bears this method's name. */
  readonly named?: readonly string[];
  /** How early menus show it, 0 (default) to 10. */
  readonly prominence?: number;
  /** The Python files inserted, in order, each exactly as in corpus/methods/<id>/. */
  readonly python: readonly PythonSource[];
}

export interface PythonSource {
  /** File name within the method's folder: "lora.py". */
  readonly file: string;
  /** The import statements, one a line, as written. */
  readonly imports: readonly string[];
  /** Top-level definitions in order, each with its source (leading comments and decorators included). */
  readonly definitions: readonly PythonDefinition[];
}

export interface PythonDefinition {
  readonly name: string;
  readonly kind: "class" | "function" | "variable";
  readonly source: string;
  /** Other definitions of this method or of corpus/methods/shared that it uses. */
  readonly needs: readonly string[];
}

/** dist/corpus.json */
export interface Corpus {
  readonly version: string;
  readonly papers: readonly Paper[];
  readonly methods: readonly Method[];
  /** Definitions that several methods use, from corpus/methods/shared. */
  readonly shared: readonly PythonSource[];
  readonly symbols: readonly LibrarySymbol[];
  readonly rules?: readonly Rule[];
  readonly conversions?: readonly Conversions[];
  readonly recipes?: readonly Recipe[];
  readonly families?: readonly Families[];
}

/** Typeset formulas by method; `@ink@` stands for the colour. */
export type Formulas = Readonly<Record<string, { readonly svg: string }>>;
