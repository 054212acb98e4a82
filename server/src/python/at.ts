/** What stands at an offset: the questions that hovers, completions and actions begin with. */
import { around, membersAround, modulesAround } from "./local";
import type { Argument, Call, Layer, ModuleClass, Prose, PythonFacts, Range, Reference } from "./facts";

function covers({ from, to }: Range, offset: number): boolean {
  return from <= offset && offset <= to;
}

export interface CallAt {
  readonly call: Call;
  /** The argument the offset is in or at the end of. */
  readonly argument?: Argument;
  /** Its position in `call.arguments`; where a new argument would go when there is none. */
  readonly index: number;
}

/** The innermost call whose callee or argument list covers the offset. */
export function callAt(facts: PythonFacts, offset: number): CallAt | undefined {
  let found: Call | undefined;
  for (const call of [...around(facts, "calls", offset), ...membersAround(facts, offset).calls]) {
    if (call.range.from > offset) continue;
    const inside = call.closed ? offset < call.range.to : offset <= call.range.to;
    if (
      inside &&
      (!found || call.range.to - call.range.from <= found.range.to - found.range.from || !found.closed)
    )
      found = call;
  }
  if (!found) return undefined;
  const index = found.arguments.findIndex((argument) => covers(argument.range, offset));
  const argument = found.arguments[index];
  if (argument) return { call: found, argument, index };
  const before = found.arguments.filter((each) => each.range.to < offset).length;
  return { call: found, index: before };
}

/** The use of an imported name, or of an attribute of what a call gave, whose token touches the offset. */
export function referenceAt(facts: PythonFacts, offset: number): Reference | undefined {
  return (
    touching(around(facts, "references", offset), (reference) => reference.range, offset) ??
    membersAround(facts, offset).reference
  );
}

/** The comment, docstring or string that touches the offset. */
export function proseAt(facts: PythonFacts, offset: number): Prose | undefined {
  return touching(around(facts, "prose", offset), (prose) => prose.range, offset);
}

/** The element under the offset, else the one that ends there; `items` are in source order and do not overlap. */
function touching<T>(items: readonly T[], rangeOf: (item: T) => Range, offset: number): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item && rangeOf(item).to < offset) low = middle + 1;
    else high = middle;
  }
  const item = items[low];
  const next = items[low + 1];
  if (next && rangeOf(next).from === offset) return next;
  return item && covers(rangeOf(item), offset) ? item : undefined;
}

/** The innermost module class around the offset. */
export function classAt(facts: PythonFacts, offset: number): ModuleClass | undefined {
  let found: ModuleClass | undefined;
  for (const module of modulesAround(facts, offset)) {
    if (
      module.range.from <= offset &&
      offset <= module.reach &&
      (!found || module.range.from >= found.range.from)
    )
      found = module;
  }
  return found;
}

/** The innermost layer of the module class whose name or constructor covers the offset. */
export function layerAt(
  facts: PythonFacts,
  offset: number,
): { module: ModuleClass; layer: Layer } | undefined {
  let found: { module: ModuleClass; layer: Layer } | undefined;
  for (const module of modulesAround(facts, offset)) {
    if (!covers(module.range, offset)) continue;
    for (const layer of module.layers) {
      const onName = layer.name !== undefined && covers(layer.name, offset);
      if (!onName && !covers(layer.call.range, offset)) continue;
      const size = layer.call.range.to - layer.call.range.from;
      if (!found || size < found.layer.call.range.to - found.layer.call.range.from) found = { module, layer };
    }
  }
  return found;
}
