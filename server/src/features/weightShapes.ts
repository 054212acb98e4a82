/** Shapes of the weights of a class as far as its source says them. */
import type { Layer } from "../python/facts";
import type { Proportion } from "../python/formulas/proportions";

interface Dimension {
  readonly text: string;
  /** NaN where it is not certain. */
  readonly value: number;
}

interface Shape {
  /** Number of dimensions, where it is certain. */
  readonly rank?: number;
  /** (out, in) */
  readonly dimensions: readonly Dimension[];
}

const made = /(?:empty|zeros|ones|randn|rand|full|Tensor|normal|eye)\s*\(/;

/** Of a linear layer (out, in); of a parameter the sizes of the tensor that it is made of. */
export function shapeOf(layer: Layer): Shape | undefined {
  if (layer.role === "linear" || layer.role === "conv") {
    const size = (...names: readonly string[]): Dimension => {
      const name = names.find((each) => each in layer.arguments) ?? "";
      return { text: layer.arguments[name]?.text ?? "", value: Number(layer.sizes[name] ?? NaN) };
    };
    return {
      rank: 2,
      dimensions: [size("out_features", "out_channels"), size("in_features", "in_channels")],
    };
  }
  if (layer.role === "container") return undefined;
  const text = layer.call.arguments[0]?.value.text ?? "";
  const match = made.exec(text);
  if (match === null) return undefined;
  const sizes = argumentsOf(text.slice(match.index + match[0].length)).filter(
    (each) => !/^\w+\s*=/.test(each),
  );
  const [first] = sizes;
  const tuple = /^[([]([\s\S]*)[)\]]$/.exec(first ?? "")?.[1];
  const dimensions = (tuple === undefined ? sizes : argumentsOf(`${tuple})`)).filter((each) => each !== "1");
  // eye(r)
  const [side] = dimensions;
  if (match[0].startsWith("eye") && side !== undefined && dimensions.length === 1) dimensions.push(side);
  const unsure =
    dimensions.some((each) => /^\*|\.shape(?:$|\[[^\]]*:)|\.size\(\)/.test(each)) ||
    (dimensions.length === 1 && /shape|sizes?$/i.test(dimensions[0] ?? ""));
  if (unsure) return { dimensions: [] };
  return {
    rank: dimensions.length,
    dimensions: dimensions.map((each) => ({ text: each, value: Number(each) })),
  };
}

/** The arguments of a call whose opening bracket has just been read. */
function argumentsOf(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of text) {
    if (/[([{]/.test(character)) depth++;
    if (/[)\]}]/.test(character) && --depth < 0) break;
    if (character === "," && depth === 0) {
      found.push(spaced(current));
      current = "";
    } else current += character;
  }
  return [...found, spaced(current)].filter((each) => each !== "");
}

/** As a formatter writes it, so that r*3 and r * 3 are one size. */
const spaced = (size: string): string =>
  size
    .trim()
    .replace(/\s*(\*+|\/+)\s*(?=.)/g, (_, sign: string, at: number) => (at === 0 ? sign : ` ${sign} `));

/** Of a stack of matrices each one; (out, in, height, width) of a convolution's weight. */
const sidesOf = (dimensions: readonly Dimension[]): readonly Dimension[] =>
  dimensions.length === 4 ? dimensions.slice(0, 2) : dimensions.slice(-2);

/** Names that people give to the width of a bottleneck. */
const thinName =
  /(?:^|[._])(?:r|k|rank|\w+_r|\w*rank\w*|\w*lora\w*|network_dim|\w*bottleneck\w*|reduc\w*|down\w*|adapter_\w+|low\w*)$|\/\//i;

/** A width by its name, or so many times one: r * kernel_size. */
const isThinName = (text: string): boolean => text.split(" * ").some((part) => thinName.test(part));

/**
 * Whether the width between `inner` and `outer`, which is applied after it, is much less than the widths around them;
 * undefined where the source does not say the widths.
 */
export function isThin(
  outer: Layer,
  inner: Layer,
  proportion: (text: string) => Proportion | undefined,
): boolean | undefined {
  const [first, second] = [outer, inner].map((layer) => sidesOf(shapeOf(layer)?.dimensions ?? []));
  if (first === undefined || second === undefined) return undefined;
  if (isSmallSquare(first) || isSmallSquare(second)) return true;
  if (first.length < 2 || second.length < 2) return undefined;
  // (out, r) after (r, in); parameters may be stored the other way round, (r, out) after (in, r)
  const ways = [
    { between: [first[1], second[0]], around: [first[0], second[1]] },
    ...(outer.role === "parameter" && inner.role === "parameter"
      ? [{ between: [first[0], second[1]], around: [first[1], second[0]] }]
      : []),
  ].flatMap(({ between: [one, other], around }) => {
    const between = one && other && shared(one, other);
    return between === undefined ? [] : [{ between, around }];
  });
  const named = ways.find(({ between }) => isThinName(between.text));
  if (named !== undefined) return named.around.every((each) => each?.text !== named.between.text);
  const [way] = ways;
  if (way === undefined) return false;
  const { between, around } = way;
  const width = proportion(between.text);
  return around.every((each) => {
    if (between.value * 2 <= (each?.value ?? NaN)) return true;
    const wide = proportion(each?.text ?? "");
    return wide !== undefined && wide.unit === width?.unit && width.factor * 2 <= wide.factor;
  });
}

/** A size that two weights share: the same, or so many of the other's, r * 3 beside r. */
function shared(one: Dimension, other: Dimension): Dimension | undefined {
  if (one.text === other.text || one.value === other.value) return one;
  const [short, long] = one.text.length < other.text.length ? [one, other] : [other, one];
  return long.text.startsWith(`${short.text} * `) || long.text.endsWith(` * ${short.text}`)
    ? short
    : undefined;
}

/** (r, r), between the two factors. */
const isSmallSquare = ([rows, columns]: readonly Dimension[]): boolean =>
  rows !== undefined && rows.text === columns?.text && isThinName(rows.text);
