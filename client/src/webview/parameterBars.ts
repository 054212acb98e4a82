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
const [names, bars, figures, line, top] = [235, 400, 90, 22, 24] as const;

/** In the order given; methods whose count is not known are left out. */
export function parameterBars(choices: readonly AdapterChoice[], place: string): SVGElement | undefined {
  const known = choices.flatMap(({ name, trainable, disabled }) =>
    trainable === undefined || trainable === 0 ? [] : [{ name, trainable, disabled }],
  );
  if (known.length === 0) return undefined;
  const scale = logScale(known.map(({ trainable }) => trainable));
  const height = top + known.length * line + 4;
  const x = (value: number): number => names + scale.at(value) * bars;
  const axis = scale.ticks.flatMap((tick) => [
    drawn("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top - 4, y2: height }),
    drawn("text", { class: "tick", x: x(tick), y: top - 10, "text-anchor": "middle" }, shortNumber(tick)),
  ]);
  const rows = known.map(({ name, trainable, disabled }, index) => {
    const y = top + index * line;
    return drawn(
      "g",
      { class: disabled === undefined ? "bar" : "bar off" },
      drawn("title", {}, `${name}: ${count(trainable)} trainable parameters`),
      drawn("text", { x: names - 10, y: y + 15, "text-anchor": "end" }, shortened(name)),
      drawn("rect", { x: names, y: y + 3, width: Math.max(2, x(trainable) - names), height: line - 7 }),
      drawn("text", { class: "figure", x: x(trainable) + 6, y: y + 15 }, count(trainable)),
    );
  });
  const said = known.map(({ name, trainable }) => `${name} ${count(trainable)}`).join(", ");
  return drawn(
    "svg",
    {
      viewBox: `0 0 ${names + bars + figures} ${height}`,
      role: "img",
      "aria-label": `Trainable parameters at ${place}, on a logarithmic axis: ${said}`,
    },
    ...axis,
    ...rows,
  );
}

const shortened = (name: string): string => (name.length > 36 ? `${name.slice(0, 35)}…` : name);
