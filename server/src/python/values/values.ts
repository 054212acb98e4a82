/**
 * Values followed from call to call: which call made what a name holds at another call. They are followed into functions
 * of the file that have one `return`, into a function that is called once, and to an attribute that its class binds once.
 * Everything here is certain or undefined; what a branch or a loop may have changed is not known.
 */
import { group } from "../../group";
import { lazily } from "../../lazily";
import type { ClassStmt } from "../tree/ast";
import { callFact, weighed } from "../names/calls";
import type { Call, Expression, PythonFacts, Range } from "../facts";
import {
  type Assigned,
  type Called,
  type Moment,
  orderOf,
  type Result,
  type Source,
  type Suite,
} from "./order";
import type { Placed } from "../reading";
import type { Scope } from "../names/scope";
import { moveCall } from "../shift";

export interface CallStep extends Moment {
  readonly call: Call;
  /** What is called, as `call` has it. */
  readonly qualified: string | undefined;
  /** `model` of `model.merge_and_unload()`, where it is a dotted path. */
  readonly receiver: string | undefined;
  /** The call that it is called on: of `load(path).merge_and_unload()` the first. */
  readonly on: CallStep | undefined;
  /** The last name of the callee. */
  readonly method: string;
  /** Names of the arguments that are given by name. */
  readonly keywords: readonly string[];
  /** The call is the whole statement, so that its result is dropped. */
  readonly dropped: boolean;
}

interface Binding extends Moment {
  readonly name: string;
  readonly value: Source<CallStep> | undefined;
  readonly part: number | undefined;
  readonly assigned: (() => Pick<Assignment, "range" | "value">) | undefined;
}

/** `config.r = 8`. */
export interface Assignment extends Moment {
  readonly receiver: string;
  readonly range: Range;
  readonly value: Expression;
}

/** A function of the file's top level. */
interface FunctionBody {
  readonly body: number;
  readonly parameters: readonly string[];
  readonly result?: Result<CallStep>;
}

export interface Values {
  /** Every call of a dotted path or of a method of what a call gives, inner before outer, as they are carried out. */
  readonly calls: readonly CallStep[];
  /** Those of what goes by one of these qualified names. */
  callsTo(names: readonly string[]): readonly CallStep[];
  /** The call that is written exactly here, or for a function of the file the one that made what it gives. */
  written(range: Range): CallStep | undefined;
  /** The call that surely made what `name` holds at `moment`. */
  maker(name: string, moment: Moment): CallStep | undefined;
  /** The call that made what `name` holds wherever it is used: the file binds it once, and it is no parameter. */
  onlyMaker(name: string): CallStep | undefined;
  /** Whether `earlier` has surely been carried out when `later` is. */
  surelyBefore(earlier: Moment, later: Moment): boolean;
  /** Whether `name` surely holds at `later` what it held at `earlier`. */
  unchanged(name: string, earlier: Moment, later: Moment): boolean;
  /** Whether an attribute of this path is assigned anywhere: `config.task_type = …`, `setattr(config, name, …)`. */
  assigns(path: string): boolean;
  /** Where an attribute of this name is assigned, of whatever it may be. */
  assignmentsTo(attribute: string): readonly Assignment[];
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
  onlyMaker: () => undefined,
  surelyBefore: () => false,
  unchanged: () => false,
  assigns: () => false,
  assignmentsTo: () => [],
};

/** The values of a file, worked out when first asked for. */
export const valuesOf = (facts: PythonFacts): Values => valuesOfFacts.get(facts)?.values() ?? nothing;

/** Works them out in steps: afterwards `valuesOf` has them at hand. */
export function* followingValues(facts: PythonFacts): Generator<undefined, void> {
  yield* valuesOfFacts.get(facts)?.steps() ?? [];
}

/** Names and functions that a value passes through beyond this are given up, which also ends circles. */
const maximumDepth = 8;

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

