/** What one block carries out and in which order: its calls, and what names are bound to. */
import {
  bodiesOf,
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  expressionsOf,
  forEachChild,
  type FunctionStmt,
  type Stmt,
} from "../tree/ast";
import { entryName, isDict } from "./entries";

/** Where in the order of a body something happens. */
export interface Moment {
  readonly order: number;
  /** The function it happens in, 0 for the top level of the file. */
  readonly body: number;
  /** Branches and loops it stands in, outermost first. */
  readonly suites: readonly Suite[];
}

export interface Suite {
  readonly loop: boolean;
}

/** A call whose callee is a dotted path, or a method of what a call gives. */
export interface Called extends Moment {
  readonly expression: CallExpr;
  readonly path: readonly string[];
  /** The last name of the path, and what is before it. */
  readonly method: string;
  readonly receiver: string | undefined;
  /** The call that it is called on: of `load(path).merge_and_unload()` the first. */
  readonly on: Called | undefined;
  readonly statement: Stmt;
  readonly owner: ClassStmt | undefined;
  readonly function: FunctionStmt | undefined;
}

export interface Bound extends Moment {
  readonly name: string;
  readonly value?: Source<Called>;
  /** Which part of the value, where a tuple is unpacked: 1 for `tokenizer` in `model, tokenizer = load()`. */
  readonly part?: number;
  /** For `config.r = 8`, `options["r"] = 8` and a name that a dict is given: the statement, and the function around it. */
  readonly assigned?: Assigned;
}

export interface Assigned {
  readonly value: Expr;
  readonly statement: Stmt;
  readonly owner: ClassStmt | undefined;
  readonly function: FunctionStmt | undefined;
}

/** What a value comes from: a call, or another name. */
export type Source<Call> = Call | string;

/** What a `return` gives, each part of a tuple by itself. */
export interface Result<Call> extends Moment {
  readonly parts: readonly (Source<Call> | undefined)[];
}

/** A function of the top level of the file. */
export interface FunctionOrder {
  readonly statement: FunctionStmt;
  readonly body: number;
  /** What its one `return` gives; absent where it has several, or one that it may not come to. */
  readonly result?: Result<Called>;
}

/** Orders and bodies are counted from the block's beginning. */
export interface Order {
  /** Inner calls before outer ones, as they are carried out. */
  readonly calls: readonly Called[];
  readonly bindings: readonly Bound[];
  /** Names of the parameters, by body. */
  readonly parameters: ReadonlyMap<number, ReadonlySet<string>>;
  /** The class that the function with this body is a method of. */
  readonly owners: ReadonlyMap<number, ClassStmt>;
  readonly functions: readonly FunctionOrder[];
  /** How many moments there are. */
  readonly moments: number;
  /** How many bodies there are beside the top level. */
  readonly bodies: number;
}

export function orderOf(statements: readonly Stmt[]): Order {
  const walk = new Walk();
  walk.follow(statements, { body: 0, suites: [], owner: undefined, function: undefined });
  return walk;
}

interface Inside {
  readonly body: number;
  readonly suites: readonly Suite[];
  readonly owner: ClassStmt | undefined;
  readonly function: FunctionStmt | undefined;
}

/** Goes through all bodies in the order in which they are carried out. */
class Walk implements Order {
  readonly calls: Called[] = [];
  readonly bindings: Bound[] = [];
  readonly parameters = new Map<number, ReadonlySet<string>>();
  readonly owners = new Map<number, ClassStmt>();
  readonly functions: FunctionOrder[] = [];
  private readonly results = new Map<number, Result<Called>[]>();
  moments = 0;
  bodies = 0;

  follow(statements: readonly Stmt[], inside: Inside): void {
    for (const statement of statements) {
      if (statement.kind === "class") {
        const body = ++this.bodies;
        this.follow(statement.body, { body, suites: [], owner: statement, function: undefined });
        continue;
      }
      if (statement.kind === "function") {
        const body = ++this.bodies;
        this.parameters.set(body, new Set(statement.parameters.map(({ name }) => name)));
        if (inside.owner !== undefined) this.owners.set(body, inside.owner);
        this.follow(statement.body, { ...inside, body, suites: [], function: statement });
        if (inside.body === 0 && inside.suites.length + statement.decorators.length === 0)
          this.functions.push({ statement, body, ...this.resultOf(body) });
        continue;
      }
      const made = new Map<Expr, Called>();
      const expressions = expressionsOf(statement);
      // the value of an assignment is worked out before its targets
      for (const expression of statement.kind === "assign" ? expressions.toReversed() : expressions)
        this.evaluate(expression, statement, inside, made);
      if (statement.kind === "assign") this.bind(statement, made, inside);
      if (statement.kind === "return") this.give(statement.value, made, inside);
      if (statement.kind === "for") this.release(statement.target, inside);
      if (statement.kind === "compound" || statement.kind === "simple")
        for (const expression of statement.expressions) this.release(expression, inside);
      // the body of a `with` is surely carried out
      const straight = statement.kind === "compound" && statement.bodies.length === 1;
      const loop = statement.kind === "for" || statement.kind === "while";
      for (const inner of bodiesOf(statement))
        this.follow(inner, straight ? inside : { ...inside, suites: [...inside.suites, { loop }] });
    }
  }

