/** What `forward` of a class returns, carried out with symbols: one term for each way through its branches. */
import {
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
} from "../tree/ast";
import type { Layer, ModuleClass, PythonFacts } from "../facts";
import { type Proportion, proportionsIn } from "./proportions";
import type { Scope } from "../names/scope";
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
import { combined, einsum, elementwise, transposed, updated } from "./termOperations";

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
const inverses = new Set(["inverse", "inv", "pinv", "reciprocal"]);
const normalisers = new Set(["norm", "vector_norm", "normalize"]);

type Names = ReadonlyMap<string, Term>;

interface Path {
  readonly names: Names;
  /** What it returned; absent while it goes on. */
  readonly result?: Term;
}

/** What a module class computes. */
export interface Computed {
  /** What `forward` may return, one term a way through it. */
  readonly terms: readonly Term[];
  /** A size of `__init__` by its text, as so many times another. */
  readonly proportion: (text: string) => Proportion | undefined;
}

/** For facts that came from a document: what a class of it computes. */
export const computationOfFacts = new WeakMap<PythonFacts, (module: ModuleClass) => Computed | undefined>();

/** What a module class computes, worked out when asked for; undefined where it has no `forward`. */
export const computed = (facts: PythonFacts, module: ModuleClass): Computed | undefined =>
  computationOfFacts.get(facts)?.(module);

/** What a class computes in its own `forward`. */
export function computationOf(
  owner: ClassStmt,
  layers: readonly Layer[],
  scope: Scope,
): Computed | undefined {
  const methods = new Map(
    owner.body.flatMap((each) => (each.kind === "function" ? [[each.name, each] as const] : [])),
  );
  const forward = methods.get("forward");
  if (forward === undefined) return undefined;
  return {
    terms: new Computation(methods, layers, scope).returned(forward, undefined, 0),
    proportion: proportionsIn(methods.get("__init__")),
  };
}

class Computation {
  private readonly roles: ReadonlyMap<string, Layer>;
  /** Functions that `forward` defines for itself. */
  private readonly helpers = new Map<string, FunctionStmt>();
  private expressions = 0;

