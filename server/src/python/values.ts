/**
 * Values followed from call to call: which call made what a name holds at another call of the same body. Everything here
 * is certain or undefined; what a branch, a loop or another function may have changed is not known.
 */
import {
  bodiesOf,
  type CallExpr,
  dottedPath,
  type Expr,
  expressionsOf,
  type FunctionStmt,
  forEachChild,
  type Stmt,
} from "./ast";
import { callFact } from "./calls";
import type { Place } from "./constants";
import type { Call, PythonFacts, Range } from "./facts";
import type { Placed } from "./reading";
import type { Scope } from "./scope";
import { moveCall } from "./shift";

/** Where in the order of a body something happens. */
interface Moment {
  readonly order: number;
  /** The function it happens in, 0 for the top level of the file. */
  readonly body: number;
  /** Branches and loops it stands in, outermost first. */
  readonly suites: readonly Suite[];
}

interface Suite {
  readonly loop: boolean;
}

export interface CallStep extends Moment {
  readonly call: Call;
  /** `model` of `model.merge_and_unload()`, where it is a dotted path. */
  readonly receiver?: string;
  /** The last name of the callee. */
  readonly method: string;
  /** The call is the whole statement, so that its result is dropped. */
  readonly dropped: boolean;
}

interface Binding extends Moment {
  readonly name: string;
  /** The call or the other name that it is bound to. */
  readonly value?: CallStep | string;
}

export interface Values {
  /** Every call whose callee is a dotted path, inner before outer, as they are carried out. */
  readonly calls: readonly CallStep[];
  /** The call that is written exactly here. */
  written(range: Range): CallStep | undefined;
  /** The call that surely made what `name` holds at `moment`. */
  maker(name: string, moment: Moment): CallStep | undefined;
  /** Whether `earlier` has surely been carried out when `later` is. */
  surelyBefore(earlier: Moment, later: Moment): boolean;
  /** Whether `name` surely holds at `later` what it held at `earlier`. */
  unchanged(name: string, earlier: Moment, later: Moment): boolean;
  /** Whether an attribute of this path is assigned anywhere: `config.task_type`. */
  assigns(path: string): boolean;
}

/** Values that are worked out one top-level statement a step. */
interface Following {
  steps(): Generator<undefined, void>;
  values(): Values;
}

/** For facts that came from a document: its values. */
export const valuesOfFacts = new WeakMap<PythonFacts, Following>();

const nothing: Values = {
  calls: [],
  written: () => undefined,
  maker: () => undefined,
  surelyBefore: () => false,
  unchanged: () => false,
  assigns: () => false,
};

/** The values of a file, worked out when first asked for. */
export const valuesOf = (facts: PythonFacts): Values => valuesOfFacts.get(facts)?.values() ?? nothing;

/** Works them out in steps: afterwards `valuesOf` has them at hand. */
export function* followingValues(facts: PythonFacts): Generator<undefined, void> {
  yield* valuesOfFacts.get(facts)?.steps() ?? [];
}

const opens = (suites: readonly Suite[], inner: readonly Suite[]): boolean =>
  suites.every((suite, index) => inner[index] === suite);

export function followValues(placed: readonly Placed[], scope: Scope): Following {
  const follower = new Follower(placed, scope);
  let found: Values | undefined;
  return {
    steps: () => follower.steps(),
    values() {
      follower.finish();
      return (found ??= valuesIn(follower));
    },
  };
}

function valuesIn({ calls, bindings, parameters }: Follower): Values {
  const named = new Map<string, Binding[]>();
  for (const binding of bindings) {
    const known = named.get(binding.name);
    if (known === undefined) named.set(binding.name, [binding]);
    else known.push(binding);
  }

  /** Bindings of a name, and for an attribute those of the names it hangs on. */
  const changesOf = (name: string): readonly Binding[] =>
    name.split(".").flatMap((_, index, parts) => named.get(parts.slice(0, index + 1).join(".")) ?? []);

  const surelyBefore = (earlier: Moment, later: Moment): boolean =>
    earlier.body === later.body && earlier.order < later.order && opens(earlier.suites, later.suites);

  const unchanged = (name: string, earlier: Moment, later: Moment): boolean =>
    !changesOf(name).some(
      (change) =>
        change.body === later.body &&
        ((earlier.order < change.order && change.order < later.order) || returns(change, earlier, later)),
    );

  /** A change below that a loop around `later`, and not around `earlier`, brings back to it. */
  const returns = (change: Moment, earlier: Moment, later: Moment): boolean =>
    change.order >= later.order &&
    later.suites.some(
      (suite) => suite.loop && change.suites.includes(suite) && !earlier.suites.includes(suite),
    );

  const maker = (name: string, moment: Moment, depth = 0): CallStep | undefined => {
    const found = reaching(name, moment);
    if (found === undefined || depth > 8) return undefined;
    return typeof found.value === "string" ? maker(found.value, found, depth + 1) : found.value;
  };

  const reaching = (name: string, moment: Moment): Binding | undefined => {
    const known = named.get(name) ?? [];
    const own = known.filter(({ body }) => body === moment.body);
    if (own.length === 0) {
      // a constant of the file: bound once, at its top level, and hidden by no parameter
      const [only] = known;
      const hidden = parameters.get(moment.body)?.has(name.split(".")[0] ?? "") === true;
      const constant = known.length === 1 && only?.body === 0 && only.suites.length === 0 && !hidden;
      return constant && !name.includes(".") ? only : undefined;
    }
    const last = own.findLast(({ order }) => order < moment.order);
    return last !== undefined && surelyBefore(last, moment) && unchanged(name, last, moment)
      ? last
      : undefined;
  };

  const byPlace = new Map(calls.map((step) => [`${step.call.range.from}:${step.call.range.to}`, step]));

  return {
    calls,
    written: ({ from, to }) => byPlace.get(`${from}:${to}`),
    maker: (name, moment) => maker(name, moment),
    surelyBefore,
    unchanged,
    assigns: (path) => named.has(path),
  };
}