function valuesIn({ calls, bindings, parameters, owners, functions }: Follower): Values {
  const named = group(bindings, ({ name }) => name);
  const byName = lazily(() => group(calls, ({ qualified }) => qualified));
  const byPlace = lazily(
    () => new Map(calls.map((step) => [`${step.range.from}:${step.range.to}`, step] as const)),
  );

  /** What attributes are set of by name, whichever these are. */
  const setInto = lazily(
    () =>
      new Set(
        calls
          .filter(({ method, receiver, on }) => method === "setattr" && receiver === undefined && !on)
          .flatMap(({ call }) => call.arguments[0]?.value.text ?? []),
      ),
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

  /** The function of the file that a call is of. */
  const functionOf = ({ receiver, on, method, body }: CallStep): FunctionBody | undefined =>
    receiver === undefined && on === undefined && parameters.get(body)?.has(method) !== true
      ? functions.get(method)
      : undefined;
  const callsOf = lazily(() => group(calls, (step) => functionOf(step)?.body));
  const at = ({ from, to }: Range): CallStep | undefined => byPlace().get(`${from}:${to}`);

  const maker = (name: string, moment: Moment, depth: number): CallStep | undefined => {
    if (depth > maximumDepth) return undefined;
    const found = reaching(name, moment);
    return found === undefined ? passed(name, moment, depth) : madeBy(found.value, found, depth, found.part);
  };

  const madeBy = (
    source: Source<CallStep> | undefined,
    moment: Moment,
    depth: number,
    part?: number,
  ): CallStep | undefined => {
    if (typeof source === "string") return part === undefined ? maker(source, moment, depth + 1) : undefined;
    return source && given(source, depth, part);
  };

  /** The call that made what a call gives, or a part of that: for a function of the file what it returns. */
  const given = (step: CallStep, depth: number, part?: number): CallStep | undefined => {
    const own = functionOf(step);
    if (own === undefined) return part === undefined ? step : undefined;
    const { result } = own;
    if (result === undefined || depth > maximumDepth) return undefined;
    const { parts } = result;
    if (part === undefined ? parts.length !== 1 : parts.length <= part) return undefined;
    return madeBy(parts[part ?? 0], result, depth + 1);
  };

  /** What the only call of a function passes for a parameter that it has not bound anew. */
  const passed = (name: string, moment: Moment, depth: number): CallStep | undefined => {
    const own = [...functions.values()].find(({ body }) => body === moment.body);
    const index = own?.parameters.indexOf(name) ?? -1;
    const [only, another] = own === undefined ? [] : (callsOf().get(own.body) ?? []);
    if (index < 0 || only === undefined || another !== undefined) return undefined;
    const changed = (named.get(name) ?? []).some(
      (change) =>
        change.body === moment.body &&
        (change.order < moment.order ||
          change.suites.some((suite) => suite.loop && moment.suites.includes(suite))),
    );
    if (changed || only.call.arguments.some(({ star }) => star !== undefined)) return undefined;
    const argument = only.call.arguments.find(({ keyword }, place) =>
      keyword === undefined ? place === index : keyword.name === name,
    );
    if (argument === undefined) return undefined;
    const { text, range } = argument.value;
    const written = at(range);
    if (written !== undefined) return given(written, depth + 1);
    return /^[\w.]+$/.test(text) ? maker(text, only, depth + 1) : undefined;
  };

  const reaching = (name: string, moment: Moment): Binding | undefined => {
    const known = named.get(name) ?? [];
    const own = known.filter(({ body }) => body === moment.body);
    if (own.length === 0) {
      const [only] = known;
      if (known.length !== 1 || only === undefined || only.suites.length > 0) return undefined;
      // what an object holds: bound once in all of the file, by a method of the same class
      if (name.startsWith("self.")) {
        const owner = owners.get(only.body);
        return owner !== undefined && owners.get(moment.body) === owner ? only : undefined;
      }
      // a constant of the file: bound once, at its top level, and hidden by no parameter
      const hidden = parameters.get(moment.body)?.has(name.split(".")[0] ?? "") === true;
      return only.body === 0 && !hidden && !name.includes(".") ? only : undefined;
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
    written: (range) => {
      const step = at(range);
      return step && given(step, 0);
    },
    maker: (name, moment) => maker(name, moment, 0),
    onlyMaker(name) {
      const [only, another] = named.get(name) ?? [];
      if (only === undefined || another !== undefined || only.part !== undefined) return undefined;
      if (typeof only.value !== "object") return undefined;
      return [...parameters.values()].some((names) => names.has(name)) ? undefined : only.value;
    },
    surelyBefore,
    unchanged,
    assigns: (path) => named.has(path) || setInto().has(path.slice(0, Math.max(0, path.lastIndexOf(".")))),
    assignmentsTo: (attribute) =>
      bindings.flatMap(({ name, assigned, order, body, suites }) =>
        assigned !== undefined && name.endsWith(`.${attribute}`)
          ? [{ receiver: name.slice(0, -attribute.length - 1), order, body, suites, ...assigned() }]
          : [],
      ),
  };
}

/** The order of each block, made one of the file. */
class Follower {
  readonly calls: Step[] = [];
  readonly bindings: Binding[] = [];
  readonly parameters = new Map<number, ReadonlySet<string>>();
  readonly owners = new Map<number, ClassStmt>();
  /** Those that are the only definition of their name. */
  readonly functions = new Map<string, FunctionBody>();
  private readonly resolved = new Map<string, string | undefined>();
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
    const { calls, bindings, parameters, owners, functions, moments, bodies } = (block.memory.order ??=
      orderOf(block.statements));
    const [before, above] = [this.moments, this.bodies];
    const bodyOf = (body: number): number => (body === 0 ? 0 : above + body);
    const steps = new Map<Called, Step>();
    for (const called of calls) {
      const on = called.on && steps.get(called.on);
      const step = new Step(
        before + called.order,
        bodyOf(called.body),
        called,
        on,
        placed,
        this.scope,
        this.resolved,
      );
      steps.set(called, step);
      this.calls.push(step);
    }
    const moved = ({ order, body, suites }: Moment): Moment => ({
      order: before + order,
      body: bodyOf(body),
      suites,
    });
    const sourceOf = (value: Source<Called> | undefined): Source<CallStep> | undefined =>
      typeof value === "object" ? steps.get(value) : value;
    // of the many bindings of a file: spelt out, because objects that are spread are slow to make
    for (const { value, part, name, assigned, order, body, suites } of bindings) {
      this.bindings.push({
        order: before + order,
        body: bodyOf(body),
        suites,
        name,
        value: sourceOf(value),
        part,
        assigned: assigned && (() => assignmentFact(assigned, placed, this.scope)),
      });
    }
    for (const [body, names] of parameters) this.parameters.set(bodyOf(body), names);
    for (const [body, owner] of owners) this.owners.set(bodyOf(body), owner);
    for (const { statement, body, result } of functions) {
      const origin = this.scope.origin(statement.name);
      if (origin?.kind !== "function" || origin.node !== statement) continue;
      this.functions.set(statement.name, {
        body: bodyOf(body),
        parameters: statement.parameters.map(({ name }) => name),
        ...(result && { result: { ...moved(result), parts: result.parts.map(sourceOf) } }),
      });
    }
    this.moments += moments;
    this.bodies += bodies;
  }
}

function assignmentFact(
  { value, statement, owner, function: within }: Assigned,
  { block, from }: Placed,
  scope: Scope,
): Pick<Assignment, "range" | "value"> {
  const moved = (range: Range): Range => ({ from: from + range.from, to: from + range.to });
  const expression = weighed(value, { scope, block, owner, function: within });
  return { range: moved(statement), value: { ...expression, range: moved(expression.range) } };
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
    readonly on: CallStep | undefined,
    private readonly placed: Placed,
    private readonly scope: Scope,
    /** What the paths of the file's calls stand for, as far as one has asked. */
    private readonly resolved: Map<string, string | undefined>,
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
    if (this.on !== undefined) return undefined;
    const path = `${this.receiver ?? ""}.${this.method}`;
    if (!this.resolved.has(path)) this.resolved.set(path, this.scope.resolveParts(this.called.path));
    return this.resolved.get(path);
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
