/** Loops that generate tokens and loops that train. */
import {
  bodiesOf,
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  expressionsOf,
  type FunctionStmt,
  type Stmt,
  walkExpression,
  walkStatements,
} from "./tree/ast";
import type { Block } from "./names/block";
import type { Place } from "./names/constants";
import type { GenerationStep, Range, TrainingStep } from "./facts";
import { forwardPass } from "./forward/forwardPass";
import { methodFact } from "./modules";

export interface Steps {
  readonly generation: readonly GenerationStep[];
  readonly training: readonly TrainingStep[];
}

/** The steps in the functions and at the top level of a block. */
export function stepsIn(block: Block, place: Place): Steps {
  const generation: GenerationStep[] = [];
  const training: TrainingStep[] = [];
  // Most blocks have neither; the words decide before the tree is walked.
  if (
    !/\b(?:backward|manual_backward|step|argmax|multinomial|topk|softmax|sample|max|sort)\b/.test(block.text)
  )
    return { generation, training };
  const visit = (
    statements: readonly Stmt[],
    owner?: ClassStmt,
    within?: FunctionStmt,
    loops: readonly Stmt[] = [],
  ) => {
    for (const statement of statements) {
      const isLoop = statement.kind === "for" || statement.kind === "while";
      if (isLoop && within) {
        const step = generationStep(statement, within, owner, { ...place, owner, function: within });
        if (step) generation.push(step);
      }
      if (statement.kind === "class") visit(statement.body, statement);
      else if (statement.kind === "function") {
        visit(statement.body, owner, statement);
        const step = trainingStep(statement.body, [], place, statement);
        if (step) training.push(step);
      } else {
        const inside = isLoop ? [...loops, statement] : loops;
        for (const body of bodiesOf(statement)) visit(body, owner, within, inside);
        const step = isLoop ? trainingStep(statement.body, inside, place, within) : undefined;
        if (step) training.push(step);
      }
    }
  };
  visit(block.statements);
  if (training.length === 0) {
    const step = trainingStep(block.statements, [], place, undefined);
    if (step) training.push(step);
  }
  return { generation, training: innermost(training) };
}

/** A loop inside a loop, or inside a function, is the step itself; what is around it is not another one. */
function innermost(steps: readonly TrainingStep[]): TrainingStep[] {
  const key = (step: TrainingStep) => `${step.backward?.from ?? -1}:${step.step?.from ?? -1}`;
  const kept = new Map<string, TrainingStep>();
  for (const step of steps) {
    const known = kept.get(key(step));
    if (!known || (step.loop && (!known.loop || size(step.loop) < size(known.loop))))
      kept.set(key(step), step);
  }
  return [...kept.values()].sort((one, other) => position(one) - position(other));
}

function size({ from, to }: Range): number {
  return to - from;
}

function position(step: TrainingStep): number {
  return step.backward?.from ?? step.step?.from ?? 0;
}

function span({ from, to }: Range): Range {
  return { from, to };
}

function calls(statements: readonly Stmt[], visit: (call: CallExpr, statement: Stmt) => void): void {
  walkStatements(statements, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        if (node.kind === "call") visit(node, statement);
      });
    return true;
  });
}

const optimizerName = /opt/i;
const modelName = /^(?:self\.)?\w*(?:model|net|network|llm|lm|gpt|transformer)\w*$/i;

