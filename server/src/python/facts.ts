/**
 * What the code says: the vocabulary between the Python reader and everything above it.
 * All positions are offsets (UTF-16 code units) into the text that was read; a range is half-open.
 */

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What an expression evaluates to, as far as that is certain without running it. */
export type Value =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "none" }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "dict"; readonly entries: readonly (readonly [Value, Value])[] }
  /** A name or dotted path, qualified by the file's imports: `N.Linear` gives `torch.nn.Linear`. */
  | { readonly kind: "reference"; readonly qualified: string }
  | { readonly kind: "unknown" };

/** A piece of source with its value where known. */
export interface Expression {
  readonly range: Range;
  readonly text: string;
  readonly value: Value;
  /** The value rests on a default that a caller, a command line or a subclass may replace. */
  readonly assumed?: true;
}

export interface Argument {
  /** The whole argument, `rank=8` or `*sizes`, without the comma. */
  readonly range: Range;
  /** Absent for positional arguments. */
  readonly keyword?: { readonly name: string; readonly range: Range };
  readonly star?: "*" | "**";
  readonly value: Expression;
}

export interface Call {
  /** From the callee's first character to the closing bracket (or as far as the call is written). */
  readonly range: Range;
  /** The callee, dotted path included: `nn.Linear`. */
  readonly callee: Range;
  /** The last identifier of the callee: `Linear`. */
  readonly name: Range;
  /**
   * The callee qualified by imports, same-file definitions keep their bare name; absent for anything dynamic. Brackets
   * stand for what a call gave: `peft.get_peft_model().merge_and_unload`.
   */
  readonly qualified?: string;
  /** The bracketed list with its brackets; the closing one may still be missing. */
  readonly argumentList: Range;
  readonly closed: boolean;
  readonly arguments: readonly Argument[];
  /** The whole statement the call stands in, without its indentation and line break. */
  readonly statement: Range;
  /** Assigned name when the statement is `name = call`, dotted allowed (`self.lora_config`). */
  readonly assignedTo?: string;
}

/** `import torch.nn as N` binds N to torch.nn; `from peft import LoraConfig as LC` binds LC to peft.LoraConfig. */
export interface ImportBinding {
  readonly local: string;
  readonly qualified: string;
  /** The whole import statement. */
  readonly statement: Range;
  /** The identifier of the imported thing and of its alias, each as written; for hovers. */
  readonly nameRange: Range;
  readonly aliasRange?: Range;
}

/** A name or dotted path in the code that resolves to something imported; every use, not only calls. */
export interface Reference {
  /** The last identifier: exactly the hovered token. */
  readonly range: Range;
  readonly qualified: string;
}

export type LayerRole =
  | "linear"
  | "conv"
  | "embedding"
  | "norm"
  | "dropout"
  | "activation"
  | "attention"
  | "container"
  | "module"
  | "parameter";

/** How a layer came to be an attribute; an edit that must replace the constructor needs to know. */
export type LayerForm =
  | "attribute"
  | "sequential"
  | "module-list"
  | "comprehension"
  | "module-dict"
  | "conditional"
  | "append"
  | "add-module"
  | "setattr"
  | "factory"
  | "argument";

export interface Layer {
  /** Path from the class: `c_attn`, `mlp.0`, `blocks.*.proj`. */
  readonly path: string;
  /** `self.c_attn = ` → `c_attn`; the token a hover speaks about. Absent inside containers without a name. */
  readonly name?: Range;
  readonly role: LayerRole;
  readonly form: LayerForm;
  readonly call: Call;
  /** Qualified class: `torch.nn.Linear`, `layers.LoRALinear`, or the bare name of a class of this file. */
  readonly type: string;
  /**
   * Sizes by the constructor's own parameter names: in_features, out_features, in_channels, kernel_size,
   * num_embeddings, embedding_dim, normalized_shape, embed_dim, num_heads, bias … Numbers only where certain.
   */
  readonly sizes: Readonly<Record<string, number | boolean | readonly number[]>>;
  /** The same arguments as written, so that an edit can repeat `config.n_embd`. */
  readonly arguments: Readonly<Record<string, Expression>>;
  /** How many such layers one construction makes (a comprehension over range(12) makes 12), where known. */
  readonly count?: number;
  /** Why adapting this layer by subclassing it would be wrong, in words for the user, with the remedy. */
  readonly obstacle?: string;
  /** What the obstacle stands against: the lines that build the layer, not the layer once it is built. */
  readonly obstacleTo?: "construction";
  readonly weightReads?: WeightReads;
  readonly tie?: Tie;
  readonly construction?: Construction;
}

