/** What the corpus knows of libraries: their symbols, the mistakes made with them, what their configurations can become. */

export interface SymbolField {
  readonly name: string;
  readonly type?: string;
  readonly default?: string;
  readonly meaning: string;
  /** Papers of the method that it belongs to. */
  readonly papers?: readonly string[];
  /** What stands in for None, as an expression over other fields of the symbol: "2 * lora_rank". */
  readonly implied?: string;
  /** What papers recommend, with figure; `source` is a paper id or a plain citation. */
  readonly recommended?: { readonly value: string; readonly source: string };
  /** Values worth completing, ranked. */
  readonly values?: readonly {
    readonly value: string;
    readonly meaning?: string;
    readonly source?: string;
  }[];
}

export interface LibrarySymbol {
  /** "LoraConfig" */
  readonly name: string;
  /** Every path by which it can be imported: "peft.LoraConfig", "peft.tuners.lora.LoraConfig". */
  readonly qualified: readonly string[];
  readonly library: string;
  readonly kind: "config" | "class" | "function" | "method" | "parameter" | "value" | "file";
  readonly summary: string;
  readonly papers: readonly string[];
  readonly methods: readonly string[];
  /** Its own and those that it inherits. */
  readonly fields: readonly SymbolField[];
  /** Name of the symbol whose fields and methods it has too. */
  readonly extends?: string;
  /** For a configuration file: names of the symbols whose fields are keys of it too. */
  readonly includes?: readonly string[];
  /** For a configuration file: how one knows it by the keys at its top. */
  readonly recognised?: Recognition;
  /** For a configuration file: keys that it takes as well. */
  readonly otherFields?: readonly string[];
  /** For a method: names of the classes that bring it. */
  readonly of?: readonly string[];
  /** Members of an enumeration; each is a symbol as well. */
  readonly values?: readonly {
    readonly value: string;
    readonly meaning: string;
    readonly papers?: readonly string[];
  }[];
  /** Path of the class of what a call gives or an attribute holds: "peft.PeftModel". */
  readonly returns?: string;
  /** First release that has it. */
  readonly since?: string;
  readonly deprecated?: Release;
  readonly removed?: Release;
  /** Kinds of layers that it can adapt: "Linear", "Conv2d". */
  readonly adapts?: readonly string[];
  readonly quantised?: readonly string[];
  readonly identityAtInit?: boolean;
  readonly mergeable?: boolean;
  readonly convertsToLora?: boolean;
  readonly checkpointPrefix?: string;
  /** Short facts that spare a mistake. */
  readonly notes?: readonly string[];
}

/** A file that has `all` of these keys, and `least` of `some`, is certainly of its kind. */
export interface Recognition {
  readonly all: readonly string[];
  readonly some: readonly string[];
  readonly least: number;
}

/** A release of a library with which a symbol went, and the name under which the same thing lives on. */
export interface Release {
  readonly version: string;
  readonly instead?: string;
}

export type Severity = "error" | "warning" | "information" | "hint";

/** What must surely hold of one argument of a call. */
export interface ArgumentCondition {
  readonly argument?: string;
  /** In place of `argument`: it holds of at least one of these. */
  readonly oneOf?: readonly string[];
  /** With `oneOf`: at least so many of them. */
  readonly atLeast?: number;
  /** Whether it is given, not as None, and an empty dict only where `is` says so. */
  readonly given?: boolean;
  /** One of these values, as written in Python. */
  readonly is?: readonly string[];
  /** A known value that is none of these; "pissa_niter_*" stands for all that begin so. */
  readonly isNot?: readonly string[];
  readonly kind?: "string" | "list" | "number" | "dict";
}

/** What a quick fix does to the call: one of set, remove, rename, spell. */
export interface RuleFix {
  readonly set?: string;
  readonly to?: string;
  readonly remove?: string;
  readonly rename?: string;
  readonly as?: string;
  readonly spell?: string;
}

/** A mistake that can be decided from code. */
export interface Rule {
  readonly id: string;
  /** What is wrong; {name} stands for what the check gives, or for the value of that argument. */
  readonly message: string;
  readonly why: string;
  readonly severity: Severity;
  /** Whether it is on where the user's settings say nothing. */
  readonly default: boolean;
  readonly evidence: string;
  readonly citations: readonly string[];
  readonly paper?: string;
  /** The check in code that finds it; else `calls`, `when` and `where` say what is looked for. */
  readonly check?: string;
  /** For a check: libraries of which a file must import one to be concerned; absent where every file is. */
  readonly imports?: readonly string[];
  readonly calls?: readonly string[];
  readonly when: readonly ArgumentCondition[];
  /** Qualified names of which the file must call one as well. */
  readonly beside?: readonly string[];
  /** What must surely hold of the arguments of that other call. */
  readonly besideWhen?: readonly ArgumentCondition[];
  /** For a check: the models, the layers and the lists of layers that it speaks of. */
  readonly models?: readonly string[];
  readonly layers?: readonly string[];
  readonly lists?: readonly string[];
  /** For a check: old names with what stands in their place. */
  readonly instead?: readonly { readonly old: string; readonly new: string }[];
  /** Names whose mention anywhere in the file clears the call. */
  readonly unless?: readonly string[];
  /** Expression over the call's numbers and booleans. */
  readonly where?: string;
  readonly at?: string;
  /** It holds as well where `at` is assigned to an attribute of what a call gave: `config.task_type = "…"`. */
  readonly assigned?: boolean;
  readonly fixes: readonly RuleFix[];
}

