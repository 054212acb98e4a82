/** A logarithmic axis that begins at a power of ten. */

export interface LogScale {
  /** 0 at the start of the axis, 1 at its end. */
  readonly at: (value: number) => number;
  /** Powers of ten within the axis. */
  readonly ticks: readonly number[];
}

/** An axis for values above zero: from the power of ten below the smallest to the one above the largest. */
export function logScale(values: readonly number[]): LogScale {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const first = logs.length === 0 ? 0 : Math.floor(Math.min(...logs));
  const last = logs.length === 0 ? 1 : Math.max(first + 1, Math.ceil(Math.max(...logs)));
  return {
    at: (value) => (value <= 0 ? 0 : Math.max(0, (Math.log10(value) - first) / (last - first))),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)),
  };
}

/** 1, 10, 100, 1 k, 10 k, 1 M */
export function shortNumber(value: number): string {
  const units = [
    [1e9, " B"],
    [1e6, " M"],
    [1e3, " k"],
  ] as const;
  const [size, unit] = units.find(([each]) => value >= each) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${unit}`;
}
