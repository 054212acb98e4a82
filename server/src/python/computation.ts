/** What `forward` of a class returns, carried out with symbols: one term for each way through its branches. */
import {
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
} from "./ast";
import type { Layer, ModuleClass, PythonFacts } from "./facts";
import type { Scope } from "./scope";
import { parseBlock } from "./syntax";
import {
  applied,
  dependsOnInput,
  input,
  map,
  matrixProduct,
  product,
  scalar,
  sum,
  type Term,
  unknown,
  weight,
} from "./terms";

/** Ways through a method that are followed; more are left out. */
const mostPaths = 8;
/** Expressions that are carried out before a class is taken for more than one formula. */
const mostExpressions = 600;
/** Methods that one calls in another, followed so deep. */
const deepest = 3;

/** Change shape, type or graph, and not what is computed. */
const transparent =
  /^(?:to|type|type_as|float|half|bfloat16|double|contiguous|clone|detach|view|view_as|reshape|unsqueeze|squeeze|expand|expand_as|repeat|transpose|permute|t|flatten|unflatten|cuda|cpu|dropout|dropout1d|mean|chunk|repeat_interleave|broadcast_to|requires_grad_|tile|stack|sum)$/;
const activations =
  /^(?:relu|gelu|silu|swish|tanh|sigmoid|mish|leaky_relu|elu|selu|hardswish|relu6|act|activation|act_fn|activation_fn|non_linear\w*|nonlinearity)$/i;
/** What a running sum begins with. */
const constants = /^(?:zeros|ones|full|empty|eye)(?:_like)?$/;
const matrixProducts = new Set(["matmul", "mm", "bmm"]);
const normalisers = new Set(["norm", "vector_norm", "normalize"]);

type Names = ReadonlyMap<string, Term>;

interface Path {
  readonly names: Names;
  /** What it returned; absent while it goes on. */
  readonly result?: Term;
}

/** For facts that came from a document: what a class of it computes. */
export const computationsOfFacts = new WeakMap<PythonFacts, (module: ModuleClass) => readonly Term[]>();

/** What `forward` of a module class may return, one term a way through it; worked out when asked for. */
export const computations = (facts: PythonFacts, module: ModuleClass): readonly Term[] =>
  computationsOfFacts.get(facts)?.(module) ?? [];

/** The terms that a method may return, one a path. */
export function computationsOf(
  owner: ClassStmt,
  method: FunctionStmt,
  layers: readonly Layer[],
  scope: Scope,
): readonly Term[] {
  return new Computation(owner, layers, scope).returned(method, undefined, 0);
}

class Computation {
  private readonly roles: ReadonlyMap<string, Layer>;
  private readonly methods: ReadonlyMap<string, FunctionStmt>;
  private expressions = 0;

  constructor(
    owner: ClassStmt,
    layers: readonly Layer[],
    private readonly scope: Scope,
  ) {
    this.roles = new Map(layers.map((layer) => [layer.path, layer]));
    this.methods = new Map(
      owner.body.flatMap((each) => (each.kind === "function" ? [[each.name, each] as const] : [])),
    );
  }

  returned(method: FunctionStmt, given: readonly Term[] | undefined, depth: number): readonly Term[] {
    const parameters = method.parameters.filter(({ name }) => name !== "self");
    const names = new Map(
      parameters.map(({ name }, index) => [name, given === undefined ? input : (given[index] ?? unknown)]),
    );
    return this.run(method.body, [{ names }], depth).flatMap(({ result }) => result ?? []);
  }

  private run(statements: readonly Stmt[], paths: readonly Path[], depth: number): readonly Path[] {
    let current = this.expressions > mostExpressions ? [] : paths;
    for (const statement of statements)
      current = current
        .flatMap((path) => (path.result === undefined ? this.step(statement, path, depth) : [path]))
        .slice(0, mostPaths);
    return current;
  }