/** Values by the names of arguments, as written in Python; {peft.LoftQConfig} is that name as the file has it, {r} an argument. */
export type ArgumentValues = Readonly<Record<string, string>>;

/** A method as one configuration of a library says it: "rsLoRA" is LoraConfig with use_rslora=True. */
export interface ConversionForm {
  readonly name: string;
  /** The lightbulb shows it; the others are in the menu of refactorings. */
  readonly prominent?: boolean;
  readonly paper: string;
  /** Name of the configuration. */
  readonly config: string;
  /** What makes the configuration this form. */
  readonly set?: ArgumentValues;
  /** Its name of an argument, where that is not the common one. */
  readonly as?: ArgumentValues;
  /** Arguments that have the common name and another meaning. */
  readonly apart?: readonly string[];
  /** Arguments that only the user knows. */
  readonly asks?: readonly string[];
  /** Changes, as expressions over the arguments, by which something stays the same: to this form and back. */
  readonly keeping?: {
    readonly what: string;
    readonly to: ArgumentValues;
    readonly back: ArgumentValues;
    /** Arguments that rule it out. */
    readonly unless?: readonly string[];
  };
  /** The class of a method's own Python that computes the same, with its names of the arguments and what must be said besides. */
  readonly inserted?: {
    readonly symbol: string;
    readonly arguments: ArgumentValues;
    /** Hyperparameters that several {arguments} make. */
    readonly computed?: ArgumentValues;
    readonly set?: ArgumentValues;
  };
  /** Arguments that it does not go with. */
  readonly unless?: readonly string[];
  /** Names whose mention anywhere in the file rules the form out. */
  readonly without?: readonly string[];
  readonly why?: string;
}

/** How the configurations of one library become each other. */
export interface Conversions {
  readonly library: string;
  /** The configuration whose names of arguments are the common ones. */
  readonly words: string;
  /** Arguments that say where an adapter goes and what trains besides: a conversion never drops them. */
  readonly places: readonly string[];
  /** Arguments that no conversion takes along. */
  readonly apart: readonly string[];
  readonly forms: readonly ConversionForm[];
}

/** Pretrained models whose layers are called alike. */
export interface Family {
  /** "GPT-2" */
  readonly name: string;
  /** How the names of its checkpoints begin: "meta-llama/Llama-2-". */
  readonly checkpoints: readonly string[];
  /** What stands in the names of others that begin so. */
  readonly except?: readonly string[];
  /** How its classes begin: "Llama". */
  readonly classes?: readonly string[];
  /** Linear layers of a block, by the ends of their paths. */
  readonly attention: readonly string[];
  readonly feedForward: readonly string[];
  /** What they are called in earlier releases of the library. */
  readonly earlier?: Pick<Family, "attention" | "feedForward">;
  readonly embeddings?: readonly string[];
  /** The layer that the task brings: "lm_head". */
  readonly head?: string;
  /** Whether there are no other linear layers in a model with its language-model head. */
  readonly complete?: boolean;
  readonly source: string;
}

/** The families of models that one library loads. */
export interface Families {
  readonly library: string;
  readonly families: readonly Family[];
}

/** The figures of a paper for calls of a library. */
export interface Recipe {
  readonly id: string;
  readonly name: string;
  readonly paper: string;
  /** Where the figures stand. */
  readonly source: string;
  readonly parts: readonly RecipePart[];
}

export interface RecipePart {
  /** Qualified names of what is called; transformers.*.from_pretrained stands for all that begin and end so. */
  readonly calls: readonly string[];
  readonly set: ArgumentValues;
  /** Arguments that rule it out. */
  readonly unless?: readonly string[];
  /** Names whose mention anywhere in the file rules it out. */
  readonly without?: readonly string[];
  /** A statement below the call's, over {target}, the name that it is assigned to. */
  readonly after?: string;
  /** Function to be called in the place of an optimiser's class, with the model and that class. */
  readonly optimizer?: string;
  /** Its names of arguments that the class has, and what the class takes by itself for an argument. */
  readonly rename?: ArgumentValues;
  readonly preset?: ArgumentValues;
}