/** @param loops those around the body, outermost first; the body is that of the last. */
function trainingStep(
  body: readonly Stmt[],
  loops: readonly Stmt[],
  place: Place,
  within: FunctionStmt | undefined,
): TrainingStep | undefined {
  const loop = loops.at(-1);
  let backward: { range: Range; loss?: Expr } | undefined;
  let step: { range: Range; optimizer?: string } | undefined;
  let model: string | undefined;
  calls(body, (call, statement) => {
    const path = dottedPath(call.callee);
    const last = call.callee.kind === "attribute" ? call.callee.name : path?.at(-1);
    if (last === "backward" || last === "manual_backward") {
      const byAnother = last === "manual_backward" || /accelerator|fabric|self/.test(path?.[0] ?? "");
      const given = path && path.length > 1 && byAnother ? call.arguments[0]?.value : undefined;
      const loss = last === "manual_backward" ? call.arguments[0]?.value : (given ?? lossOf(call.callee));
      backward ??= { range: span(statement), ...(loss && { loss }) };
    } else if (last === "step" && path && path.length > 1) {
      const owner = path.slice(0, -1).join(".");
      const [argument] = call.arguments;
      // scaler.step(optimizer)
      const scaled = /scaler/i.test(owner) && argument ? dottedPath(argument.value)?.join(".") : undefined;
      if (optimizerName.test(scaled ?? owner))
        step ??= { range: span(statement), optimizer: scaled ?? owner };
    } else if (path && path.length <= 2 && statement.kind === "assign") {
      const name = path.join(".");
      if (modelName.test(name)) model ??= name;
    }
  });
  if (!backward && !step) return undefined;
  if (!backward && !loop) return undefined;
  const outer = loops.find((each) => !bindsAny(each, [model, step?.optimizer]));
  const forward =
    backward?.loss && model !== undefined ? forwardPass(body, model, backward.loss, place) : undefined;
  const loss = backward?.loss && dottedPath(backward.loss)?.join(".");
  return {
    ...(loop && { loop: span(loop) }),
    ...(outer && { outer: span(outer) }),
    ...(backward && { backward: backward.range }),
    ...(step && { step: step.range }),
    ...(loss !== undefined && { loss }),
    ...(step?.optimizer !== undefined && { optimizer: step.optimizer }),
    ...(model !== undefined && { model }),
    ...(forward && { forward }),
    ...(accumulates(body, backward?.range, step?.range) && { accumulates: true }),
    names: backward ? namesAt(backward.range.from, body, loops, within, place) : [],
  };
}

/** Whether a loop gives one of the names a value. */
function bindsAny(loop: Stmt, names: readonly (string | undefined)[]): boolean {
  let found = false;
  walkStatements([loop], (statement) => {
    if (statement.kind === "assign" && statement.operator === "=")
      found ||= statement.targets.some((target) => names.includes(dottedPath(target)?.join(".")));
  });
  return found;
}

/** `if (i + 1) % n == 0: optimizer.step()`, and a step outside the loop of the backward passes. */
function accumulates(body: readonly Stmt[], backward: Range | undefined, step: Range | undefined): boolean {
  if (!backward) return false;
  if (!step) return true;
  let conditional = false;
  walkStatements(body, (statement) => {
    const holds = ({ from, to }: Range) => statement.from <= from && to <= statement.to;
    if (statement.kind === "if" && holds(step) && !holds(backward)) conditional = true;
  });
  return conditional;
}

/** What is bound above an offset of the step: parameters, targets of loops and assignments; and items by key. */
function namesAt(
  offset: number,
  body: readonly Stmt[],
  loops: readonly Stmt[],
  within: FunctionStmt | undefined,
  { block }: Place,
): TrainingStep["names"] {
  const found = new Map<string, string>();
  const bind = (target: Expr): void => {
    if (target.kind === "name") found.set(target.name, target.name);
    else if (target.kind === "tuple" || target.kind === "list") target.items.forEach(bind);
  };
  const visit = (statements: readonly Stmt[]): void =>
    walkStatements(statements, (statement) => {
      if (statement.from >= offset || statement.kind === "function" || statement.kind === "class")
        return false;
      if (statement.kind === "for" && (loops.includes(statement) || statement.to <= offset))
        bind(statement.target);
      if (statement.kind === "assign") statement.targets.forEach(bind);
      return true;
    });
  within?.parameters.forEach(({ name }) => found.set(name, name));
  visit(within?.body ?? loops.slice(0, 1));
  for (const statement of body) {
    if (statement.to > offset) break;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        const key = node.kind === "subscript" && node.items.length === 1 ? node.items[0] : undefined;
        if (key?.kind === "string" && key.value !== undefined && !found.has(key.value))
          found.set(key.value, block.slice(node));
      });
  }
  return [...found].map(([name, text]) => ({ name, text }));
}

