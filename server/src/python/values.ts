/**
 * Values followed from call to call: which call made what a name holds at another call of the same body. Everything here
 * is certain or undefined; what a branch, a loop or another function may have changed is not known.
 */
import { group } from "../group";
import { lazily } from "../lazily";
import { callFact } from "./calls";
import type { Call, PythonFacts, Range } from "./facts";
import { type Called, type Moment, orderOf, type Suite } from "./order";
import type { Placed } from "./reading";
import type { Scope } from "./scope";
import { moveCall } from "./shift";

export interface CallStep extends Moment {
  readonly call: Call;
  /** What is called, as `call` has it. */
  readonly qualified: string | undefined;
  /** `model` of `model.merge_and_unload()`, where it is a dotted path. */
  readonly receiver: string | undefined;
  /** The last name of the callee. */
  readonly method: string;
  /** Names of the arguments that are given by name. */
  readonly keywords: readonly string[];
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
  /** Those of what goes by one of these qualified names. */
  callsTo(names: readonly string[]): readonly CallStep[];
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
  callsTo: () => [],
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
      const steps = follower.steps();
      while (steps.next().done !== true);
      return (found ??= valuesIn(follower));
    },
  };
}

function valuesIn({ calls, bindings, parameters }: Follower): Values {
  const named = group(bindings, ({ name }) => name);
  const byName = lazily(() => group(calls, ({ qualified }) => qualified));
  const byPlace = lazily(
    () => new Map(calls.map((step) => [`${step.range.from}:${step.range.to}`, step] as const)),
  );

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

  return {
    calls,
    callsTo: (names) =>
      [...new Set(names)].flatMap((name) => byName().get(name) ?? []).sort((a, b) => a.order - b.order),
    written: ({ from, to }) => byPlace().get(`${from}:${to}`),
    maker: (name, moment) => maker(name, moment),
    surelyBefore,
    unchanged,
    assigns: (path) => named.has(path),
  };
}

/** The order of each block, made one of the file. */
class Follower {
  readonly calls: Step[] = [];
  readonly bindings: Binding[] = [];
  readonly parameters = new Map<number, ReadonlySet<string>>();
  private moments = 0;
  private bodies = 0;
  private next = 0;

  constructor(
    private readonly placed: readonly Placed[],
    private readonly scope: Scope,
  ) {}

  /** Follows what has not been followed yet, one block a step. */
  *steps(): Generator<undefined, void> {
    for (let at = this.placed[this.next]; at !== undefined; at = this.placed[this.next]) {
      this.next++;
      this.follow(at);
      yield;
    }
  }

  private follow(placed: Placed): void {
    const { block } = placed;
    const { calls, bindings, parameters, moments, bodies } = (block.memory.order ??= orderOf(
      block.statements,
    ));
    const [before, above] = [this.moments, this.bodies];
    const bodyOf = (body: number): number => (body === 0 ? 0 : above + body);
    const steps = new Map<Called, Step>();
    for (const called of calls) {
      const step = new Step(before + called.order, bodyOf(called.body), called, placed, this.scope);
      steps.set(called, step);
      this.calls.push(step);
    }
    for (const { order, body, suites, name, value } of bindings) {
      const source = typeof value === "object" ? steps.get(value) : value;
      this.bindings.push({
        order: before + order,
        body: bodyOf(body),
        suites,
        name,
        ...(source !== undefined && { value: source }),
      });
    }
    for (const [body, names] of parameters) this.parameters.set(bodyOf(body), names);
    this.moments += moments;
    this.bodies += bodies;
  }
}

/** A call of a block as a step of the file; what is known of its arguments is worked out when first asked for. */
class Step implements CallStep {
  readonly method: string;
  readonly receiver: string | undefined;
  private fact: Call | undefined;

  constructor(
    readonly order: number,
    readonly body: number,
    private readonly called: Called,
    private readonly placed: Placed,
    private readonly scope: Scope,
  ) {
    ({ method: this.method, receiver: this.receiver } = called);
  }

  get suites(): readonly Suite[] {
    return this.called.suites;
  }

  get range(): Range {
    const { from, to } = this.called.expression;
    return { from: this.placed.from + from, to: this.placed.from + to };
  }

  get qualified(): string | undefined {
    return this.scope.resolveParts(this.called.path);
  }

  get keywords(): readonly string[] {
    return this.called.expression.arguments.flatMap(({ keyword }) => keyword?.name ?? []);
  }

  get dropped(): boolean {
    const { statement, expression } = this.called;
    return statement.kind === "expression" && statement.value === expression;
  }

  get call(): Call {
    if (this.fact === undefined) {
      const { expression, statement, owner, function: within } = this.called;
      const { block, from } = this.placed;
      const place = { scope: this.scope, block, owner, function: within };
      this.fact = moveCall(callFact(expression, statement, place), from);
    }
    return this.fact;
  }
}
