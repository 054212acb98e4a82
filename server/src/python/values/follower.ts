/**
 * The orders of a file's blocks, made one of the file. Blocks keep theirs when the file is edited elsewhere, with an
 * index; what counts in the file is made of them when it is asked for.
 */
import { group } from "../../group";
import { lazily } from "../../lazily";
import { callFact } from "../names/calls";
import type { Call, Range } from "../facts";
import type { Scope } from "../names/scope";
import type { Placed } from "../reading";
import { moveCall } from "../shift";
import type { ClassStmt } from "../tree/ast";
import {
  type Assigned,
  type Bound,
  type Called,
  type Moment,
  type Order,
  orderOf,
  type Result,
  type Source,
  type Suite,
} from "./order";
import {
  entriesOf,
  entriesOfArguments,
  type Entry as DictEntry,
  expressionAt,
  moved,
  type Standing,
} from "./entries";
import type { Assignment, CallStep } from "./values";

export interface Binding extends Moment {
  readonly name: string;
  readonly value: Source<CallStep> | undefined;
  readonly part: number | undefined;
  readonly assigned: Written | undefined;
}

/** What the dict of a name holds. */
type Named = (name: string) => readonly DictEntry[] | undefined;

/** What an assignment gives, read when asked for. */
interface Written {
  readonly fact: () => Pick<Assignment, "range" | "value">;
  readonly entries: (named: Named) => readonly DictEntry[] | undefined;
}

/** A function of the file's top level, the only definition of its name. */
export interface FunctionBody {
  readonly name: string;
  readonly body: number;
  readonly parameters: readonly string[];
  readonly result?: Result<CallStep>;
}

/** What a block has under a name; belongs to the block. */
interface Index {
  /** Calls of dotted paths, by these: `peft.get_peft_model`. */
  readonly paths: ReadonlyMap<string, readonly Called[]>;
  readonly names: ReadonlyMap<string, readonly Bound[]>;
  readonly places: ReadonlyMap<number, readonly Called[]>;
  /** Calls by the names of arguments that they give. */
  readonly keywords: ReadonlyMap<string, readonly Called[]>;
  readonly assigned: readonly Bound[];
  /** Those of `options["r"] = 8`, by the name of the dict. */
  readonly entries: ReadonlyMap<string, readonly Bound[]>;
}

const indexes = new WeakMap<Order, Index>();

function indexOf(order: Order): Index {
  const known = indexes.get(order);
  if (known !== undefined) return known;
  const { calls, bindings } = order;
  const plain = calls.filter(({ on }) => on === undefined);
  const index = {
    paths: group(plain, ({ path }) => path.join(".")),
    names: group(bindings, ({ name }) => name),
    places: group(calls, ({ expression }) => expression.from),
    keywords: byKeyword(calls),
    assigned: bindings.filter(({ assigned }) => assigned !== undefined),
    entries: group(
      bindings.filter(({ name }) => name.includes("[")),
      ({ name }) => name.slice(0, name.indexOf("[")),
    ),
  };
  indexes.set(order, index);
  return index;
}

function byKeyword(calls: readonly Called[]): Map<string, Called[]> {
  const found = new Map<string, Called[]>();
  for (const called of calls)
    for (const { keyword } of called.expression.arguments)
      if (keyword !== undefined) found.set(keyword.name, [...(found.get(keyword.name) ?? []), called]);
  return found;
}

/** A block in its file: what was counted before it. */
interface Entry {
  readonly placed: Placed;
  readonly order: Order;
  readonly moments: number;
  readonly bodies: number;
  /** What was made of it for this file: another may have the same block. */
  readonly steps: Map<Called, Step>;
  readonly bindings: Map<Bound, Binding>;
}

export class Follower {
  private readonly entries: Entry[] = [];
  private readonly named = new Map<string, readonly Binding[]>();
  private readonly functions = new Map<string, FunctionBody | undefined>();
  private readonly resolved = new Map<string, string | undefined>();

  constructor(
    private readonly placed: readonly Placed[],
    private readonly scope: Scope,
  ) {}

  /** The text of the file. */
  readonly text = lazily(() => this.placed.map(({ block }) => block.text).join(""));

  /** Follows what has not been followed yet, one block a step. */
  *steps(): Generator<undefined, void> {
    while (this.entries.length < this.placed.length) {
      this.follow(this.placed[this.entries.length]);
      yield;
    }
  }

