/** What an expression of a class's methods is, as a term. */
import { type CallExpr, dottedPath, type Expr, type FunctionStmt, selfPath } from "../tree/ast";
import type { Layer } from "../facts";
import type { Callable, ClassParts, Declared } from "./classParts";
import type { Origin, Scope } from "../names/scope";
import { isNumber, isSetting, parametersOf } from "./parameters";
import { combined, firstOf, largest, transposed } from "./termOperations";
import {
  applied,
  asMatrix,
  dependsOnInput,
  given as givenTerm,
  map,
  matrixProduct,
  scalar,
  substituted,
  type Term,
  unknown,
  weight,
} from "./terms";
import { isConstant, isTensorMethod, namedLayer, operation, reshapes } from "./torchOperations";
import type { Names } from "./ways";

/** Expressions that are carried out before a class is taken for more than one formula. */
const mostExpressions = 700;
const mostOfFunction = 200;
/** Methods that one calls in another, followed so deep; and layers of own classes within each other. */
export const deepest = 5;
export const mostNested = 2;

/** What a class of one of the layers computes, and with which layers. */
export interface Inner {
  readonly terms: readonly Term[];
  readonly layers: ReadonlyMap<string, Layer>;
}

export abstract class Expressions {
  readonly layers: Map<string, Layer>;
  /** The names of the file whose function is being carried out. */
  protected scope: Scope;
  /** Functions that `forward` defines for itself. */
  protected readonly helpers = new Map<string, FunctionStmt>();
  /** Names of tensors that were only given another shape. */
  protected readonly reshaped = new Set<string>();
  /** For a call of the class's methods: of the ways through the method, the one that is being followed. */
  protected readonly followed = new Map<CallExpr, Term>();
  /** Containers whose steps are being carried out. */
  private readonly inTurns = new Set<string>();
  protected expressions = 0;
  protected limit = mostExpressions;

  constructor(
    protected readonly parts: ClassParts,
    protected readonly declared: Declared,
  ) {
    this.layers = new Map(parts.layers);
    this.scope = declared.scope;
  }

  /** What a function of the class or its file returns, one term a way through it. */
  abstract returned(
    method: Callable,
    arguments_: readonly Term[] | undefined,
    depth: number,
  ): readonly Term[];

  /** What a class of one of the layers computes. */
  protected abstract nested(type: string): Inner | undefined;

