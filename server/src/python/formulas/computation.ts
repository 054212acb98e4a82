/** What `forward` of a class returns, carried out with symbols: one term for each way through its branches. */
import { type CallExpr, type ClassStmt, dottedPath, type Expr, type Stmt } from "../tree/ast";
import type { Layer, ModuleClass, PythonFacts } from "../facts";
import { type Callable, type ClassParts, type Declared, partsOfClass } from "./classParts";
import { Expressions, type Inner, isReshape, mostNested } from "./expressions";
import { calledIn, isSetting, parametersOf } from "./parameters";
import { type Proportion, proportionsIn } from "./proportions";
import { firstOf, itemOf, updated } from "./termOperations";
import { applied, dependsOnInput, input, keyOf, scalar, type Term, unknown, weight } from "./terms";
import { scattered } from "./torchOperations";
import { different, mostPaths, type Names, type Path } from "./ways";

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
    proportion: proportionsIn(parts.methods.get("__init__")?.node),
  };
}

class Computation extends Expressions {
  private readonly inner = new Map<ClassStmt, Computed | undefined>();

  constructor(
    parts: ClassParts,
    declared: Declared,
    private readonly depth: number,
  ) {
    super(parts, declared);
  }

  returned({ node, scope }: Callable, given: readonly Term[] | undefined, depth: number): readonly Term[] {
    const modules = calledIn(node);
    const names = new Map(
      parametersOf(node).map((parameter, index) => {
        const { name } = parameter;
        if (given !== undefined) return [name, given[index] ?? (isSetting(parameter) ? scalar : unknown)];
        return [name, modules.has(name) ? weight(name) : isSetting(parameter) ? scalar : input];
      }),
    );
    const before = this.scope;
    this.scope = scope;
    const results = this.run(node.body, [{ names }], depth).flatMap(({ result }) => result ?? []);
    this.scope = before;
    return depth === 0 ? results.map(firstOf) : results;
  }

  protected nested(type: string): Inner | undefined {
    const origin = this.depth < mostNested ? this.declared.scope.definition(type) : undefined;
    if (origin?.kind !== "class" || origin.node === this.declared.node) return undefined;
    if (!this.inner.has(origin.node)) this.inner.set(origin.node, computationOf(origin, this.depth + 1));
    return this.inner.get(origin.node);
  }

  private run(statements: readonly Stmt[], paths: readonly Path[], depth: number): readonly Path[] {
    let current = this.expressions > this.limit ? [] : paths;
    for (const statement of statements) {
      const next = current.flatMap((path) =>
        path.result === undefined ? this.step(statement, path, depth) : [path],
      );
      // only what branches can come to the same twice
      current = next.length > current.length ? different(next) : next;
    }
    return current;
  }

  private step(statement: Stmt, path: Path, depth: number): readonly Path[] {
    const { names } = path;
    switch (statement.kind) {
      case "return":
        return statement.value === undefined || isNothing(statement.value)
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

  /** An expression's terms: one for each way through the methods of the class that it calls. */
  private ways(expression: Expr, names: Names, depth: number): readonly Term[] {
    const follow = ([call, ...others]: readonly CallExpr[]): readonly Term[] => {
      if (call === undefined) return [this.term(expression, names, depth)];
      const ways = new Map(this.called(call, names, depth)?.map((term) => [keyOf(term), term]));
      const found = [...ways.values()].slice(0, mostPaths).flatMap((term) => {
        this.followed.set(call, term);
        return follow(others);
      });
      this.followed.delete(call);
      return found.slice(0, mostPaths);
    };
    return follow(callsWithin(expression).filter((call) => this.calls(call)));
  }
}

const isNothing = (expression: Expr): boolean => expression.kind === "constant" && expression.value === null;

/** Calls whose values an expression is made of, inner ones first. */
function callsWithin(expression: Expr): readonly CallExpr[] {
  switch (expression.kind) {
    case "call":
      return [
        ...(expression.callee.kind === "attribute" ? callsWithin(expression.callee.object) : []),
        ...expression.arguments.flatMap(({ value }) => callsWithin(value)),
        expression,
      ];
    case "binary":
      return [...callsWithin(expression.left), ...callsWithin(expression.right)];
    case "unary":
      return callsWithin(expression.operand);
    case "attribute":
    case "subscript":
      return callsWithin(expression.object);
    case "tuple":
    case "list":
      return expression.items.flatMap(callsWithin);
    default:
      return [];
  }
}
