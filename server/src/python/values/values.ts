/**
 * Values followed from call to call: which call made what a name holds at another call. They are followed into functions
 * of the file that have one `return`, into a function that is called once, and to an attribute that its class binds once.
 * Everything here is certain or undefined; what a branch or a loop may have changed is not known.
 */
import { lazily } from "../../lazily";
import type { Call, Expression, PythonFacts, Range } from "../facts";
import type { Scope } from "../names/scope";
import type { Placed } from "../reading";
import { type Entry, isOnlyUnpacked } from "./entries";
import { type Binding, Follower, type FunctionBody } from "./follower";
import type { Moment, Source, Suite } from "./order";

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

/** `config.r = 8`. */
export interface Assignment extends Moment {
  readonly receiver: string;
  readonly range: Range;
  readonly value: Expression;
}

export interface Values {
  /** Every call of a dotted path or of a method of what a call gives, inner before outer, as they are carried out. */
  readonly calls: readonly CallStep[];
  /** Those of what goes by one of these qualified names. */
  callsTo(names: readonly string[]): readonly CallStep[];
  /** Those that give an argument of this name. */
  callsGiving(keyword: string): readonly CallStep[];
  /** Those of the same body that are carried out after `earlier` and before `later`. */
  callsBetween(earlier: Moment, later: Moment): readonly CallStep[];
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
  /** What `**options` and `**{…}` surely pass in a call, of two under one key both; undefined where they may pass more. */
  unpacked(call: Call, argument: Range): readonly Entry[] | undefined;
  /** For a call of what `functools.partial` gave, that call. */
  partialOf(step: CallStep): CallStep | undefined;
  /** What is surely assigned to an attribute of what a call made before anything else is done with it: `config.r = 8`. */
  settled(call: Call, attribute: string): Assignment | undefined;
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
  callsGiving: () => [],
  callsBetween: () => [],
  written: () => undefined,
  maker: () => undefined,
  onlyMaker: () => undefined,
  surelyBefore: () => false,
  unchanged: () => false,
  assigns: () => false,
  unpacked: () => undefined,
  partialOf: () => undefined,
  settled: () => undefined,
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

function valuesIn(follower: Follower): Values {
  /** What attributes are set of by name, whichever these are. */
  const setInto = lazily(
    () => new Set(follower.callsOf("setattr").flatMap(({ call }) => call.arguments[0]?.value.text ?? [])),
  );

  /** Bindings of a name, and for an attribute those of the names it hangs on. */
  const changesOf = (name: string): readonly Binding[] =>
    name.split(".").flatMap((_, index, parts) => follower.bindingsOf(parts.slice(0, index + 1).join(".")));

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
    receiver === undefined && on === undefined && follower.parametersOf(body)?.has(method) !== true
      ? follower.functionNamed(method)
      : undefined;

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
    const own = follower.functionWith(moment.body);
    const index = own?.parameters.indexOf(name) ?? -1;
    if (own === undefined || index < 0) return undefined;
    const [only, another] = follower.callsOf(own.name).filter((step) => functionOf(step) === own);
    if (only === undefined || another !== undefined) return undefined;
    const changed = follower
      .bindingsOf(name)
      .some(
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
    const written = follower.callAt(range);
    if (written !== undefined) return given(written, depth + 1);
    return /^[\w.]+$/.test(text) ? maker(text, only, depth + 1) : undefined;
  };

  const reaching = (name: string, moment: Moment): Binding | undefined => {
    const known = follower.bindingsOf(name);
    const own = known.filter(({ body }) => body === moment.body);
    if (own.length === 0) {
      const [only] = known;
      if (known.length !== 1 || only === undefined || only.suites.length > 0) return undefined;
      // what an object holds: bound once in all of the file, by a method of the same class
      if (name.startsWith("self.")) {
        const owner = follower.ownerOf(only.body);
        return owner !== undefined && follower.ownerOf(moment.body) === owner ? only : undefined;
      }
      // a constant of the file: bound once, at its top level, and hidden by no parameter
      const hidden = follower.parametersOf(moment.body)?.has(name.split(".")[0] ?? "") === true;
      return only.body === 0 && !hidden && !name.includes(".") ? only : undefined;
    }
    const last = own.findLast(({ order }) => order < moment.order);
    return last !== undefined && surelyBefore(last, moment) && unchanged(name, last, moment)
      ? last
      : undefined;
  };

  /** What the dict of a name surely holds: as it was bound, with the entries that were set since. */
  const held = (name: string, moment: Moment, depth: number): readonly Entry[] | undefined => {
    const bound = reaching(name, moment);
    if (bound?.assigned === undefined || depth > maximumDepth || !isOnlyUnpacked(name, follower.text()))
      return undefined;
    const found = [...(bound.assigned.entries((inner) => held(inner, bound, depth + 1)) ?? [undefined])];
    for (const change of follower.entriesOf(name)) {
      const { body, order, assigned } = change;
      if (body !== moment.body || body !== bound.body) {
        const isOther = follower.bindingsOf(name).some((each) => each.body === body);
        if (!isOther || body === bound.body) return undefined;
      } else if (order < moment.order) {
        if (order < bound.order) continue;
        if (assigned === undefined || !surelyBefore(change, moment)) return undefined;
        found.push({ key: change.name.slice(name.length + 1, -1), value: assigned.fact().value });
      } else if (returns(change, bound, moment)) return undefined;
    }
    const known = found.filter((entry) => entry !== undefined);
    return known.length === found.length ? known : undefined;
  };

  const partialOf = (step: CallStep): CallStep | undefined => {
    if (step.receiver !== undefined || step.on !== undefined) return undefined;
    const made = maker(step.method, step, 0);
    return made?.qualified === "functools.partial" ? made : undefined;
  };

  return {
    unpacked(call, argument) {
      const step = follower.callAt(call.range);
      if (step === undefined) return undefined;
      if (argument.from !== call.name.from) return step.entries(argument, (name) => held(name, step, 0));
      const partial = partialOf(step);
      return partial && follower.callAt(partial.call.range)?.allEntries((name) => held(name, partial, 0));
    },
    partialOf,
    settled(call, attribute) {
      const [step, name] = [follower.callAt(call.range), call.assignedTo];
      if (step === undefined || name === undefined) return undefined;
      const [only, another] = follower.bindingsOf(`${name}.${attribute}`);
      if (only?.assigned === undefined || another) return undefined;
      const isNext =
        surelyBefore(step, only) && opens(only.suites, step.suites) && maker(name, only, 0) === step;
      const { order, body, suites, assigned } = only;
      const found = { receiver: name, order, body, suites, ...assigned.fact() };
      const between = follower.text().slice(call.range.to, found.range.from);
      const mention = new RegExp(String.raw`\b${name.replaceAll(".", String.raw`\.`)}\b(?!\.\w+\s*=(?!=))`);
      return isNext && !setInto().has(name) && !mention.test(between) ? found : undefined;
    },
    get calls() {
      return follower.calls();
    },
    callsTo: (names) => follower.callsTo(names),
    callsGiving: (keyword) => follower.callsGiving(keyword),
    callsBetween: (earlier, later) => follower.callsBetween(earlier, later),
    written: (range) => {
      const step = follower.callAt(range);
      return step && given(step, 0);
    },
    maker: (name, moment) => maker(name, moment, 0),
    onlyMaker(name) {
      const [only, another] = follower.bindingsOf(name);
      if (only === undefined || another !== undefined || only.part !== undefined) return undefined;
      if (typeof only.value !== "object") return undefined;
      return follower.hasParameter(name) ? undefined : only.value;
    },
    surelyBefore,
    unchanged,
    assigns: (path) =>
      follower.bindingsOf(path).length > 0 ||
      setInto().has(path.slice(0, Math.max(0, path.lastIndexOf(".")))),
    assignmentsTo: (attribute) =>
      follower
        .assigned()
        .flatMap(({ name, assigned, order, body, suites }) =>
          assigned !== undefined && name.endsWith(`.${attribute}`)
            ? [{ receiver: name.slice(0, -attribute.length - 1), order, body, suites, ...assigned.fact() }]
            : [],
        ),
  };
}