  constructor(
    private readonly methods: ReadonlyMap<string, FunctionStmt>,
    layers: readonly Layer[],
    private readonly scope: Scope,
  ) {
    this.roles = new Map(layers.map((layer) => [layer.path, layer]));
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
        const together = statement.targets.find((target) => target.kind === "tuple");
        if (
          together?.kind === "tuple" &&
          value.kind === "tuple" &&
          together.items.length === value.items.length
        )
          return [{ names: this.unpacked(together.items, value.items, names, depth) }];
        return this.ways(value, names, depth).map((term) => {
          const bound = new Map(names);
          for (const target of statement.targets) {
            const name = dottedPath(target)?.join(".");
            const before = name === undefined ? undefined : bound.get(name);
            if (name !== undefined) bound.set(name, updated(operator, before, term));
            // h[..., :n] += more
            else if (target.kind === "subscript" && target.object.kind === "name" && operator !== "=")
              bound.set(target.object.name, updated(operator, bound.get(target.object.name), term));
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
      case "function":
        this.helpers.set(statement.name, statement);
        return [path];
      case "compound":
        return statement.bodies.length === 1 ? this.run(statement.bodies[0] ?? [], [path], depth) : [path];
      default:
        return [path];
    }
  }

  /** `a, b = c, d` */
  private unpacked(targets: readonly Expr[], values: readonly Expr[], names: Names, depth: number): Names {
    const bound = new Map(names);
    for (const [index, target] of targets.entries()) {
      const value = values[index];
      if (target.kind === "name" && value !== undefined)
        bound.set(target.name, this.term(value, names, depth));
    }
    return bound;
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
    if (path !== undefined) return this.own(path) ?? scalar;
    if (!/^(?:T|mT|data)$/.test(expression.name)) return scalar;
    const object = this.term(expression.object, names, depth);
    return expression.name === "data" ? object : transposed(object);
  }

  /** A layer or parameter of the class; the weights that a base class brings are `super`'s. */
  private own(attribute: string): Term | undefined {
    const path = attribute.replace(/(?:\.(?:T|mT|data))+$/, "");
    const layer = this.roles.get(path);
    if (layer !== undefined) {
      if (layer.role === "container") return this.onlyOne(path);
      return isNumber(layer) ? scalar : weight(path);
    }
    if (path === "weight") return weight("super");
    // the weight of a layer that was handed over
    return path.endsWith(".weight") ? weight(path.slice(0, -".weight".length)) : undefined;
  }

  /** `self.lora_A[name]` where all that the dictionary may hold is one kind of layer. */
  private onlyOne(container: string): Term | undefined {
    const inside = [...this.roles.keys()].filter((path) => path.startsWith(`${container}.`));
    return inside.length === 1 && inside[0] !== undefined ? weight(inside[0]) : undefined;
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
    if (callee.kind === "attribute" && callee.name === "forward") {
      // super().forward(x), nn.Linear.forward(self, x)
      if (callee.object.kind === "call" && dottedPath(callee.object.callee)?.join(".") === "super")
        return map(weight("super"), argument(0));
      const [self] = given;
      if (self?.kind === "name" && self.name === "self" && selfPath(callee) === undefined)
        return map(weight("super"), argument(1));
    }
    const path = selfPath(callee);
    if (path !== undefined && this.methods.has(path))
      return depth < deepest ? (this.ways(expression, names, depth)[0] ?? unknown) : unknown;
    if (path !== undefined && !this.isOperation(path)) return this.layerCall(path, argument(0));
    const helper = depth < deepest ? this.helper(callee) : undefined;
    if (helper !== undefined)
      return (
        this.returned(
          helper,
          given.map((_, index) => argument(index)),
          depth + 1,
        )[0] ?? unknown
      );
    // `down = self.down[name]`, then `down(x)`
    if (callee.kind === "subscript" || (callee.kind === "name" && names.has(callee.name))) {
      const called = this.term(callee, names, depth);
      if (called.kind === "weight") return map(called, argument(0));
    }
    const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
    const isFunction = this.scope.resolve(callee) !== undefined || callee.kind === "name";
    const operands = isFunction || callee.kind !== "attribute" ? given : [callee.object, ...given];
    return this.operation(name, operands, names, depth);
  }

  /** A function of `forward` itself, or of the file. */
  private helper(callee: Expr): FunctionStmt | undefined {
    if (callee.kind !== "name") return undefined;
    const own = this.helpers.get(callee.name);
    if (own !== undefined) return own;
    const origin = this.scope.origin(callee.name);
    return origin?.kind === "function" ? origin.node : undefined;
  }

  /** `self.A.t()` is an operation on A, `self.A(x)` a call of it. */
  private isOperation(path: string): boolean {
    const last = path.slice(path.lastIndexOf(".") + 1);
    const owner = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    return (
      owner !== "" &&
      !this.roles.has(path) &&
      (transparent.test(last) ||
        matrixProducts.has(last) ||
        normalisers.has(last) ||
        last === "_conv_forward")
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
      case "embedding":
        // looked up by a constant, it is a matrix like any parameter
        return dependsOnInput(of) ? map(weight(path), of) : weight(path);
      case "container":
        return this.inTurn(path, of);
      case "linear":
      case "conv":
      case "parameter":
        return map(weight(path), of);
      default:
        if (/drop/i.test(path)) return of;
        return activations.test(path) ? applied("f", of) : map(weight(path), of);
    }
  }

  /** nn.Sequential: one after the other. */
  private inTurn(container: string, of: Term): Term {
    const steps = [...this.roles.keys()].filter(
      (path) => path.startsWith(`${container}.`) && !path.slice(container.length + 1).includes("."),
    );
    if (steps.length === 0 || this.roles.get(container)?.type !== "torch.nn.Sequential")
      return map(weight(container), of);
    return steps.reduce((made, step) => this.layerCall(step, made), of);
  }

  private operation(name: string, operands: readonly Expr[], names: Names, depth: number): Term {
    const [first, second] = operands;
    const at = (expression: Expr | undefined): Term =>
      expression === undefined ? unknown : this.term(expression, names, depth);
    // the convolution of a layer takes the layer first
    if (name === "_conv_forward") return matrixProduct(at(operands[2]), at(second));
    if (name === "linear" || name === "conv2d" || name === "conv1d" || name === "embedding")
      return matrixProduct(at(second), at(first));
    if (inverses.has(name)) return elementwise("inverse", at(first));
    if (name === "solve") return matrixProduct(applied("inverse", at(first)), at(second));
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
    if (activations.test(name)) return elementwise("f", at(first));
    if (name === "softmax") return applied("softmax", at(first));
    if (name === "t" || name === "transpose") return transposed(at(first));
    return transparent.test(name) ? at(first) : unknown;
  }
}

const oneEntry = /(?:zeros|ones|empty|full|randn?)\(\s*[([]?\s*1?\s*,?\s*[)\]]/;
const oneNumber = /[tT]ensor\(\s*\[?[-\d.e]+\]?\s*[,)]/;

/** A learnt number: nn.Parameter(torch.ones(1)). */
function isNumber({ role, call }: Layer): boolean {
  const text = call.arguments[0]?.value.text ?? "";
  return role === "parameter" && (oneEntry.test(text) || oneNumber.test(text));
}