/** Where a function builds a layer for the call that assigns it: `return nn.Linear(inputs, outputs)`. */
export interface Construction {
  /** The function: `build_fc1`, `conv3x3`. */
  readonly by: string;
  /** Whether it is one of the file's own, and no method of the class: positions in `call` then count from its name. */
  readonly free: boolean;
  readonly call: Call;
}

/** Where the class computes with a layer's weight and does not call the layer: `F.linear(x, self.proj.weight)`. */
export interface WeightReads {
  /** `weight` each time, or the `merged_weight()` that an adapted layer is asked for. */
  readonly ranges: readonly Range[];
  /** Why a layer that has no other weight to offer cannot stand there. */
  readonly reason: string;
}

/** `self.wte.weight = self.lm_head.weight`: two layers with one weight. */
export interface Tie {
  /** The other one. */
  readonly layer: string;
  /** Whether the weight that both have is the one this layer was built with: `lm_head` above. */
  readonly holds: boolean;
}

/** A parameter of `__init__`, `forward` or a free function. */
export interface Parameter {
  readonly name: string;
  readonly range: Range;
  readonly annotation?: string;
  readonly default?: Expression;
}

export interface Method {
  readonly name: string;
  /** From `def` (or its first decorator) to the end of its last statement. */
  readonly range: Range;
  readonly nameRange: Range;
  readonly parameters: readonly Parameter[];
  /** Offset just inside the closing bracket of the parameter list, where another parameter can be added. */
  readonly parametersEnd: number;
  /** First statement after the docstring; its indentation is the body's. */
  readonly bodyStart: number;
  /** End of the last statement. */
  readonly bodyEnd: number;
  readonly indentation: string;
}

export type SublayerRole = "attention" | "feed-forward" | "other";

/** `x = x + self.mlp(self.ln_2(x))`, `x += …`, post-norm `self.ln(x + self.attn(x))`, with dropout or layer scale around. */
export interface ResidualBranch {
  readonly role: SublayerRole;
  /** The expression that computes the branch: wrap it as `adapter(<branch>)`. Outermost of dropout / layer scale. */
  readonly branch: Range;
  /** The innermost sub-layer call itself: `self.mlp(self.ln_2(x))`. */
  readonly sublayer: Range;
  /** Attribute path called: `mlp`. */
  readonly layer: string;
  /** The residual stream the branch is added to, where it is a plain name: `x`. */
  readonly stream?: string;
  /** What the sub-layer reads, to be wrapped as `adapter(<input>)`; absent where it is read several times. */
  readonly input?: Range;
  readonly statement: Range;
  /** Channel width of the branch's output, written so that it is valid inside `__init__`. */
  readonly width?: Expression;
  /** Channel width of what the sub-layer reads, where a layer before it gives that: a norm of another width. */
  readonly inputWidth?: Expression;
  readonly form: "pre-norm" | "post-norm" | "plain" | "in-place";
  /** Where the same layer is called again, as in the other arm of an `if`: one adapter goes around all of them. */
  readonly repeats?: readonly {
    readonly branch: Range;
    readonly input?: Range;
    readonly stream?: string;
    readonly statement: Range;
  }[];
  /** Set when the branch is unpacked from a tuple or otherwise must not be wrapped; says why. */
  readonly obstacle?: string;
}

