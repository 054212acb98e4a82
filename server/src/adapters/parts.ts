/** The layers that PyTorch's own transformers build inside: no source that is read says them. */
import type { Layer } from "../python/facts";
import { roleOf } from "../python/layers/layerTypes";
import table from "./parts.json";

interface Part {
  readonly type: string;
  /** Its sizes by the arguments of the whole. */
  readonly sizes: Readonly<Record<string, string>>;
  /** The argument that says how many there are. */
  readonly times?: string;
}

interface Whole {
  readonly defaults: Readonly<Record<string, number>>;
  readonly parts: Readonly<Record<string, Part>>;
}

const wholes = new Map<string, Whole>(Object.entries(table));

/** Whether a layer's own parts are known. */
export const hasParts = ({ type }: Layer): boolean => wholes.has(type);

/** A layer's innermost parts by their paths, `encoder.layers.*.self_attn`; the layer itself where it is no such whole. */
export function partsOf(layer: Layer): Layer[] {
  const whole = wholes.get(layer.type);
  if (whole === undefined) return [layer];
  const { path, name: token, form, call, count, sizes: given, arguments: written } = layer;
  const size = (name: string): Layer["sizes"][string] | undefined =>
    name in written ? given[name] : whole.defaults[name];
  return Object.entries(whole.parts).flatMap(([name, { type, sizes, times }]) => {
    const number = times === undefined ? 1 : size(times);
    const known = Object.entries(sizes).flatMap(([own, from]) => {
      const value = size(from);
      return value === undefined ? [] : [[own, value] as const];
    });
    const each = count ?? (path.includes("*") ? undefined : 1);
    return partsOf({
      path: `${path}.${name}`,
      form,
      call,
      ...(token !== undefined && { name: token }),
      type,
      role: roleOf(type, false) ?? "module",
      sizes: Object.fromEntries(known),
      arguments: Object.fromEntries(
        Object.entries(sizes).flatMap(([own, from]) => {
          const expression = written[from];
          return expression === undefined ? [] : [[own, expression] as const];
        }),
      ),
      ...(each === undefined || typeof number !== "number" ? {} : { count: each * number }),
    });
  });
}