  private step(statement: Stmt, path: Path, depth: number): readonly Path[] {
    const { names } = path;
    switch (statement.kind) {
      case "return":
        return statement.value === undefined
          ? []
          : this.ways(statement.value, names, depth).map((result) => ({ names, result }));
      case "assign": {
        const { value, operator } = statement;
        if (value === undefined) return [path];
        return this.ways(value, names, depth).map((term) => {
          const bound = new Map(names);
          for (const target of statement.targets) {
            const name = dottedPath(target)?.join(".");
            const before = name === undefined ? undefined : bound.get(name);
            if (name !== undefined) bound.set(name, updated(operator, before, term));
            else if (target.kind === "tuple")
              for (const item of target.items) if (item.kind === "name") bound.set(item.name, term);
          }
          return { names: bound };
        });
      }
      case "if": {
        const whole = statement.branches.some(({ test }) => test === undefined);
        const inside = statement.branches.flatMap(({ body }) => this.run(body, [path], depth));
        return whole ? inside : [...inside, path];
      }
      case "for":
      case "while":
        return this.run(statement.body, [path], depth);
      case "compound":
        return statement.bodies.length === 1 ? this.run(statement.bodies[0] ?? [], [path], depth) : [path];
      default:
        return [path];
    }
  }

  /** An expression's terms: one, or several where a method of the class is called that has several ways through. */
  private ways(expression: Expr, names: Names, depth: number): readonly Term[] {
    const called = expression.kind === "call" ? selfPath(expression.callee) : undefined;
    const method = called === undefined ? undefined : this.methods.get(called);
    if (expression.kind !== "call" || method === undefined || depth >= deepest)
      return [this.term(expression, names, depth)];
    const given = expression.arguments.map(({ value }) => this.term(value, names, depth));
    return this.returned(method, given, depth + 1);
  }

  private term(expression: Expr, names: Names, depth: number): Term {
    if (++this.expressions > mostExpressions) return unknown;
    switch (expression.kind) {
      case "number":
      case "constant":
      case "string":
        return scalar;
      case "name":
        return names.get(expression.name) ?? scalar;
      case "unary":
        return this.term(expression.operand, names, depth);
      case "binary":
        return combined(
          expression.operator,
          this.term(expression.left, names, depth),
          this.term(expression.right, names, depth),
        );
      case "conditional":
        return this.term(expression.then, names, depth);
      case "subscript":
        return this.term(expression.object, names, depth);
      case "attribute":
        return this.attribute(expression, names, depth);
      case "call":
        return this.call(expression, names, depth);
      case "tuple":
      case "list": {
        const [first] = expression.items;
        return first === undefined ? unknown : this.term(first, names, depth);
      }
      default:
        return unknown;
    }
  }

  private attribute(expression: Expr & { kind: "attribute" }, names: Names, depth: number): Term {
    const known = names.get(dottedPath(expression)?.join(".") ?? "");
    if (known !== undefined) return known;
    const path = selfPath(expression);
    // `.T`, `.weight`, `.data` of a layer or parameter are that layer
    if (path !== undefined) return this.own(path.replace(/\.(?:T|mT|weight|data)$/, "")) ?? scalar;
    return /^(?:T|mT|data)$/.test(expression.name) ? this.term(expression.object, names, depth) : scalar;
  }

  /** A layer or parameter of the class; the weights that a base class brings are `super`'s. */
  private own(path: string): Term | undefined {
    if (this.roles.has(path)) return weight(path);
    return path === "weight" ? weight("super") : undefined;
  }

  private call(expression: CallExpr, names: Names, depth: number): Term {
    const { callee } = expression;
    const given = expression.arguments
      .filter(({ keyword }) => keyword === undefined)
      .map(({ value }) => value);
    const argument = (index: number): Term => {
      const value = given[index];
      return value === undefined ? unknown : this.term(value, names, depth);
    };
    if (callee.kind === "attribute" && callee.object.kind === "call") {
      const base = dottedPath(callee.object.callee)?.join(".");
      if (base === "super" && callee.name === "forward") return map(weight("super"), argument(0));
    }
    const path = selfPath(callee);
    if (path !== undefined && this.methods.has(path))
      return depth < deepest ? (this.ways(expression, names, depth)[0] ?? unknown) : unknown;
    if (path !== undefined && !this.isOperation(path)) return this.layerCall(path, argument(0));
    const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
    const isFunction = this.scope.resolve(callee) !== undefined || callee.kind === "name";
    const operands = isFunction || callee.kind !== "attribute" ? given : [callee.object, ...given];
    return this.operation(name, operands, names, depth);
  }