/** `torch.cat([h, skip], dim=1)`. */
export interface SkipConcatenation {
  readonly call: Range;
  /** The skip operand, to be wrapped: `skip`, `skips.pop()`, `h1`. */
  readonly skip: Range;
  readonly statement: Range;
  /** Channels of the skip, valid inside `__init__`. */
  readonly channels?: Expression;
  /** Inside a loop one adapter per iteration is needed: the loop's variable and iterable as written. */
  readonly loop?: {
    readonly statement: Range;
    readonly target: string;
    readonly iterable: string;
    readonly header: Range;
    /** Where `__init__` builds what it runs over, block by block: its outermost loop, and the statement beside which an adapter is built. */
    readonly built?: { readonly loop: Range; readonly beside: Range; readonly above: boolean };
    /** The loop above which adapters stand ready, where each skip takes the next instead of one a turn. */
    readonly taken?: Range;
  };
  /** A condition decides whether there is a skip, so that its channels may be 0. */
  readonly conditional?: boolean;
  /** The same skips in another method that runs the same blocks: one list of adapters serves both. */
  readonly repeats?: readonly SkipConcatenation[];
  readonly obstacle?: string;
}

/** Where embedded tokens enter the stack of blocks and where they leave it. */
export interface BlockStack {
  /** `for block in self.blocks: x = block(x)` or `x = self.blocks(x)`. */
  readonly statement: Range;
  /** Where the statement is an `if` whose branches all run the stack: what runs where no optional argument is given. */
  readonly plain?: readonly Range[];
  /** The variable that runs through it, (B, T, d). */
  readonly variable: string;
  readonly layer: string;
  /** Model width, valid inside `__init__`. */
  readonly width?: Expression;
  /** The loop over the blocks, where it is one that statements can be added to. */
  readonly loop?: BlockLoop;
  /** What goes in where the stack is one call of an nn.Sequential, `x = self.blocks(y)`: "y". */
  readonly input?: string;
  /** Why no module can soundly be put around it. */
  readonly obstacle?: string;
  /** Why the sequence cannot soundly be made longer before it. */
  readonly fixedLength?: string;
}

/** `for block in self.blocks:` with its body on lines of its own, which every round runs to its end. */
export interface BlockLoop {
  readonly header: Range;
  readonly target: string;
  readonly iterable: string;
  /** The number of the block, where the loop counts it: `for i, block in enumerate(self.blocks)` gives "i". */
  readonly index?: string;
  /** The first statement of the body. */
  readonly body: Range;
}

/** `logits = model(x)` inside a loop that appends the next token. */
export interface GenerationStep {
  readonly function: Method;
  /** Class that holds the function, absent for a free function. */
  readonly className?: string;
  readonly loop: Range;
  /** The statement that assigns the logits. */
  readonly statement: Range;
  readonly logits: string;
  readonly model: string;
  /** The call's arguments as written. */
  readonly input: string;
  /** Position in a tuple target (`logits, _ = …` gives 0), or what follows the call (`model(x).logits[:, -1]`: ".logits[:, -1]"). */
  readonly select?: number | string;
}

/** `loss.backward()` and `optimizer.step()` inside a loop. */
export interface TrainingStep {
  readonly loop?: Range;
  /** The outermost loop around it in which neither model nor optimizer is built. */
  readonly outer?: Range;
  readonly forward?: ForwardPass;
  /** Whether gradients of several backward passes are added up before a step. */
  readonly accumulates?: boolean;
  /** What the step can read by then: names, and items such as `batch["task_ids"]` under their key. */
  readonly names: readonly { readonly name: string; readonly text: string }[];
  readonly backward?: Range;
  readonly step?: Range;
  readonly loss?: string;
  readonly optimizer?: string;
  readonly model?: string;
}

