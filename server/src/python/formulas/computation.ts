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
import { type ClassParts, type Declared, partsOfClass } from "./classParts";
import { type Proportion, proportionsIn } from "./proportions";
import { calledIn, isNumber, isSetting } from "./parameters";
import { combined, firstOf, itemOf, largest, transposed, updated } from "./termOperations";
import {
  applied,
  dependsOnInput,
  input,
  map,
  scalar,
  substituted,
  type Term,
  unknown,
  weight,
} from "./terms";
import { isConstant, isTensorMethod, namedLayer, operation, reshapes, scattered } from "./torchOperations";
import { different, type Names, type Path } from "./ways";

/** Expressions that are carried out before a class is taken for more than one formula. */
const mostExpressions = 600;
/** Methods that one calls in another, followed so deep; and layers of own classes within each other. */
const deepest = 3;
const mostNested = 2;

/** What a module class computes. */
export interface Computed {
  /** What `forward` may return, one term a way through it. */
  readonly terms: readonly Term[];
  /** Its layers and parameters by path, with those of its bases and of the classes of its layers. */
  readonly layers: ReadonlyMap<string, Layer>;
  readonly frozen: ReadonlySet<string>;
  /** A size of `__init__` by its text, as so many times another. */
  readonly proportion: (text: string) => Proportion | undefined;
}

/** For facts that came from a document: what a class of it computes. */
export const computationOfFacts = new WeakMap<PythonFacts, (module: ModuleClass) => Computed | undefined>();

/** What a module class computes, worked out when asked for; undefined where it has no `forward`. */
export const computed = (facts: PythonFacts, module: ModuleClass): Computed | undefined =>
  computationOfFacts.get(facts)?.(module);

/** What a class computes in its `forward`, its own or that of a base. */
export function computationOf(declared: Declared, nested = 0): Computed | undefined {
  const parts = partsOfClass(declared);
  const forward = parts.methods.get("forward");
  if (forward === undefined) return undefined;
  const computation = new Computation(parts, declared, nested);
  return {
    terms: computation.returned(forward, undefined, 0),
    layers: computation.layers,
    frozen: parts.frozen,
    proportion: proportionsIn(parts.methods.get("__init__")),
  };
}

class Computation {
  readonly layers: Map<string, Layer>;
  private readonly methods: ReadonlyMap<string, FunctionStmt>;
  /** Functions that `forward` defines for itself. */
  private readonly helpers = new Map<string, FunctionStmt>();
  /** Names of tensors that were only given another shape. */
  private readonly reshaped = new Set<string>();
  private readonly nestedClasses = new Map<ClassStmt, Computed | undefined>();
  private expressions = 0;

  constructor(
    parts: ClassParts,
    private readonly declared: Declared,
    private readonly nested: number,
  ) {
    this.methods = parts.methods;
    this.layers = new Map(parts.layers);
  }

  returned(method: FunctionStmt, given: readonly Term[] | undefined, depth: number): readonly Term[] {
    const parameters = method.parameters.filter(({ name }) => name !== "self");
    const modules = calledIn(method);
    const names = new Map(
      parameters.map((parameter, index) => {
        const { name } = parameter;
        if (given !== undefined) return [name, given[index] ?? (isSetting(parameter) ? scalar : unknown)];
        return [name, modules.has(name) ? weight(name) : isSetting(parameter) ? scalar : input];
      }),
    );
    const results = this.run(method.body, [{ names }], depth).flatMap(({ result }) => result ?? []);
    return depth === 0 ? results.map(firstOf) : results;
  }

  private run(statements: readonly Stmt[], paths: readonly Path[], depth: number): readonly Path[] {
    let current = this.expressions > mostExpressions ? [] : paths;
    for (const statement of statements)
      current = different(
        current.flatMap((path) => (path.result === undefined ? this.step(statement, path, depth) : [path])),
      );
    return current;
  }

  private step(statement: Stmt, path: Path, depth: number): readonly Path[] {
    const { names } = path;
    switch (statement.kind) {
      case "return":
        return statement.value === undefined
          ? []
          : this.ways(statement.value, names, depth).map((result) => ({ names, result }));
      case "assign":
        return this.assigned(statement, path, depth);
      case "expression":
        return [{ names: this.effect(statement.value, names, depth) }];
      case "if": {
        const whole = statement.branches.some(({ test }) => test === undefined);
        const inside = statement.branches.flatMap(({ body }) => this.run(body, [path], depth));
        return whole ? inside : [...inside, path];
      }
      case "for": {
        const bound = new Map(names);
        this.bind(statement.target, statement.iterable, bound, depth);
        return this.run(statement.body, [{ names: bound }], depth);
      }
      case "while":
        return this.run(statement.body, [path], depth);
      case "function":
        this.helpers.set(statement.name, statement);
        return [path];
      case "compound":
        return statement.bodies.length === 0
          ? [path]
          : statement.bodies.flatMap((body) => this.run(body, [path], depth));
      case "simple":
        return statement.leaves ? [] : [path];
      default:
        return [path];
    }
  }