/** What goes backward: `loss.backward()`, `scaler.scale(loss).backward()`, `(loss / n).backward()`. */
function lossOf(callee: Expr): Expr | undefined {
  if (callee.kind !== "attribute") return undefined;
  let subject = callee.object;
  for (;;) {
    if (subject.kind === "binary") subject = subject.left;
    else if (subject.kind === "call" && subject.callee.kind === "attribute") {
      const [argument] = subject.arguments;
      if (subject.callee.name === "scale" && argument) subject = argument.value;
      else if (/^(?:mean|sum)$/.test(subject.callee.name)) subject = subject.callee.object;
      else return undefined;
    } else return subject.kind === "call" ? undefined : subject;
  }
}

/** A loop that calls a model and appends what it chose to the input of the next round. */
function generationStep(
  loop: Stmt & { kind: "for" | "while" },
  within: FunctionStmt,
  owner: ClassStmt | undefined,
  place: Place,
): GenerationStep | undefined {
  const seen = { appends: false, chooses: false, nested: false };
  calls(loop.body, (call) => {
    const name = call.callee.kind === "attribute" || call.callee.kind === "name" ? call.callee.name : "";
    const qualified = place.scope.resolve(call.callee) ?? "";
    if (
      /^torch\.(?:cat|concat|concatenate|hstack|column_stack)$/.test(qualified) ||
      /^(?:append|extend|index_copy_|scatter_)$/.test(name)
    )
      seen.appends = true;
    if (/^(?:argmax|multinomial|topk|softmax|sample|max|log_softmax|sort)$/.test(name)) seen.chooses = true;
    if (name === "backward") seen.nested = true;
  });
  // idx[:, t] = next_token
  walkStatements(loop.body, (statement) => {
    if (statement.kind === "assign" && statement.targets.some((target) => target.kind === "subscript"))
      seen.appends = true;
    if (statement.kind === "for" || statement.kind === "while")
      seen.nested ||= generationStep(statement, within, owner, place) !== undefined;
  });
  if (!seen.appends || !seen.chooses || seen.nested) return undefined;
  let found: GenerationStep | undefined;
  walkStatements(loop.body, (statement) => {
    if (found || statement.kind !== "assign" || !statement.value || statement.operator !== "=") return;
    const called = modelCall(statement.value, place);
    if (!called) return;
    const [target] = statement.targets;
    const unpacked = target?.kind === "tuple";
    const names = unpacked ? target.items : target ? [target] : [];
    const position = Math.max(
      0,
      names.findIndex((item) => item.kind === "name" && item.name.includes("logit")),
    );
    const logits = names[position];
    if (logits?.kind !== "name") return;
    const { block } = place;
    const [first, last] = [called.call.arguments[0], called.call.arguments.at(-1)];
    const select = unpacked ? position : called.select;
    found = {
      function: methodFact(within, place),
      ...(owner && { className: owner.name }),
      loop: span(loop),
      statement: span(statement),
      logits: logits.name,
      model: block.slice(called.call.callee),
      input: first && last ? block.slice({ from: first.from, to: last.to }) : "",
      ...(select !== undefined && { select }),
    };
  });
  return found;
}

/** `model(x)`, `self(x)`, and what is taken of it: `model(x).logits[:, -1, :]` gives ".logits[:, -1, :]". */
function modelCall(expression: Expr, place: Place): { call: CallExpr; select?: string } | undefined {
  let node = expression;
  while (node.kind === "attribute" || node.kind === "subscript") node = node.object;
  if (node.kind !== "call" || node.arguments.length === 0) return undefined;
  const path = dottedPath(node.callee);
  if (!path || place.scope.resolve(node.callee) !== undefined) return undefined;
  const name = path.join(".");
  const last = path.at(-1) ?? "";
  const isModel =
    name === "self" ||
    name === "self.forward" ||
    (path.length <= 2 && modelName.test(name)) ||
    (path.length <= 2 && last === "forward");
  const parameter = path.length === 1 && place.function?.parameters.some((each) => each.name === name);
  if (!isModel && !parameter) return undefined;
  const select = place.block.slice({ from: node.to, to: expression.to });
  return { call: node, ...(select !== "" && { select }) };
}
