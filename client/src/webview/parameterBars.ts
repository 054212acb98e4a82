/** The picture of the comparison: trainable parameters by method, on a logarithmic axis. */
import type { AdapterChoice } from "../../../server/src/protocol";
import { count } from "../adapterFacts";
import { logScale, shortNumber } from "./logScale";

const namespace = "http://www.w3.org/2000/svg";

function drawn(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Node | string)[]
): SVGElement {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** Pixels. */
const [figures, line, top, letter] = [80, 22, 24, 6.6] as const;

/** In the order given, as wide as there is room for; methods whose count is not known are left out. */
export function parameterBars(
  choices: readonly AdapterChoice[],
  place: string,
  width: number,
): SVGElement | undefined {
  const known = choices.flatMap(({ name, trainable, disabled }) =>
    trainable === undefined || trainable === 0 ? [] : [{ name, trainable, disabled }],
  );
  if (known.length === 0) return undefined;
  const longest = Math.max(...known.map(({ name }) => name.length));
  const names = Math.min(longest * letter + 14, width * 0.4);
  const bars = Math.max(40, width - names - figures);
  const letters = Math.floor((names - 10) / letter);
  const scale = logScale(known.map(({ trainable }) => trainable));
  const height = top + known.length * line + 4;
  const x = (value: number): number => names + scale.at(value) * bars;
  // Labels of a narrow axis would run into each other
  const step = Math.ceil(((scale.ticks.length - 1) * 45) / bars);
  const axis = scale.ticks.flatMap((tick, index) => [
    drawn("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top - 4, y2: height }),
    ...(index % step === 0
      ? [
          drawn(
            "text",
            { class: "tick", x: x(tick), y: top - 10, "text-anchor": "middle" },
            shortNumber(tick),
          ),
        ]
      : []),
  ]);
  const rows = known.map(({ name, trainable, disabled }, index) => {
    const y = top + index * line;
    return drawn(
      "g",
      { class: disabled === undefined ? "bar" : "bar off" },
      drawn("title", {}, `${name}: ${count(trainable)} trainable parameters`),
      drawn("text", { x: names - 10, y: y + 15, "text-anchor": "end" }, shortened(name, letters)),
      drawn("rect", { x: names, y: y + 3, width: Math.max(2, x(trainable) - names), height: line - 7 }),
      drawn("text", { class: "figure", x: x(trainable) + 6, y: y + 15 }, count(trainable)),
    );
  });
  const sorted = known.toSorted((one, other) => one.trainable - other.trainable);
  const [least, most] = [sorted[0], sorted.at(-1)].map((each) =>
    each === undefined ? "" : `${each.name} with ${count(each.trainable)}`,
  );
  const said = `Trainable parameters at ${place} as bars on a logarithmic axis, from ${least} to ${most}.`;
  return drawn(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `${said} The table below has all figures.`,
    },
    ...axis,
    ...rows,
  );
}

const shortened = (name: string, letters: number): string =>
  name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