  private assigned(statement: Stmt & { kind: "assign" }, path: Path, depth: number): readonly Path[] {
    const { names } = path;
    const { value, operator } = statement;
    if (value === undefined) return [path];
    const together = statement.targets.find((target) => target.kind === "tuple");
    if (together?.kind === "tuple" && value.kind === "tuple" && together.items.length === value.items.length)
      return [{ names: this.unpacked(together.items, value.items, names, depth) }];
    for (const target of statement.targets)
      if (target.kind === "name" && isReshape(value)) this.reshaped.add(target.name);
    return this.ways(value, names, depth).map((term) => {
      const bound = new Map(names);
      for (const target of statement.targets) {
        const name = dottedPath(target)?.join(".");
        if (name !== undefined) bound.set(name, updated(operator, bound.get(name), term));
        else if (target.kind === "subscript" && target.object.kind === "name") {
          // h[..., :n] += more; dense[rows, columns] = entries
          const before = bound.get(target.object.name) ?? scalar;
          const isSlice = target.items.some((item) => item.kind === "other");
          const put =
            operator !== "=" || dependsOnInput(term) || isSlice || before.kind !== "scalar"
              ? term
              : scattered(term);
          if (operator !== "=" || before.kind === "scalar")
            bound.set(target.object.name, updated(operator, before, put));
        } else if (target.kind === "tuple")
          target.items.forEach((item, index) => {
            if (item.kind === "name") bound.set(item.name, itemOf(term, index, target.items.length));
          });
      }
      return { names: bound };
    });
  }

  /** `a, b = c, d` */
  private unpacked(targets: readonly Expr[], values: readonly Expr[], names: Names, depth: number): Names {
    const bound = new Map(names);
    for (const [index, target] of targets.entries()) {
      const value = values[index];
      const name = dottedPath(target)?.join(".");
      if (name !== undefined && value !== undefined) bound.set(name, this.term(value, names, depth));
    }
    return bound;
  }

  /** A call made for its effect: `outputs.append(h)`, `h.add_(more)`. */
  private effect(call: Expr, names: Names, depth: number): Names {
    if (call.kind !== "call" || call.callee.kind !== "attribute" || call.callee.object.kind !== "name")
      return names;
    const { object, name } = call.callee;
    const before = names.get(object.name);
    if (before === undefined) return names;
    const [value] = call.arguments;
    if (name === "append" && value !== undefined) {
      const items = before.kind === "function" && before.name === "list" ? before.of : [];
      return new Map([
        ...names,
        [object.name, applied("list", ...items, this.term(value.value, names, depth))],
      ]);
    }
    return name.endsWith("_") && !name.endsWith("__")
      ? new Map([...names, [object.name, this.term(call, names, depth)]])
      : names;
  }

  /** The names that one round of a loop gives values. */
  private bind(target: Expr, iterable: Expr, bound: Map<string, Term>, depth: number): void {
    const called = iterable.kind === "call" ? iterable.callee : undefined;
    const given = iterable.kind === "call" ? iterable.arguments.map(({ value }) => value) : [];
    if (called?.kind === "name" && target.kind === "tuple" && /^(?:zip|enumerate)$/.test(called.name)) {
      const items = called.name === "zip" ? target.items : target.items.slice(1);
      items.forEach((item, index) => {
        const each = given[index];
        if (each !== undefined) this.bind(item, each, bound, depth);
      });
      return;
    }
    // self.adapters.items()
    if (called?.kind === "attribute" && /^(?:items|values)$/.test(called.name)) {
      const item = target.kind === "tuple" ? target.items.at(-1) : target;
      if (item !== undefined) this.bind(item, called.object, bound, depth);
      return;
    }
    if (target.kind === "name") bound.set(target.name, firstOf(this.term(iterable, bound, depth)));
  }

  /** An expression's terms: one, or several where a method of the class is called that has several ways through. */
  private ways(expression: Expr, names: Names, depth: number): readonly Term[] {
    const called = expression.kind === "call" ? selfPath(expression.callee) : undefined;
    const method = called === undefined ? undefined : this.methods.get(called);
    if (expression.kind !== "call" || method === undefined || depth >= deepest)
      return [this.term(expression, names, depth)];
    return this.returned(method, this.passed(method, expression, names, depth), depth + 1);
  }