/** How the loss of a training step comes from the model. */
export interface ForwardPass {
  /** The statement that calls the model. */
  readonly statement: Range;
  /** An expression that computes the loss anew above that statement: `F.cross_entropy(model(x), y)`. */
  readonly loss?: string;
  /** The model's output that the loss is made of: by the name it has, and as an expression that computes it anew. */
  readonly logits?: {
    readonly text: string;
    readonly again: string;
    /** The `_` that takes it so far and must be given that name. */
    readonly unnamed?: Range;
  };
  /** The cross-entropy of a sequence: the call, its function, and its (B, T, classes) and (B, T) before they were flattened. */
  readonly crossEntropy?: {
    readonly call: Range;
    readonly callee: string;
    readonly logits: string;
    readonly labels: string;
  };
}

export interface ModuleClass {
  readonly name: string;
  readonly nameRange: Range;
  /** `class Block(nn.Module):` */
  readonly header: Range;
  /** From `class` (or its first decorator) to the end of its body. */
  readonly range: Range;
  /** As `range.to`, but with the blank and half-written lines below that are indented deeper than the class. */
  readonly reach: number;
  /** Bases as qualified names. */
  readonly bases: readonly string[];
  readonly indentation: string;
  /** Indentation of the body's statements. */
  readonly bodyIndentation: string;
  readonly docstring?: string;
  readonly init?: Method;
  readonly forward?: Method;
  readonly methods: readonly Method[];
  readonly layers: readonly Layer[];
  readonly residuals: readonly ResidualBranch[];
  readonly skips: readonly SkipConcatenation[];
  readonly stacks: readonly BlockStack[];
  /** Arguments with which the file constructs this class, by parameter name, where certain (sizes follow from them). */
  readonly constructedWith: readonly Call[];
}

/** A module class that the file imports from another of the workspace. */
export interface ImportedModule {
  /** As this file writes it: `GPT`, `models.GPT`. */
  readonly local: string;
  /** As calls and layers of this file name it: `gpt.GPT`. */
  readonly qualified: string;
  /** The file that defines it. Positions in `module` are of that file. */
  readonly uri: string;
  readonly module: ModuleClass;
  /** Where this file constructs it. */
  readonly constructedWith: readonly Call[];
}

/** A name defined at the top level of the file. */
export interface Definition {
  readonly name: string;
  readonly kind: "class" | "function" | "variable";
  readonly range: Range;
  readonly nameRange: Range;
  readonly docstring?: string;
}

/** A comment or docstring, or a string literal: places where papers are named. */
export interface Prose {
  readonly range: Range;
  readonly kind: "comment" | "docstring" | "string";
}

/** The file's manner, which every insertion follows. */
export interface Layout {
  /** One level: "    ", "  " or a tab. */
  readonly indent: string;
  readonly lineBreak: "\n" | "\r\n" | "\r";
  readonly quote: '"' | "'";
  /** Where a new import belongs: after docstring, `__future__` and existing imports. */
  readonly importEnd: number;
  /** Whether the file writes `import torch.nn as nn`, `from torch import nn`, …: local name of torch.nn and of torch. */
  readonly torch?: string;
  readonly torchNn?: string;
  readonly endsWithLineBreak: boolean;
}

export interface PythonFacts {
  readonly imports: readonly ImportBinding[];
  readonly references: readonly Reference[];
  readonly definitions: readonly Definition[];
  /** Every call whose callee resolves, in source order. */
  readonly calls: readonly Call[];
  readonly modules: readonly ModuleClass[];
  /** Module classes of neighbouring files that this file names; none where it is read by itself. */
  readonly imported: readonly ImportedModule[];
  readonly functions: readonly Method[];
  readonly generation: readonly GenerationStep[];
  readonly training: readonly TrainingStep[];
  readonly prose: readonly Prose[];
  readonly layout: Layout;
  /** Places the reader could not make sense of; facts around them still hold. */
  readonly unread: readonly Range[];
}
