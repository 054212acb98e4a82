/** Why a stack of blocks must not get a module of its own: what stands around it in `forward`. */
import {
  type ClassStmt,
  type Expr,
  expressionsOf,
  type FunctionStmt,
  selfPath,
  type Stmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import type { Block } from "../names/block";
import type { BlockStack, Layer } from "../facts";
import { layersOf } from "../layers/layers";
import { convolves } from "./roles";
import type { Scope } from "../names/scope";

/** What a class's `forward` runs: itself and the methods it calls, by name; all methods where there is no forward. */
export function runMethods(node: ClassStmt): ReadonlySet<string> {
  const methods = new Map<string, FunctionStmt>();
  for (const member of node.body) if (member.kind === "function") methods.set(member.name, member);
  const run = new Set(methods.has("forward") ? ["forward"] : methods.keys());
  for (const name of run) {
    walkStatements(methods.get(name)?.body ?? [], (statement) => {
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (inner) => {
          const path = selfPath(inner);
          if (path !== undefined && methods.has(path)) run.add(path);
        });
    });
  }
  return run;
}

/** The stacks of one method, each with what speaks against a module around it. */
export function soundStacks(
  stacks: readonly BlockStack[],
  node: ClassStmt,
  method: FunctionStmt,
  block: Block,
  scope: Scope,
): BlockStack[] {
  const { layers } = layersOf(node, block, scope);
  return stacks.map((stack): BlockStack => {
    const obstacle =
      branches(stack, stacks, method) ??
      left(stack, block) ??
      sometimesTokens(stack, method, block) ??
      parts(stack, layers, node, block, scope);
    const fixedLength = lengthOf(stack, layers, node, block, scope);
    return {
      ...stack,
      ...(obstacle !== undefined && { obstacle }),
      ...(fixedLength !== undefined && { fixedLength }),
    };
  });
}

/** `if self.checkpointing: x = checkpoint_seq(self.blocks, x)`, `else: x = self.blocks(x)`: two places for one module. */
function branches(
  stack: BlockStack,
  stacks: readonly BlockStack[],
  method: FunctionStmt,
): string | undefined {
  const again = stacks.some((other) => other !== stack && other.layer === stack.layer);
  const inBranches: number[] = [];
  walkStatements(method.body, (statement) => {
    if (statement.kind !== "if") return;
    if (statement.from > stack.statement.from || statement.to < stack.statement.to) return;
    if (statement.from === stack.statement.from) return; // all its branches are the stack
    inBranches.push(statement.branches.filter(({ body }) => mentions(body, stack.layer)).length);
  });
  const branched = inBranches.some((count) => count > 1);
  return branched || again
    ? `\`${stack.layer}\` runs at more than one place of \`${method.name}\`, and one of them would stay as it is. Let it run at one.`
    : undefined;
}

/** Whether statements speak of `self.<path>`. */
function mentions(body: readonly Stmt[], path: string): boolean {
  const found: Expr[] = [];
  walkStatements(body, (statement) => {
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (part) => {
        if (selfPath(part) === path) found.push(part);
      });
  });
  return found.length > 0;
}

/** A stack whose result is returned at once leaves no line for what comes after it. */
function left(stack: BlockStack, block: Block): string | undefined {
  return /^return\b/.test(block.text.slice(stack.statement.from))
    ? `What \`${stack.layer}\` gives is returned at once; assign it to \`${stack.variable}\` and return that.`
    : undefined;
}

