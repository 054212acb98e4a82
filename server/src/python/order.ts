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
} from "./ast";

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

/** A call whose callee is a dotted path. */
export interface Called extends Moment {
  readonly expression: CallExpr;
  readonly path: readonly string[];
  /** The last name of the path, and what is before it. */
  readonly method: string;
  readonly receiver: string | undefined;
  readonly statement: Stmt;
  readonly owner: ClassStmt | undefined;
  readonly function: FunctionStmt | undefined;
}

export interface Bound extends Moment {
  readonly name: string;
  /** The call or the other name that it is bound to. */
  readonly value?: Called | string;
}

/** Orders and bodies are counted from the block's beginning. */
export interface Order {
  /** Inner calls before outer ones, as they are carried out. */
  readonly calls: readonly Called[];
  readonly bindings: readonly Bound[];
  /** Names of the parameters, by body. */
  readonly parameters: ReadonlyMap<number, ReadonlySet<string>>;
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
        this.follow(statement.body, { ...inside, body, suites: [], function: statement });
        continue;
      }
      const made = new Map<Expr, Called>();
      const expressions = expressionsOf(statement);
      // the value of an assignment is worked out before its targets
      for (const expression of statement.kind === "assign" ? expressions.toReversed() : expressions)
        this.evaluate(expression, statement, inside, made);
      if (statement.kind === "assign") this.bind(statement, made, inside);
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

  /** Notes the calls in an expression, inner ones first. */
  private evaluate(expression: Expr, statement: Stmt, inside: Inside, made: Map<Expr, Called>): void {
    if (expression.kind === "lambda") return;
    forEachChild(expression, (child) => this.evaluate(child, statement, inside, made));
    const path = expression.kind === "call" ? dottedPath(expression.callee) : undefined;
    if (expression.kind !== "call" || path === undefined) return;
    const { owner, function: within } = inside;
    const called = {
      ...this.moment(inside),
      expression,
      path,
      method: path.at(-1) ?? "",
      receiver: path.length > 1 ? path.slice(0, -1).join(".") : undefined,
      statement,
      owner,
      function: within,
    };
    made.set(expression, called);
    this.calls.push(called);
  }

  private bind(statement: Stmt & { kind: "assign" }, made: ReadonlyMap<Expr, Called>, inside: Inside): void {
    const { value, operator } = statement;
    const source = value && (made.get(value) ?? dottedPath(value)?.join("."));
    for (const target of statement.targets) {
      const name = dottedPath(target)?.join(".");
      if (name === undefined) this.release(target, inside);
      else
        this.bindings.push({
          ...this.moment(inside),
          name,
          ...(operator === "=" && source !== undefined && { value: source }),
        });
    }
  }

  /** Names that a loop, an unpacking, a `with … as` or a `del` binds to something that is not known. */
  private release(target: Expr, inside: Inside): void {
    const name = dottedPath(target)?.join(".");
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