  private follow(placed: Placed | undefined): void {
    if (placed === undefined) return;
    const { block } = placed;
    const order = (block.memory.order ??= orderOf(block.statements));
    const last = this.entries.at(-1);
    const moments = (last?.moments ?? 0) + (last?.order.moments ?? 0);
    const bodies = (last?.bodies ?? 0) + (last?.order.bodies ?? 0);
    this.entries.push({ placed, order, moments, bodies, steps: new Map(), bindings: new Map() });
  }

  readonly calls = lazily((): readonly CallStep[] =>
    this.entries.flatMap((entry) => entry.order.calls.map((called) => this.step(called, entry))),
  );

  /** By qualified name what the blocks call by it. */
  private readonly qualifiedCalls = lazily(() => {
    const found = new Map<string, { readonly entry: Entry; readonly calls: readonly Called[] }[]>();
    for (const entry of this.entries)
      for (const [path, calls] of indexOf(entry.order).paths) {
        const qualified = calls[0] && this.qualified(path, calls[0]);
        if (qualified === undefined) continue;
        const known = found.get(qualified);
        if (known === undefined) found.set(qualified, [{ entry, calls }]);
        else known.push({ entry, calls });
      }
    return found;
  });

  /** The calls of what goes by one of these qualified names, in their order. */
  callsTo(names: readonly string[]): CallStep[] {
    return [...new Set(names)]
      .flatMap((name) => this.qualifiedCalls().get(name) ?? [])
      .flatMap(({ entry, calls }) => calls.map((called) => this.step(called, entry)))
      .sort((a, b) => a.order - b.order);
  }

  /** The calls that are written as a path. */
  callsOf(path: string): CallStep[] {
    return this.stepsOf(({ paths }) => paths.get(path));
  }

  /** The calls that give an argument by name. */
  callsGiving(keyword: string): CallStep[] {
    return this.stepsOf(({ keywords }) => keywords.get(keyword));
  }

  private stepsOf(calls: (index: Index) => readonly Called[] | undefined): CallStep[] {
    return this.entries.flatMap((entry) =>
      (calls(indexOf(entry.order)) ?? []).map((called) => this.step(called, entry)),
    );
  }

  /** The calls of a body after one of its moments and before another. */
  callsBetween({ order: after, body }: Moment, { order: before }: Moment): CallStep[] {
    return this.entries
      .filter(({ moments, order }) => moments < before && moments + order.moments > after)
      .flatMap((entry) => entry.order.calls.map((called) => this.step(called, entry)))
      .filter((step) => step.body === body && after < step.order && step.order < before);
  }

  callAt({ from, to }: Range): Step | undefined {
    const entry = this.entries.findLast(({ placed }) => placed.from <= from);
    const start = from - (entry?.placed.from ?? 0);
    const called =
      entry &&
      indexOf(entry.order)
        .places.get(start)
        ?.find(({ expression }) => expression.to - expression.from === to - from);
    return called && this.step(called, entry);
  }

  /** What binds a name, in the order of the file. */
  bindingsOf(name: string): readonly Binding[] {
    const known = this.named.get(name);
    if (known !== undefined) return known;
    const found = this.entries.flatMap((entry) =>
      (indexOf(entry.order).names.get(name) ?? []).map((each) => this.binding(each, entry)),
    );
    this.named.set(name, found);
    return found;
  }

  /** What sets entries of the dict that a name holds: `options["r"] = 8`. */
  entriesOf(name: string): Binding[] {
    return this.entries.flatMap((entry) =>
      (indexOf(entry.order).entries.get(name) ?? []).map((each) => this.binding(each, entry)),
    );
  }

  /** What sets an attribute by itself: `config.r = 8`. */
  readonly assigned = lazily((): readonly Binding[] =>
    this.entries.flatMap((entry) => indexOf(entry.order).assigned.map((each) => this.binding(each, entry))),
  );

  private around(body: number): Entry | undefined {
    return body === 0 ? undefined : this.entries.findLast(({ bodies }) => bodies < body);
  }

  /** Names of a function's parameters; none for the top level. */
  parametersOf(body: number): ReadonlySet<string> | undefined {
    const entry = this.around(body);
    return entry?.order.parameters.get(body - entry.bodies);
  }