/** `if not self.use_nchw: x = x.flatten(2).transpose(1, 2)`: some models of the class run images through the blocks. */
function sometimesTokens(
  { layer, variable, statement: run }: BlockStack,
  method: FunctionStmt,
  block: Block,
): string | undefined {
  const isFlattening = (statement: Stmt): boolean =>
    statement.kind === "assign" &&
    statement.targets.some((target) => target.kind === "name" && target.name === variable) &&
    /\.flatten\(|\.transpose\(1, ?2\)|\.permute\(0, ?2, ?3, ?1\)/.test(block.slice(statement));
  const found = method.body.some((statement) => {
    if (statement.kind !== "if" || statement.to > run.from || statement.branches.length > 1) return false;
    const [only] = statement.branches;
    // if x.dim() == 4: x = x.flatten(2).transpose(1, 2) always gives tokens
    const asksShape = only?.test && /\bn?dim\b|\bshape\b|\bsize\b|\blen\(/.test(block.slice(only.test));
    return only !== undefined && asksShape !== true && only.body.some(isFlattening);
  });
  return found
    ? `What runs through \`${layer}\` is made tokens (B, T, d) only on a condition, and else has another shape. Adapt the blocks themselves.`
    : undefined;
}

const childrenOf = (stack: BlockStack, layers: readonly Layer[]): Layer[] => {
  const depth = stack.layer.split(".").length + 1;
  return layers.filter(({ path }) => path.startsWith(`${stack.layer}.`) && path.split(".").length === depth);
};

const flattens = /\bflatten\(|[rR]earrange\([^)]*->\s*b\s+\(|\.view\(|\.reshape\(|\.permute\(/;

/** Blocks that do not all read and give (B, T, d) of one width. */
function parts(
  stack: BlockStack,
  layers: readonly Layer[],
  node: ClassStmt,
  block: Block,
  scope: Scope,
): string | undefined {
  const { layer, statement } = stack;
  if (/\bcat\(|\bconcat(?:enate)?\(/.test(block.text.slice(statement.from, statement.to)))
    return `Between the blocks of \`${layer}\` something is joined to what runs through, so its width changes. Adapt the blocks themselves.`;
  const zipped = /^for\b[^:]*?\bzip\(((?:[^()]|\([^()]*\))*)/.exec(
    block.text.slice(statement.from, statement.to),
  )?.[1];
  if ((zipped?.match(/\bself\.\w+/g)?.length ?? 0) > 1)
    return `The loop runs through \`${layer}\` and other lists in turn, as stages between which width and length may change. Adapt the blocks inside.`;
  const children = childrenOf(stack, layers);
  const types = new Set(children.filter(({ form }) => form !== "conditional").map(({ type }) => type));
  if (types.size > 1)
    return `The parts of \`${layer}\` are of several kinds (${[...types].map((type) => `\`${type.split(".").at(-1) ?? type}\``).join(", ")}), so that no one width fits. Adapt the blocks inside.`;
  const stage = children.find(({ type }) => hasBlocks(type, scope));
  if (stage !== undefined)
    return `The parts of \`${layer}\` are stages with blocks of their own, between which width and length may change. Adapt \`${stage.type}\` instead.`;
  const text = block.text.slice(node.from, node.to);
  const spatial = children.some(({ type }) => isSpatial(type, scope));
  return spatial || (convolves(node, block, scope) && !flattens.test(text))
    ? `Images run through \`${layer}\`, not tokens; this needs (B, T, d). Adapt the convolutions or the linear layers inside.`
    : undefined;
}

function declared(type: string, scope: Scope): { node: ClassStmt; block: Block } | undefined {
  const declaration = type.includes(".") ? undefined : scope.lookup(type);
  return declaration?.kind === "class" ? declaration : undefined;
}

/** Whether a class of the file holds a list of modules that are blocks in turn. */
function hasBlocks(type: string, scope: Scope): boolean {
  const found = declared(type, scope);
  if (found === undefined) return false;
  const { layers } = layersOf(found.node, found.block, scope);
  return layers.some(
    (list) =>
      /\.(?:ModuleList|Sequential)$/.test(list.type) &&
      layers.some(
        ({ path, role, type: part }) =>
          path.startsWith(`${list.path}.`) && role === "module" && declared(part, scope) !== undefined,
      ),
  );
}

function isSpatial(type: string, scope: Scope): boolean {
  const found = declared(type, scope);
  return found !== undefined && convolves(found.node, found.block, scope);
}

/** Why the sequence cannot be made longer before the blocks. */
function lengthOf(
  stack: BlockStack,
  layers: readonly Layer[],
  node: ClassStmt,
  block: Block,
  scope: Scope,
): string | undefined {
  const run = block.text.slice(stack.statement.from, stack.statement.to);
  if (/\bself\.\w*(?:mask|bias|rotary|freqs)\w*\b|\b\w+_pe\b/.test(run))
    return "The blocks also get a mask or positions sized for the tokens alone; a prompt makes the sequence longer. Extend them first.";
  const children = childrenOf(stack, layers);
  const classes = children.flatMap(({ type }) => declared(type, scope) ?? []);
  const inside = [
    ...classes.map((each) => each.block.text.slice(each.node.from, each.node.to)),
    ...(children.some(({ type }) => /^torch\.nn\.Transformer/.test(type))
      ? [block.text.slice(node.from, node.to)]
      : []),
  ];
  // `self.mix(x.transpose(1, 2))`: a layer as wide as the sequence is long
  if (inside.some((text) => /self\.\w+\((?:[^()]|\([^()]*\))*\.transpose\(1, 2\)\)/.test(text)))
    return `The blocks of \`${stack.layer}\` mix tokens by a layer as wide as the sequence is long; a prompt makes it longer.`;
  // `cls = x[:, :1]`, and what is before the class token would be taken for it
  if (inside.some((text) => /\w\[:, ?0?:1\]|\w\[:, ?1:\]/.test(text)))
    return `The blocks of \`${stack.layer}\` treat the first token apart, whose place a prompt would take.`;
  if (inside.some((text) => /input_resolution|window_size|window_partition|\bH \* W\b/.test(text)))
    return `The blocks of \`${stack.layer}\` know the height and width of what they get; a prompt makes the sequence longer.`;
  const fused = /\bnn\.(?:MultiheadAttention|TransformerEncoderLayer|TransformerDecoderLayer)\(/;
  // an adapted attention is a class of the file
  const adapted = classes.some((each) =>
    layersOf(each.node, each.block, scope).layers.some(
      ({ role, type, arguments: given }) =>
        role === "attention" && !type.includes(".") && given["batch_first"] === undefined,
    ),
  );
  return adapted || inside.some((text) => fused.test(text) && !/batch_first/.test(text))
    ? `The blocks of \`${stack.layer}\` take the sequence first, (T, B, d), and a prompt is put before (B, T, d). Build their attention with batch_first=True.`
    : undefined;
}