  /** `self.A.t()` is an operation on A, `self.A(x)` a call of it. */
  private isOperation(path: string): boolean {
    const last = path.slice(path.lastIndexOf(".") + 1);
    const owner = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    return (
      owner !== "" &&
      !this.roles.has(path) &&
      (transparent.test(last) || matrixProducts.has(last) || normalisers.has(last))
    );
  }

  private layerCall(path: string, of: Term): Term {
    const layer = this.roles.get(path);
    switch (layer?.role) {
      case "dropout":
      case "norm":
        return of;
      case "activation":
        return applied("f", of);
      case "linear":
      case "conv":
      case "parameter":
        return map(weight(path), of);
      default:
        if (/drop/i.test(path)) return of;
        return activations.test(path) ? applied("f", of) : map(weight(path), of);
    }
  }

  private operation(name: string, operands: readonly Expr[], names: Names, depth: number): Term {
    const [first, second] = operands;
    const at = (expression: Expr | undefined): Term =>
      expression === undefined ? unknown : this.term(expression, names, depth);
    if (name === "linear" || name === "conv2d" || name === "conv1d")
      return matrixProduct(at(second), at(first));
    if (matrixProducts.has(name)) return matrixProduct(at(first), at(second));
    if (name === "add" || name === "sub") return sum(at(first), at(second));
    if (name === "mul" || name === "multiply") return product(at(first), at(second));
    if (name === "cat" || name === "concat" || name === "concatenate")
      return applied(
        "cat",
        ...(first?.kind === "list" || first?.kind === "tuple" ? first.items.map(at) : [unknown]),
      );
    if (name === "kron") return applied("kron", at(first), at(second));
    if (name === "einsum") return einsum(operands.slice(1).map(at));
    if (normalisers.has(name)) return applied("norm", at(first));
    if (constants.test(name)) return scalar;
    if (activations.test(name)) return applied("f", at(first));
    if (name === "softmax") return applied("softmax", at(first));
    return transparent.test(name) ? at(first) : unknown;
  }
}

function combined(operator: string, left: Term, right: Term): Term {
  if (operator === "+" || operator === "-") return sum(left, right);
  if (operator === "*") return product(left, right);
  if (operator === "/") return product(left, right.kind === "scalar" ? right : applied("inverse", right));
  if (operator === "@") return matrixProduct(left, right);
  return left.kind === "scalar" && right.kind === "scalar" ? scalar : unknown;
}

/**
 * The term of a formula in Python: x is the input, s a scalar, f an activation; any other name is a weight, applied to
 * the input by a call, and norm, kron, cat, softmax and inverse are themselves.
 */
export function termOfFormula(formula: string): Term {
  const [statement] = parseBlock(formula, [], []).statements;
  return statement?.kind === "expression" ? formulaTerm(statement.value) : unknown;
}

const functionNames = new Set(["f", "norm", "kron", "cat", "softmax", "inverse"]);

function formulaTerm(expression: Expr): Term {
  if (expression.kind === "name")
    return expression.name === "x" ? input : expression.name === "s" ? scalar : weight(expression.name);
  if (expression.kind === "binary")
    return combined(expression.operator, formulaTerm(expression.left), formulaTerm(expression.right));
  if (expression.kind !== "call") return unknown;
  const given = expression.arguments.map(({ value }) => formulaTerm(value));
  const { callee } = expression;
  if (callee.kind === "name" && functionNames.has(callee.name)) return applied(callee.name, ...given);
  return map(formulaTerm(callee), given[0] ?? unknown);
}

/** Of several operands, the one with the input in it is what the others are applied to. */
function einsum(operands: readonly Term[]): Term {
  const inner = operands.find(dependsOnInput);
  const others = operands.filter((operand) => operand !== inner);
  const [left, ...rest] = others;
  if (left === undefined) return inner ?? unknown;
  const matrix = rest.reduce<Term>((made, each) => ({ kind: "matrix", left: made, right: each }), left);
  return inner === undefined ? matrix : map(matrix, inner);
}

function updated(operator: string, before: Term | undefined, term: Term): Term {
  if (operator === "=" || before === undefined) return term;
  if (operator === "+=" || operator === "-=") return sum(before, term);
  if (operator === "*=") return product(before, term);
  if (operator === "@=") return matrixProduct(before, term);
  return unknown;
}
