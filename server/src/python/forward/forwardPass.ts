/** How the loss of a training step comes from the model: as an expression that can be computed anew. */
import {
  bodiesOf,
  type CallExpr,
  dottedPath,
  type Expr,
  expressionsOf,
  forEachChild,
  type Stmt,
  walkExpression,
} from "../tree/ast";
import type { Place } from "../names/constants";
import type { ForwardPass, Range } from "../facts";

/** What gives a name its value: `logits, _ = model(x)` gives `logits` item 0 of the call. */
interface Binding {
  readonly statement: Stmt;
  readonly target: Expr;
  readonly value: Expr;
  readonly item?: number;
  /** `loss += penalty`, and what may not run at all. */
  readonly uncertain: boolean;
}

const maximumDepth = 8;
/** Methods that only lay a tensor out for the loss. */
const layoutMethod = /^(?:view|reshape|flatten|contiguous|float|transpose|permute|squeeze|to)$/;
const flatteningMethod = /^(?:view|reshape|flatten|transpose|permute)$/;

/** @param body the statements of the step up to `backward`; `loss` is what goes backward. */
export function forwardPass(
  body: readonly Stmt[],
  model: string,
  loss: Expr,
  place: Place,
): ForwardPass | undefined {
  const { block, scope } = place;
  const bindings: Binding[] = [];
  const starts: { readonly statement: Stmt; readonly certain: boolean }[] = [];

  const callsModel = (expression: Expr): boolean => {
    const found: CallExpr[] = [];
    walkExpression(expression, (node) => {
      if (isModelCall(node)) found.push(node);
    });
    return found.length > 0;
  };
  const visit = (statements: readonly Stmt[], certain: boolean): void => {
    for (const statement of statements) {
      if (statement.from >= loss.from || statement.kind === "function" || statement.kind === "class")
        continue;
      if (expressionsOf(statement).some(callsModel)) starts.push({ statement, certain });
      if (statement.kind === "assign" && statement.value) bind(statement, statement.value, certain);
      for (const inner of bodiesOf(statement)) visit(inner, certain && statement.kind === "compound");
    }
  };
  const bind = (statement: Stmt & { kind: "assign" }, value: Expr, certain: boolean): void => {
    const uncertain = !certain || statement.operator !== "=";
    for (const target of statement.targets) {
      if (target.kind !== "tuple" && target.kind !== "list") {
        bindings.push({ statement, target, value, uncertain });
        continue;
      }
      const paired = value.kind === "tuple" && value.items.length === target.items.length;
      const starred = target.items.some(({ kind }) => kind === "star");
      target.items.forEach((item, index) => {
        const own = paired ? value.items[index] : undefined;
        const binding = { statement, target: item, uncertain: uncertain || starred };
        bindings.push(own ? { ...binding, value: own } : { ...binding, value, item: index });
      });
    }
  };
  visit(body, true);
  const [start] = starts;
  if (!start?.certain) return undefined;
  const first = start.statement;

  const bindingOf = (name: string, before: number): Binding | undefined =>
    bindings.findLast(
      ({ target, statement }) => statement.to <= before && target.kind === "name" && target.name === name,
    );

  /** The expression with every name that the step binds from the model's call on replaced by its value. */
  const again = (expression: Expr, before: number, depth = 0): string | undefined => {
    if (depth > maximumDepth) return undefined;
    const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
    const unsound: Expr[] = [];
    const look = (node: Expr): void => {
      if ((node.kind === "lambda" || node.kind === "comprehension") && callsModel(node)) unsound.push(node);
      if (node.kind !== "name") {
        forEachChild(node, look);
        return;
      }
      const binding = bindingOf(node.name, before);
      if (!binding || binding.statement.from < first.from) return;
      const text = binding.uncertain ? undefined : again(binding.value, binding.statement.from, depth + 1);
      if (text === undefined) unsound.push(node);
      else edits.push({ from: node.from, to: node.to, text: taken(text, binding) });
    };
    look(expression);
    if (unsound.length > 0) return undefined;
    let text = "";
    let at = expression.from;
    for (const edit of edits) {
      text += block.slice({ from: at, to: edit.from }) + edit.text;
      at = edit.to;
    }
    return text + block.slice({ from: at, to: expression.to });
  };

  const lossValue = valueOf(loss, loss.from);
  const isPlain = lossValue?.item === undefined && lossValue?.uncertain === false;
  const lossAgain =
    isPlain && lossValue.statement.from >= first.from
      ? again(lossValue.value, lossValue.statement.from)
      : again(loss, loss.from);
  const crossEntropy = crossEntropyIn(lossValue?.value);
  const logits = logitsOf();
  return {
    statement: { from: first.from, to: first.to },
    ...(lossAgain !== undefined && lossAgain !== block.slice(loss) && { loss: lossAgain }),
    ...(logits && { logits }),
    ...(crossEntropy?.sequence && { crossEntropy: crossEntropy.sequence }),
  };

  function valueOf(expression: Expr, before: number): Binding | undefined {
    return expression.kind === "name" ? bindingOf(expression.name, before) : undefined;
  }

  /** `F.cross_entropy(logits.view(-1, V), labels.view(-1))`, or a call of some `criterion(logits, labels)`. */
  function crossEntropyIn(value: Expr | undefined) {
    if (value?.kind !== "call") return undefined;
    const [output, labels, ...others] = value.arguments;
    if (!output || !labels || [output, labels].some(({ star, keyword }) => star || keyword)) return undefined;
    const callee = scope.resolve(value.callee) ?? block.slice(value.callee);
    if (callee === model) return undefined;
    const plain = others.every(
      ({ keyword, value: given }) =>
        keyword?.name === "ignore_index" && block.slice(given).replace(/\s/g, "") === "-100",
    );
    const inner = unflattened(output.value);
    const target = unflattened(labels.value);
    const sequence =
      plain && inner.flat && target.flat
        ? {
            call: span(value),
            callee,
            logits: block.slice(inner.expression),
            labels: block.slice(target.expression),
          }
        : undefined;
    return { output: inner.expression, sequence };
  }

  function logitsOf(): ForwardPass["logits"] {
    const from = crossEntropy?.output;
    if (from && lossValue) {
      const text = again(from, lossValue.statement.from);
      return text === undefined || text === block.slice(from) || callsModel(from)
        ? undefined
        : { text: block.slice(from), again: text };
    }
    // `logits, loss = model(x, y)`
    if (lossValue?.item !== undefined && isModelCall(lossValue.value) && !lossValue.uncertain) {
      const others = bindings.filter(
        ({ statement, item }) => statement === lossValue.statement && item !== lossValue.item,
      );
      const named = others.find(
        ({ target }) => target.kind === "name" && /logit|output|pred|score/i.test(target.name),
      );
      const chosen = named ?? (others.length === 1 ? others[0] : undefined);
      if (chosen?.target.kind !== "name" || chosen.item === undefined) return undefined;
      const anew = `${block.slice(chosen.value)}[${chosen.item}]`;
      const { name } = chosen.target;
      if (name !== "_") return { text: name, again: anew };
      const isTaken = /\blogits\b/.test(block.text);
      return isTaken ? undefined : { text: "logits", again: anew, unnamed: span(chosen.target) };
    }
    // `outputs = model(**batch)`, `loss = outputs.loss`
    const attribute = lossValue?.value ?? loss;
    if (attribute.kind !== "attribute" || attribute.name !== "loss") return undefined;
    const whole = valueOf(attribute.object, attribute.from);
    if (!whole || whole.uncertain || whole.item !== undefined || !isModelCall(whole.value)) return undefined;
    return {
      text: `${block.slice(attribute.object)}.logits`,
      again: `${block.slice(whole.value)}.logits`,
    };
  }

  function isModelCall(expression: Expr): expression is CallExpr {
    return expression.kind === "call" && dottedPath(expression.callee)?.join(".") === model;
  }
}

/** What a name stands for, where it takes one item of the value, and in brackets where it is a sum or the like. */
function taken(text: string, { item, value }: Binding): string {
  const atom = !["binary", "unary", "conditional", "lambda", "tuple", "other"].includes(value.kind);
  const whole = atom ? text : `(${text})`;
  return item === undefined ? whole : `${whole}[${item}]`;
}

/** A tensor before it was laid out for the loss, and whether it was. */
function unflattened(expression: Expr): { expression: Expr; flat: boolean } {
  let node = expression;
  let flat = false;
  while (node.kind === "call" && node.callee.kind === "attribute" && layoutMethod.test(node.callee.name)) {
    flat ||= flatteningMethod.test(node.callee.name);
    node = node.callee.object;
  }
  return { expression: node, flat };
}

const span = ({ from, to }: Range): Range => ({ from, to });