  /** What a call gives each parameter of a function. */
  private passed(method: FunctionStmt, { arguments: given }: CallExpr, names: Names, depth: number): Term[] {
    const positional = given.filter(({ keyword }) => keyword === undefined);
    const parameters = method.parameters.filter(({ name }) => name !== "self");
    return parameters.map((parameter, index) => {
      const argument = given.find(({ keyword }) => keyword?.name === parameter.name) ?? positional[index];
      return argument === undefined
        ? isSetting(parameter)
          ? scalar
          : unknown
        : this.term(argument.value, names, depth);
    });
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
        return this.binary(expression, names, depth);
      case "conditional":
        return largest([
          this.term(expression.then, names, depth),
          this.term(expression.otherwise, names, depth),
        ]);
      case "subscript": {
        const object = this.term(expression.object, names, depth);
        const [index] = expression.items;
        return index?.kind === "number" && object.kind === "function" && object.name === "list"
          ? (object.of[index.value] ?? firstOf(object))
          : firstOf(object);
      }
      case "attribute":
        return this.attribute(expression, names, depth);
      case "call":
        return this.call(expression, names, depth);
      case "tuple":
      case "list":
        return applied("list", ...expression.items.map((item) => this.term(item, names, depth)));
      case "comprehension":
        return this.comprehension(expression, names, depth);
      case "star":
        return this.term(expression.value, names, depth);
      default:
        return unknown;
    }
  }

  /** One element, or all where it is known what is gone through: `(split(t) for t in (q, k, v))`. */
  private comprehension(expression: Expr & { kind: "comprehension" }, names: Names, depth: number): Term {
    const { clauses, element, value } = expression;
    const [only, another] = clauses;
    if (only?.target.kind === "name" && another === undefined)
      return this.forEach(only.iterable, only.target.name, value ?? element, names, depth);
    const bound = new Map(names);
    for (const { target, iterable } of clauses) this.bind(target, iterable, bound, depth);
    return this.term(value ?? element, bound, depth);
  }

  private forEach(iterable: Expr, name: string, body: Expr, names: Names, depth: number): Term {
    const each = (item: Term): Term => firstOf(this.term(body, new Map([...names, [name, item]]), depth));
    const items = this.term(iterable, names, depth);
    return items.kind === "function" && items.name === "list"
      ? applied("list", ...items.of.map(each))
      : each(items);
  }

  private binary(expression: Expr & { kind: "binary" }, names: Names, depth: number): Term {
    const left = firstOf(this.term(expression.left, names, depth));
    if (expression.operator === "**")
      return operation("pow", this.operands([expression.left, expression.right], names, depth));
    return combined(expression.operator, left, firstOf(this.term(expression.right, names, depth)));
  }

  private attribute(expression: Expr & { kind: "attribute" }, names: Names, depth: number): Term {
    const known = names.get(dottedPath(expression)?.join(".") ?? "");
    if (known !== undefined) return known;
    const path = selfPath(expression);
    // `.T`, `.weight`, `.data` of a layer or parameter are that layer
    if (path !== undefined) return this.own(path) ?? scalar;
    if (!/^(?:T|mT|H|data|real|weight|values)$/.test(expression.name)) return scalar;
    const object = this.term(expression.object, names, depth);
    // what is no layer of this class has a weight that nobody knows
    if (expression.name === "weight") return object.kind === "weight" ? object : unknown;
    return /^(?:T|mT|H)$/.test(expression.name) ? transposed(object) : object;
  }

  /** A layer or parameter of the class; the weights that a base class brings are `super`'s. */
  private own(attribute: string): Term | undefined {
    const path = attribute.replace(/(?:\.(?:T|mT|data))+$/, "");
    const layer = this.layers.get(path);
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
    const inside = [...this.layers.keys()].filter((path) => path.startsWith(`${container}.`));
    if (inside.length === 0) return weight(container);
    return inside.length === 1 && inside[0] !== undefined ? weight(inside[0]) : undefined;
  }

  private call(expression: CallExpr, names: Names, depth: number): Term {
    const { callee } = expression;
    const given = expression.arguments
      .filter(({ keyword }) => keyword === undefined || keyword.name === "input")
      .map(({ value }) => value);
    const argument = (index: number): Term => {
      const value = given[index];
      return value === undefined ? unknown : firstOf(this.term(value, names, depth));
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
      return depth < deepest ? largest(this.ways(expression, names, depth)) : unknown;
    if (path !== undefined && !this.isOperation(path))
      // self.get_base_layer()
      return expression.arguments.length === 0
        ? weight(path.replace(/^get_/, ""))
        : this.layerCall(path, argument(0));
    const [made, over] = given;
    const [item] = made?.kind === "lambda" ? made.parameters : [];
    if (callee.kind === "name" && callee.name === "map" && made?.kind === "lambda" && over && item)
      return this.forEach(over, item.name, made.body, names, depth);
    const helper = depth < deepest ? this.helper(callee) : undefined;
    if (helper !== undefined)
      return largest(this.returned(helper, this.passed(helper, expression, names, depth), depth + 1));
    // `down = self.down[name]`, then `down(x)`
    if (callee.kind === "subscript" || (callee.kind === "name" && names.has(callee.name))) {
      const called = this.term(callee, names, depth);
      if (called.kind === "weight") return this.layerCall(called.name, argument(0));
    }
    const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
    const isFunction = this.declared.scope.resolve(callee) !== undefined || callee.kind === "name";
    const operands = isFunction || callee.kind !== "attribute" ? given : [callee.object, ...given];
    return operation(name, this.operands(operands, names, depth));
  }

  private operands(expressions: readonly Expr[], names: Names, depth: number) {
    const known = new Map<number, Term>();
    const whole = (index: number): Term => {
      const expression = expressions[index];
      const before = known.get(index);
      if (before !== undefined || expression === undefined) return before ?? unknown;
      const term = this.term(expression, names, depth);
      known.set(index, term);
      return term;
    };
    return {
      count: expressions.length,
      at: (index: number) => firstOf(whole(index)),
      items: (index: number) => {
        const term = whole(index);
        return term.kind === "function" && term.name === "list" ? term.of : [term];
      },
      number: (index: number) => {
        const expression = expressions[index];
        const [sign, value] =
          expression?.kind === "unary" && expression.operator === "-"
            ? [-1, expression.operand]
            : [1, expression];
        return value?.kind === "number" ? sign * value.value : undefined;
      },
      isReshaped: (index: number) => {
        const expression = expressions[index];
        return (
          expression !== undefined &&
          (isReshape(expression) || (expression.kind === "name" && this.reshaped.has(expression.name)))
        );
      },
    };
  }

  /** A function of `forward` itself, or of the file. */
  private helper(callee: Expr): FunctionStmt | undefined {
    if (callee.kind !== "name") return undefined;
    const own = this.helpers.get(callee.name);
    if (own !== undefined) return own;
    const origin = this.declared.scope.origin(callee.name);
    return origin?.kind === "function" ? origin.node : undefined;
  }

  /** `self.A.t()` is an operation on A, `self.A(x)` a call of it. */
  private isOperation(path: string): boolean {
    const last = path.slice(path.lastIndexOf(".") + 1);
    const owner = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    return owner !== "" && !this.layers.has(path) && (isTensorMethod(last) || isConstant(last));
  }

  private layerCall(path: string, of: Term): Term {
    const layer = this.layers.get(path);
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
        return (layer && this.within(path, layer, of)) ?? namedLayer(path, weight(path), of);
    }
  }

  /** A layer of a class whose source is at hand, by what that class computes. */
  private within(path: string, { type }: Layer, of: Term): Term | undefined {
    const origin = this.nested < mostNested ? this.declared.scope.definition(type) : undefined;
    if (origin?.kind !== "class" || origin.node === this.declared.node) return undefined;
    if (!this.nestedClasses.has(origin.node))
      this.nestedClasses.set(origin.node, computationOf(origin, this.nested + 1));
    const inner = this.nestedClasses.get(origin.node);
    const term = inner && largest(inner.terms.filter(dependsOnInput));
    if (inner === undefined || term === undefined || term.kind === "unknown") return undefined;
    for (const [name, layer] of inner.layers) this.layers.set(`${path}.${name}`, layer);
    return substituted(term, of, (name) => (name === "super" ? path : `${path}.${name}`));
  }

  /** nn.Sequential: one after the other. */
  private inTurn(container: string, of: Term): Term {
    const steps = [...this.layers.keys()].filter(
      (path) => path.startsWith(`${container}.`) && !path.slice(container.length + 1).includes("."),
    );
    if (steps.length === 0 || this.layers.get(container)?.type !== "torch.nn.Sequential")
      return map(weight(container), of);
    return steps.reduce((made, step) => this.layerCall(step, made), of);
  }
}

const isReshape = (expression: Expr): boolean =>
  expression.kind === "call" &&
  expression.callee.kind === "attribute" &&
  reshapes.test(expression.callee.name);