  protected term(expression: Expr, names: Names, depth: number): Term {
    if (++this.expressions > this.limit) return unknown;
    switch (expression.kind) {
      case "number":
      case "constant":
      case "string":
        return scalar;
      case "name":
        return names.get(expression.name) ?? (expression.name === "self" ? weight("self") : scalar);
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
  protected comprehension(expression: Expr & { kind: "comprehension" }, names: Names, depth: number): Term {
    const { clauses, element, value } = expression;
    const [only, another] = clauses;
    if (only?.target.kind === "name" && another === undefined)
      return this.forEach(only.iterable, only.target.name, value ?? element, names, depth);
    const bound = new Map(names);
    for (const { target, iterable } of clauses) this.bind(target, iterable, bound, depth);
    return this.term(value ?? element, bound, depth);
  }

  /** The names that one round of a loop gives values. */
  protected bind(target: Expr, iterable: Expr, bound: Map<string, Term>, depth: number): void {
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

  protected forEach(iterable: Expr, name: string, body: Expr, names: Names, depth: number): Term {
    const each = (item: Term): Term => firstOf(this.term(body, new Map([...names, [name, item]]), depth));
    const items = this.term(iterable, names, depth);
    return items.kind === "function" && items.name === "list"
      ? applied("list", ...items.of.map(each))
      : each(items);
  }

  protected binary(expression: Expr & { kind: "binary" }, names: Names, depth: number): Term {
    const left = firstOf(this.term(expression.left, names, depth));
    if (expression.operator === "**")
      return operation("pow", this.operands([expression.left, expression.right], names, depth));
    return combined(expression.operator, left, firstOf(this.term(expression.right, names, depth)));
  }

  protected attribute(expression: Expr & { kind: "attribute" }, names: Names, depth: number): Term {
    const known = names.get(dottedPath(expression)?.join(".") ?? "");
    if (known !== undefined) return known;
    const path = selfPath(expression);
    // `.T`, `.weight`, `.data` of a layer or parameter are that layer
    if (path !== undefined) return this.own(path, depth);
    if (expression.object.kind === "name" && isSelf(names.get(expression.object.name)))
      return this.own(expression.name, depth);
    if (!/^(?:T|mT|H|data|real|weight|values)$/.test(expression.name)) return scalar;
    const object = this.term(expression.object, names, depth);
    // what is no layer of this class has a weight that nobody knows
    if (expression.name === "weight") {
      const layer = asMatrix(object);
      return layer.kind === "weight" ? layer : unknown;
    }
    return /^(?:T|mT|H)$/.test(expression.name) ? transposed(object) : object;
  }

  /** A layer or parameter of the class, or what it was given; the weights that a base class brings are `super`'s. */
  protected own(attribute: string, depth: number): Term {
    const path = this.aliased(attribute.replace(/(?:\.(?:T|mT|data))+$/, ""));
    const layer = this.layers.get(path);
    if (layer !== undefined) {
      if (layer.role === "container") return this.onlyOne(path) ?? scalar;
      return isNumber(layer) ? scalar : weight(path);
    }
    const method = this.parts.methods.get(path);
    if (method?.node.decorators.some((each) => dottedPath(each)?.at(-1)?.endsWith("property")))
      return depth < deepest ? largest(this.returned(method, [], depth + 1)) : unknown;
    if (path === "weight") return weight("super");
    // the weight of a layer that was handed over
    if (path.endsWith(".weight")) return weight(path.slice(0, -".weight".length));
    return /eye|identity|^I$/i.test(path) ? scalar : givenTerm(path);
  }

  /** Under the name of the module whose forward an attribute is. */
  protected aliased(path: string): string {
    return this.parts.aliases.get(path) ?? path;
  }

  /** `self.lora_A[name]` where all that the dictionary may hold is one kind of layer. */
  protected onlyOne(container: string): Term | undefined {
    const inside = [...this.layers.keys()].filter((path) => path.startsWith(`${container}.`));
    if (inside.length === 0) return weight(container);
    const [only, another] = inside;
    if (only === undefined || another !== undefined) return undefined;
    const layer = this.layers.get(only);
    return layer && isNumber(layer) ? scalar : weight(only);
  }

  protected call(expression: CallExpr, names: Names, depth: number): Term {
    const { callee } = expression;
    const followed = this.followed.get(expression);
    if (followed !== undefined) return followed;
    const given = expression.arguments
      .filter(({ keyword }) => keyword === undefined || /^(?:input|weight|other|mat2)$/.test(keyword.name))
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
    if (callee.kind === "attribute" && /cast|clone|quantize/.test(callee.name) && given.length > 0) {
      // a backend that was handed over passes on what it is given
      const { object } = callee;
      const owner = this.term(object, names, depth);
      if (owner.kind === "scalar" && owner.name !== undefined) return argument(0);
    }
    const path = selfPath(callee);
    const ways = this.called(expression, names, depth);
    if (ways !== undefined) return largest(ways);
    if (path !== undefined && !this.isOperation(path)) {
      // self.get_base_layer()
      if (expression.arguments.length === 0) return weight(path.replace(/^get_/, ""));
      const called = this.aliased(path);
      return this.layers.has(called)
        ? this.layerCall(called, argument(0))
        : this.givenCall(called, given, names, depth);
    }
    const [made, over] = given;
    const [item] = made?.kind === "lambda" ? made.parameters : [];
    if (callee.kind === "name" && callee.name === "map" && made?.kind === "lambda" && over && item)
      return this.forEach(over, item.name, made.body, names, depth);
    // `down = self.down[name]`, then `down(x)`
    if (callee.kind === "subscript" || (callee.kind === "name" && names.has(callee.name))) {
      const called = asMatrix(this.term(callee, names, depth));
      // a module that holds a weight gives it: self.A[name]()
      if (called.kind === "weight")
        return given.length === 0 ? called : this.layerCall(called.name, argument(0));
      if (called.kind === "scalar") return this.givenCall("", given, names, depth);
    }
    // nn.Softmax(dim=-1)(scores)
    const built = callee.kind === "call" ? dottedPath(callee.callee)?.at(-1)?.toLowerCase() : undefined;
    const name = built ?? (callee.kind === "attribute" || callee.kind === "name" ? callee.name : "");
    const isFunction = this.scope.resolve(callee) !== undefined || callee.kind === "name";
    const operands = isFunction || callee.kind !== "attribute" ? given : [callee.object, ...given];
    return operation(name, this.operands(operands, names, depth));
  }

  protected operands(expressions: readonly Expr[], names: Names, depth: number) {
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
      text: (index: number) => {
        const expression = expressions[index];
        return expression?.kind === "string" ? expression.value : undefined;
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

  /** What a call of a method of the class or a function of its files may give; undefined where it calls neither. */
  protected called(expression: CallExpr, names: Names, depth: number): readonly Term[] | undefined {
    const callable = this.callable(expression.callee);
    if (callable === undefined) return undefined;
    const given = this.passed(callable, expression, names, depth);
    const [left, right] = given;
    if (left && right && /^(?:batch(?:ed)?_)?kron(?:ecker)?(?:_|$)/.test(callable.node.name))
      return [applied("kron", asMatrix(left), asMatrix(right))];
    if (depth >= deepest) return [unknown];
    if (selfPath(expression.callee) !== undefined) return this.returned(callable, given, depth + 1);
    // a long function leaves something for the rest of the class
    const before = this.limit;
    this.limit = Math.min(before, this.expressions + mostOfFunction);
    const ways = this.returned(callable, given, depth + 1);
    const isWhole = this.expressions <= this.limit;
    this.limit = before;
    return isWhole ? ways : [unknown];
  }

  protected calls({ callee }: CallExpr): boolean {
    return this.callable(callee) !== undefined;
  }

  private callable(callee: Expr): Callable | undefined {
    const path = selfPath(callee);
    if (path !== undefined) return this.parts.methods.get(path);
    const origin = (of: Expr): Origin | undefined => {
      const parts = dottedPath(of);
      return parts && this.scope.originOf(parts);
    };
    if (callee.kind === "name") {
      const own = this.helpers.get(callee.name);
      if (own !== undefined) return { node: own, scope: this.scope };
    }
    const found = origin(callee);
    if (found?.kind === "function") return found;
    // HadaWeight.apply(…) carries out the forward of that torch.autograd.Function
    const owner = callee.kind === "attribute" && callee.name === "apply" ? origin(callee.object) : undefined;
    const forward =
      owner?.kind === "class"
        ? owner.node.body.find((each) => each.kind === "function" && each.name === "forward")
        : undefined;
    return owner && forward?.kind === "function" ? { node: forward, scope: owner.scope } : undefined;
  }

  /** What a call gives each parameter of a function. */
  private passed({ node }: Callable, { arguments: given }: CallExpr, names: Names, depth: number): Term[] {
    const positional = given.filter(({ keyword }) => keyword === undefined);
    return parametersOf(node).map((parameter, index) => {
      if (parameter.star === "*")
        return applied("list", ...positional.slice(index).map(({ value }) => this.term(value, names, depth)));
      const argument = given.find(({ keyword }) => keyword?.name === parameter.name) ?? positional[index];
      return argument === undefined
        ? isSetting(parameter)
          ? scalar
          : unknown
        : this.term(argument.value, names, depth);
    });
  }

  /** `self.A.t()` is an operation on A, `self.A(x)` a call of it. */
  protected isOperation(path: string): boolean {
    const last = path.slice(path.lastIndexOf(".") + 1);
    const owner = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    return owner !== "" && !this.layers.has(path) && (isTensorMethod(last) || isConstant(last));
  }

  /** What was handed over and is called: with a matrix it is F.linear or a convolution, `self.op(x, weight)`. */
  private givenCall(name: string, given: readonly Expr[], names: Names, depth: number): Term {
    const [of, matrix] = given.slice(0, 2).map((each) => firstOf(this.term(each, names, depth)));
    if (of === undefined) return unknown;
    const isMatrix = (term: Term): boolean =>
      term.kind !== "scalar" && term.kind !== "unknown" && !dependsOnInput(term);
    if (matrix !== undefined && isMatrix(matrix) && (dependsOnInput(of) || isMatrix(of)))
      return dependsOnInput(of) ? map(matrix, of) : matrixProduct(matrix, of);
    return name === "" ? unknown : this.layerCall(name, of);
  }

  protected layerCall(path: string, of: Term): Term {
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
        if (/activation|non_?linearity/i.test(layer?.type ?? "")) return applied("f", of);
        return (layer && this.within(path, layer, of)) ?? namedLayer(path, weight(path), of);
    }
  }

  /** A layer of a class whose source is at hand, by what that class computes. */
  private within(path: string, { type }: Layer, of: Term): Term | undefined {
    const inner = this.nested(type);
    const term = inner && largest(inner.terms.filter(dependsOnInput));
    if (inner === undefined || term === undefined || term.kind === "unknown") return undefined;
    for (const [name, layer] of inner.layers) this.layers.set(`${path}.${name}`, layer);
    return substituted(term, of, (name) => (name === "super" ? path : `${path}.${name}`));
  }

  /** nn.Sequential: one after the other. */
  protected inTurn(container: string, of: Term): Term {
    const { steps: shared } = this.parts;
    const steps = [...this.layers.keys(), ...shared.keys()].filter(
      (path) => path.startsWith(`${container}.`) && !path.slice(container.length + 1).includes("."),
    );
    const place = (path: string): number => Number(path.slice(container.length + 1));
    if (steps.some((step) => shared.has(step))) steps.sort((a, b) => place(a) - place(b));
    const isKnown = steps.length > 0 && this.layers.get(container)?.type === "torch.nn.Sequential";
    // self.net = nn.Sequential(self.net, more)
    if (!isKnown || this.inTurns.has(container)) return map(weight(container), of);
    this.inTurns.add(container);
    const made = steps.reduce((before, step) => this.layerCall(shared.get(step) ?? step, before), of);
    this.inTurns.delete(container);
    return made;
  }
}

const isSelf = (term: Term | undefined): boolean => term?.kind === "weight" && term.name === "self";

export const isReshape = (expression: Expr): boolean =>
  expression.kind === "call" &&
  expression.callee.kind === "attribute" &&
  reshapes.test(expression.callee.name);