  /** Whether any function has a parameter of this name. */
  hasParameter(name: string): boolean {
    return this.entries.some(({ order }) => [...order.parameters.values()].some((names) => names.has(name)));
  }

  /** The class that the function with this body is a method of. */
  ownerOf(body: number): ClassStmt | undefined {
    const entry = this.around(body);
    return entry?.order.owners.get(body - entry.bodies);
  }

  functionNamed(name: string): FunctionBody | undefined {
    if (!this.functions.has(name)) this.functions.set(name, this.findFunction(name));
    return this.functions.get(name);
  }

  /** The function of the top level with this body. */
  functionWith(body: number): FunctionBody | undefined {
    const entry = this.around(body);
    const found = entry?.order.functions.find((each) => each.body === body - entry.bodies);
    const known = found && this.functionNamed(found.statement.name);
    return known?.body === body ? known : undefined;
  }

  private findFunction(name: string): FunctionBody | undefined {
    const origin = this.scope.origin(name);
    if (origin?.kind !== "function") return undefined;
    for (const entry of this.entries) {
      const found = entry.order.functions.find(({ statement }) => statement === origin.node);
      if (found === undefined) continue;
      const { statement, body, result } = found;
      return {
        name,
        body: entry.bodies + body,
        parameters: statement.parameters.map((each) => each.name),
        ...(result && {
          result: {
            ...this.moment(result, entry),
            parts: result.parts.map((part) => this.source(part, entry)),
          },
        }),
      };
    }
    return undefined;
  }

  private moment({ order, body, suites }: Moment, { moments, bodies }: Entry): Moment {
    return { order: moments + order, body: body === 0 ? 0 : bodies + body, suites };
  }

  private source(value: Source<Called> | undefined, entry: Entry): Source<CallStep> | undefined {
    return typeof value === "object" ? this.step(value, entry) : value;
  }

  private step(called: Called, entry: Entry): Step {
    const known = entry.steps.get(called);
    if (known !== undefined) return known;
    const on = called.on && this.step(called.on, entry);
    const { order, body } = this.moment(called, entry);
    const qualified =
      on === undefined ? () => this.qualified(called.path.join("."), called) : () => undefined;
    const step = new Step(order, body, called, on, entry.placed, this.scope, qualified);
    entry.steps.set(called, step);
    return step;
  }

  /** What a path of the file's calls stands for. */
  private qualified(written: string, { path }: Called): string | undefined {
    if (!this.resolved.has(written)) this.resolved.set(written, this.scope.resolveParts(path));
    return this.resolved.get(written);
  }

  private binding(each: Bound, entry: Entry): Binding {
    const known = entry.bindings.get(each);
    if (known !== undefined) return known;
    const { name, value, part, assigned } = each;
    const binding = {
      ...this.moment(each, entry),
      name,
      value: this.source(value, entry),
      part,
      assigned: assigned && writtenBy(assigned, entry.placed, this.scope),
    };
    entry.bindings.set(each, binding);
    return binding;
  }
}

function writtenBy({ value, statement, ...around }: Assigned, placed: Placed, scope: Scope): Written {
  const at: Standing = { ...around, placed, scope };
  return {
    fact: () => ({ range: moved(statement, placed.from), value: expressionAt(value, at) }),
    entries: (names) => entriesOf(value, at, names),
  };
}

/** A call of a block as a step of the file; what is known of its arguments is worked out when first asked for. */
export class Step implements CallStep {
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
    private readonly resolve: () => string | undefined,
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

  /** What an argument that is unpacked passes. */
  entries(argument: Range, named: Named): readonly DictEntry[] | undefined {
    const { expression, owner, function: within } = this.called;
    const { placed, scope } = this;
    const found = expression.arguments.find(({ from }) => placed.from + from === argument.from);
    return found && entriesOf(found.value, { placed, scope, owner, function: within }, named);
  }

  /** What a call of what this `functools.partial` gives is given beside its own arguments. */
  allEntries(named: Named): readonly DictEntry[] | undefined {
    const { expression, owner, function: within } = this.called;
    const { placed, scope } = this;
    const given = expression.arguments.slice(1);
    return entriesOfArguments(given, { placed, scope, owner, function: within }, named);
  }

  get qualified(): string | undefined {
    return this.resolve();
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