/** Goes through all bodies in the order in which they are carried out. */
class Follower {
  readonly calls: CallStep[] = [];
  readonly bindings: Binding[] = [];
  readonly parameters = new Map<number, ReadonlySet<string>>();
  private order = 0;
  private bodies = 0;

  private next = 0;

  constructor(
    private readonly placed: readonly Placed[],
    private readonly scope: Scope,
  ) {}

  finish(): void {
    const steps = this.steps();
    while (steps.next().done !== true);
  }

  /** Follows what has not been followed yet, one block a step. */
  *steps(): Generator<undefined, void> {
    for (let at = this.placed[this.next]; at !== undefined; at = this.placed[this.next]) {
      this.next++;
      this.follow(at.block.statements, { scope: this.scope, block: at.block }, at.from, 0, []);
      yield;
    }
  }

  private follow(
    statements: readonly Stmt[],
    place: Place,
    by: number,
    body: number,
    suites: readonly Suite[],
  ): void {
    for (const statement of statements) {
      if (statement.kind === "class") {
        this.follow(
          statement.body,
          { ...place, owner: statement, function: undefined },
          by,
          ++this.bodies,
          [],
        );
        continue;
      }
      if (statement.kind === "function") {
        this.enter(statement, place, by);
        continue;
      }
      const moment = (): Moment => ({ order: this.order++, body, suites });
      const made = new Map<Expr, CallStep>();
      const expressions = expressionsOf(statement);
      // the value of an assignment is worked out before its targets
      for (const expression of statement.kind === "assign" ? expressions.toReversed() : expressions)
        this.evaluate(expression, statement, place, by, moment, made);
      if (statement.kind === "assign") this.bind(statement, made, moment);
      if (statement.kind === "for") this.release(statement.target, moment);
      if (statement.kind === "compound" || statement.kind === "simple")
        for (const expression of statement.expressions) this.release(expression, moment);
      // the body of a `with` is surely carried out
      const straight = statement.kind === "compound" && statement.bodies.length === 1;
      const loop = statement.kind === "for" || statement.kind === "while";
      for (const inner of bodiesOf(statement))
        this.follow(inner, place, by, body, straight ? suites : [...suites, { loop }]);
    }
  }

  private enter(statement: FunctionStmt, place: Place, by: number): void {
    const body = ++this.bodies;
    this.parameters.set(body, new Set(statement.parameters.map(({ name }) => name)));
    this.follow(statement.body, { ...place, function: statement }, by, body, []);
  }

  /** Notes the calls in an expression, inner ones first. */
  private evaluate(
    expression: Expr,
    statement: Stmt,
    place: Place,
    by: number,
    moment: () => Moment,
    made: Map<Expr, CallStep>,
  ): void {
    if (expression.kind === "lambda") return;
    forEachChild(expression, (child) => this.evaluate(child, statement, place, by, moment, made));
    const path = expression.kind === "call" ? dottedPath(expression.callee) : undefined;
    if (expression.kind !== "call" || path === undefined) return;
    const step = this.step(expression, path, statement, place, by, moment());
    made.set(expression, step);
    this.calls.push(step);
  }

  private step(
    expression: CallExpr,
    path: readonly string[],
    statement: Stmt,
    place: Place,
    by: number,
    moment: Moment,
  ): CallStep {
    return {
      ...moment,
      call: moveCall(callFact(expression, statement, place), by),
      ...(path.length > 1 && { receiver: path.slice(0, -1).join(".") }),
      method: path.at(-1) ?? "",
      dropped: statement.kind === "expression" && statement.value === expression,
    };
  }

  private bind(
    statement: Stmt & { kind: "assign" },
    made: ReadonlyMap<Expr, CallStep>,
    moment: () => Moment,
  ): void {
    const { value, operator } = statement;
    const source = value && (made.get(value) ?? dottedPath(value)?.join("."));
    for (const target of statement.targets) {
      const name = dottedPath(target)?.join(".");
      if (name === undefined) this.release(target, moment);
      else
        this.bindings.push({
          ...moment(),
          name,
          ...(operator === "=" && source !== undefined && { value: source }),
        });
    }
  }

  /** Names that a loop, an unpacking, a `with … as` or a `del` binds to something that is not known. */
  private release(target: Expr, moment: () => Moment): void {
    const name = dottedPath(target)?.join(".");
    if (name !== undefined) this.bindings.push({ ...moment(), name });
    else if (
      target.kind === "tuple" ||
      target.kind === "list" ||
      target.kind === "star" ||
      target.kind === "other"
    )
      forEachChild(target, (child) => this.release(child, moment));
  }
}