  private moment({ body, suites }: Inside): Moment {
    return { order: this.moments++, body, suites };
  }

  private give(value: Expr | undefined, made: ReadonlyMap<Expr, Called>, inside: Inside): void {
    const items = value?.kind === "tuple" ? value.items : [value];
    const result = { ...this.moment(inside), parts: items.map((item) => sourceOf(item, made)) };
    this.results.set(inside.body, [...(this.results.get(inside.body) ?? []), result]);
  }

  private resultOf(body: number): Pick<FunctionOrder, "result"> {
    const [only, another] = this.results.get(body) ?? [];
    return only?.suites.length === 0 && another === undefined ? { result: only } : {};
  }

  /** Notes the calls in an expression, inner ones first. */
  private evaluate(expression: Expr, statement: Stmt, inside: Inside, made: Map<Expr, Called>): void {
    if (expression.kind === "lambda") return;
    forEachChild(expression, (child) => this.evaluate(child, statement, inside, made));
    if (expression.kind !== "call") return;
    const { callee } = expression;
    const on = callee.kind === "attribute" ? made.get(callee.object) : undefined;
    const path = on !== undefined && callee.kind === "attribute" ? [callee.name] : dottedPath(callee);
    if (path === undefined) return;
    const { owner, function: within } = inside;
    const called = {
      ...this.moment(inside),
      expression,
      path,
      method: path.at(-1) ?? "",
      receiver: path.length > 1 ? path.slice(0, -1).join(".") : undefined,
      on,
      statement,
      owner,
      function: within,
    };
    made.set(expression, called);
    this.calls.push(called);
  }

  private bind(statement: Stmt & { kind: "assign" }, made: ReadonlyMap<Expr, Called>, inside: Inside): void {
    const { value, operator } = statement;
    const source = operator === "=" ? sourceOf(value, made) : undefined;
    const bind = (name: string, from: Source<Called> | undefined, part?: number): void => {
      const { owner, function: within } = inside;
      const alone = part === undefined && operator === "=" && statement.targets.length === 1;
      this.bindings.push({
        ...this.moment(inside),
        name,
        ...(from !== undefined && { value: from, ...(part !== undefined && { part }) }),
        ...(alone &&
          value &&
          (statement.targets[0]?.kind !== "name" || isDict(value)) && {
            assigned: { value, statement, owner, function: within },
          }),
      });
    };
    for (const target of statement.targets) {
      const name = dottedPath(target)?.join(".") ?? entryName(target);
      if (name !== undefined) bind(name, source);
      else if (target.kind !== "tuple" || target.items.some(({ kind }) => kind === "star"))
        this.release(target, inside);
      else
        for (const [part, item] of target.items.entries()) {
          const path = dottedPath(item)?.join(".");
          if (path === undefined) this.release(item, inside);
          // of `a, b = b, a` only calls are certain: names change on the way
          else if (value?.kind === "tuple") bind(path, made.get(value.items[part] ?? value));
          else bind(path, source, part);
        }
    }
  }

  /** Names that a loop, an unpacking, a `with … as` or a `del` binds to something that is not known. */
  private release(target: Expr, inside: Inside): void {
    const name = dottedPath(target)?.join(".") ?? entryName(target);
    if (name !== undefined) this.bindings.push({ ...this.moment(inside), name });
    else if (
      target.kind === "tuple" ||
      target.kind === "list" ||
      target.kind === "star" ||
      target.kind === "other"
    )
      forEachChild(target, (child) => this.release(child, inside));
  }
}

/** What a value comes from, where that is a call or a name. */
const sourceOf = (value: Expr | undefined, made: ReadonlyMap<Expr, Called>): Source<Called> | undefined =>
  value && (made.get(value) ?? dottedPath(value)?.join("."));
