/** Residual branches: `x = x + self.mlp(self.ln_2(x))` in all the ways people write it. */
import { expressionsOf, forEachChild, type Expr, type Stmt, selfPath, walkExpression } from "../tree/ast";
import type { Expression, Range, ResidualBranch, SublayerRole } from "../facts";
import type { Flow, LayerCall } from "./flow";
import { convolves, sublayerRole } from "./roles";
import { isSpatialNorm, StreamNorms, uncast } from "./stream";
import { type Sublayer, sublayerOf as sublayerAt } from "./sublayer";
import { expressionWidth, outputWidth, streamWidth } from "./widths";

const skipName = /residual|identity|shortcut|skip|^input|_input$|inputs?$/i;
const activationName =
  /(?:^|\.)(?:relu|gelu|silu|tanh|mish|leaky_relu|elu|act|act_fn|activation|activation_fn|nonlinearity)$/i;
const shortcutName = /shortcut|skip|downsample|residual|identity|proj_skip/i;
const embeddingName = /pos|time|t_?emb|emb(?:ed(?:ding)?)?s?$|cond/i;
/** The second half of `x * scale + shift`. */
const shiftName = /(?:^|_)(?:shift|beta|bias|offset)(?:_|$)/i;

/** All residual branches of a method in source order. */
export function residualsIn(flow: Flow): ResidualBranch[] {
  const found: ResidualBranch[] = [];
  const norms = new StreamNorms(flow);
  const sublayerOf = (expression: Expr, before: number) => sublayerAt(expression, before, flow);
  flow.steps.forEach(({ statement }, index) => {
    if (statement.kind === "assign" && statement.operator === "+=" && statement.value) {
      const [target] = statement.targets;
      if (target) inPlace(target, statement.value, statement);
    } else if ((statement.kind === "assign" || statement.kind === "return") && statement.value) {
      look(statement.value, statement, index, undefined);
    }
  });
  return found;

  /** Finds sums in an expression; `norm` is the norm whose argument it is. */
  function look(expression: Expr, statement: Stmt, index: number, norm: string | undefined): void {
    if (expression.kind === "binary" && expression.operator === "+") {
      const operands = summands(expression);
      if (sum(operands, statement, index, norm)) return;
    }
    const called = flow.layerCall(expression);
    const inner = called && flow.roleAt(called.path) === "norm" ? called.path : undefined;
    forEachChild(expression, (child) => look(child, statement, index, inner));
  }

  function sum(operands: readonly Expr[], statement: Stmt, index: number, norm: string | undefined): boolean {
    if (operands.some((operand) => operand.kind === "name" && isRecord(operand.name))) return false;
    const branches = operands.map((operand) => sublayerOf(operand, statement.from));
    const computed = (operand: Expr) => branches[operands.indexOf(operand)] !== undefined;
    let any = false;
    operands.forEach((operand, position) => {
      const branch = branches[position];
      if (!branch || flow.roleAt(branch.called.path) === "embedding") return;
      // What no layer has computed is the skip sooner than another branch.
      const others = operands.filter((other) => other !== operand);
      others.sort((one, other) => Number(computed(one)) - Number(computed(other)));
      const skip = others.find((other) => isSkip(other, operand, branch, statement.from));
      if (!skip) return;
      // Of two names that both hold outputs of layers, the branch is the one that was computed last.
      const rival = branches[operands.indexOf(skip)];
      const isRival = rival?.earlier && !isShortcut(skip, rival);
      if (branch.earlier && isRival && rival.earlier.from > branch.earlier.from) return;
      const after = norm ?? normAfter(statement, index);
      const form = after === undefined ? formOf(branch) : "post-norm";
      add(operand, branch, skip, statement, form, after);
      any = true;
    });
    return any;
  }

  /** Whether a name holds what a model returns, `outputs.hidden_states` and all: a sum of such is a longer tuple. */
  function isRecord(name: string): boolean {
    const parts = "last_hidden_state|hidden_states|attentions|past_key_values|logits|to_tuple";
    return new RegExp(`(?<![\\w.])${name}(?:\\.(?:${parts})\\b|\\[\\d+\\] if len\\()`).test(
      flow.block.slice(flow.method),
    );
  }

  function inPlace(target: Expr, value: Expr, statement: Stmt): void {
    let any = false;
    for (const operand of summands(value)) {
      const branch = sublayerOf(operand, statement.from);
      if (
        branch &&
        flow.roleAt(branch.called.path) !== "embedding" &&
        isSkip(target, operand, branch, statement.from)
      ) {
        add(operand, branch, target, statement, "in-place", undefined);
        any = true;
      }
    }
    // `out = self.conv2(out)` … `out += identity`: the branch is what is added to.
    const branch = target.kind === "name" && !any ? sublayerOf(target, statement.from) : undefined;
    const isPlain = value.kind === "name" && skipName.test(value.name);
    if (branch && isPlain)
      add(
        target,
        branch,
        value,
        statement,
        "in-place",
        undefined,
        "The branch is the variable that is added to. Write `x = x + skip` with the skip on the right, then adapt it.",
      );
  }

  function add(
    branch: Expr,
    sublayer: Sublayer,
    skip: Expr,
    statement: Stmt,
    form: ResidualBranch["form"],
    norm: string | undefined,
    obstacle?: string,
  ): void {
    const { called } = sublayer;
    const taken = norms.of(skip, statement.from) ?? norms.of(branch, statement.to);
    const width = widthOf(called, norm ?? taken?.path, skip);
    const input = sublayer.moved === true ? undefined : inputOf(called);
    const [read] = called.arguments;
    const inputWidth = input && read && expressionWidth(read, called.call.from, flow);
    const channelsFirst =
      norm !== undefined
        ? isSpatialNorm(norm, flow)
        : (taken?.channelsFirst ??
          (sublayer.moved === true || convolves(flow.owner, flow.block, flow.scope)));
    const reason =
      obstacle ??
      (called.loopVariable
        ? "This layer is called in a loop over several, so one adapter would be shared by all of them. Adapt it inside its own class."
        : channelsFirst
          ? `What \`${called.path}\` gives has its channels in dimension 1, as in (B, C, H, W), and an adapter after it takes them last. Adapt the layers inside it.`
          : undefined);
    const stream = uncast(skip);
    found.push({
      role: roleOf(called),
      branch: { from: branch.from, to: branch.to },
      sublayer: { from: called.call.from, to: called.call.to },
      layer: called.path,
      ...(stream.kind === "name" && { stream: stream.name }),
      ...(input && { input }),
      statement: { from: statement.from, to: statement.to },
      ...(width && { width }),
      ...(inputWidth && { inputWidth }),
      form,
      ...(reason !== undefined && { obstacle: reason }),
    });
  }

  /** The first argument; where `y = self.norm(x)` goes in several times, `self.norm(x)`, if nothing else reads y. */
  function inputOf({ call, path, arguments: [first, ...others] }: LayerCall): Range | undefined {
    if (!first || first.kind === "star") return undefined;
    // The last projection of a feed-forward net reads what is wider than the stream.
    const sizes = flow.roleAt(path) === "linear" ? flow.layerAt(path)?.arguments : undefined;
    if (sizes && sizes["in_features"]?.text !== sizes["out_features"]?.text) return undefined;
    const text = flow.block.slice(first);
    if (!others.some((other) => flow.block.slice(other) === text)) return { from: first.from, to: first.to };
    const assigned = first.kind === "name" ? flow.latest(first.name, call.from) : undefined;
    if (first.kind !== "name" || !assigned || assigned.unpacked || !normPath(assigned.value))
      return undefined;
    const { name } = first;
    const elsewhere = flow.steps.some(({ statement }) =>
      expressionsOf(statement).some((expression) => {
        let reads = false;
        walkExpression(expression, (node) => {
          const isTarget = statement.kind === "assign" && statement.targets.includes(node);
          const isInside = call.from <= node.from && node.to <= call.to;
          if (node.kind === "name" && node.name === name && !isTarget && !isInside) reads = true;
        });
        return reads;
      }),
    );
    return elsewhere ? undefined : { from: assigned.value.from, to: assigned.value.to };
  }

  /** The called layer's role; a bare projection is the end of a feed-forward net when another stands before it. */
  function roleOf(called: LayerCall): ResidualBranch["role"] {
    const role = sublayerRole(called.path, flow);
    if (role !== "other") return role;
    // BERT's kin: `self.output(self.intermediate(h))`
    if (called.path === "output" && flow.layerAt("intermediate")) return "feed-forward";
    if (flow.roleAt(called.path) !== "linear") return role;
    const ofClass = outputRole(called.path);
    if (ofClass) return ofClass;
    const before = { linear: false, activation: false };
    const follow = (expression: Expr, steps: number): void => {
      if (expression.kind === "name" && steps > 0) {
        const assigned = flow.latest(expression.name, expression.from);
        if (assigned && assigned.value.kind === "call") follow(assigned.value, steps - 1);
        return;
      }
      if (expression.kind === "call") {
        const path = flow.layerCall(expression)?.path;
        const inner = path === undefined ? undefined : flow.roleAt(path);
        if (inner === "linear") before.linear = true;
        const name = path ?? flow.scope.resolve(expression.callee) ?? "";
        if (inner === "activation" || activationName.test(name)) before.activation = true;
      }
      forEachChild(expression, (child) => follow(child, steps));
    };
    for (const argument of called.arguments) follow(argument, 5);
    return before.linear && before.activation ? "feed-forward" : role;
  }

  /** The dense layer of `BertSelfOutput` ends the attention, that of `BertOutput` the feed-forward net. */
  function outputRole(path: string): SublayerRole | undefined {
    if (/(?:Self|Attention|Attn)Output$/.test(flow.owner.name)) return "attention";
    const sizes = flow.layerAt(path)?.arguments;
    const narrows = sizes?.["in_features"]?.text !== sizes?.["out_features"]?.text;
    return /Output$/.test(flow.owner.name) && narrows ? "feed-forward" : undefined;
  }

  /** The stream's width: of the norm before or after, of the sub-layer, or of all norms of the class. */
  function widthOf(called: LayerCall, norm: string | undefined, skip: Expr): Expression | undefined {
    const before = called.arguments.map((argument) => normPath(argument)).find((path) => path !== undefined);
    const paths = isWidened(called, skip) ? [norm, called.path, before] : [norm, before, called.path];
    for (const path of paths) {
      const width = path === undefined ? undefined : outputWidth(path, flow);
      if (width) return width;
    }
    return streamWidth(flow);
  }

  /** `y = self.norm(x)`, then `x = self.widen(x)`, then `x = x + self.attn(y)`: the sum need not be as wide as y. */
  function isWidened({ arguments: [read], call }: LayerCall, skip: Expr): boolean {
    if (read?.kind !== "name" || skip.kind !== "name") return false;
    const normed = flow.latest(read.name, call.from);
    const stream = flow.latest(skip.name, call.from);
    return normed !== undefined && stream !== undefined && stream.statement.from > normed.statement.from;
  }

  function normPath(expression: Expr): string | undefined {
    const called = flow.layerCall(expression);
    if (called) return flow.roleAt(called.path) === "norm" ? called.path : undefined;
    if (expression.kind !== "name") return undefined;
    const assigned = flow.latest(expression.name, expression.from);
    return assigned && assigned.value.kind === "call" ? normPath(assigned.value) : undefined;
  }

  function formOf({ called }: Sublayer): "pre-norm" | "plain" {
    return called.arguments.some((argument) => normPath(argument) !== undefined) ? "pre-norm" : "plain";
  }

  /** `x = x + h` followed by `x = self.norm(x)`. */
  function normAfter(statement: Stmt, index: number): string | undefined {
    const next = flow.steps[index + 1]?.statement;
    if (statement.kind !== "assign" || (next?.kind !== "assign" && next?.kind !== "return") || !next.value)
      return undefined;
    const [target] = statement.targets;
    const called = flow.layerCall(next.value);
    const [argument] = called?.arguments ?? [];
    const same = target?.kind === "name" && argument?.kind === "name" && argument.name === target.name;
    const sameTarget =
      next.kind === "return" ||
      (next.targets[0]?.kind === "name" && target?.kind === "name" && next.targets[0].name === target.name);
    return called && same && sameTarget && flow.roleAt(called.path) === "norm" ? called.path : undefined;
  }

  function isShortcut(operand: Expr | undefined, branch: Sublayer): boolean {
    if (operand?.kind === "name" && skipName.test(operand.name)) return true;
    return shortcutName.test(branch.called.path.split(".").at(-1) ?? "");
  }

  /** Whether `other` is the skip that the branch is added to, rather than some other term. */
  function isSkip(other: Expr, operand: Expr, branch: Sublayer, before: number): boolean {
    const name = baseName(other);
    if (name !== undefined && shiftName.test(name)) return false;
    if (name === undefined) {
      const called = flow.layerCall(other);
      return called !== undefined && shortcutName.test(called.path.split(".").at(-1) ?? "");
    }
    if (name === baseName(operand)) return false;
    if (skipName.test(name)) return true;
    const at = branch.earlier?.from ?? before;
    if (branch.called.arguments.some((argument) => flow.reads(argument, at).has(name))) return true;
    if (branch.earlier === undefined) return false;
    const assigned = flow.latest(name, before);
    // `shortcut = x`; or a parameter that the method never changes, as BERT's output layers take one.
    if (assigned) return assigned.value.kind === "name" || assigned.value.kind === "attribute";
    return flow.method.parameters.some((parameter) => parameter.name === name) && !embeddingName.test(name);
  }
}

function summands(expression: Expr): Expr[] {
  return expression.kind === "binary" && expression.operator === "+"
    ? [...summands(expression.left), ...summands(expression.right)]
    : [expression];
}

/** The variable an operand is: `x`, `x[0]`, `self.x`, `x.float()`, `x * scale`. */
function baseName(operand: Expr): string | undefined {
  const expression = uncast(operand);
  if (expression.kind === "binary" && expression.operator === "*") {
    const { left, right } = expression;
    const isFactor = (each: Expr) => each.kind === "number" || selfPath(each) !== undefined;
    return isFactor(right) ? baseName(left) : isFactor(left) ? baseName(right) : undefined;
  }
  if (expression.kind === "name") return expression.name;
  if (expression.kind === "subscript") return baseName(expression.object);
  if (expression.kind === "attribute") return selfPath(expression);
  return undefined;
}
