/** Numbers as people read them. */

/** 1771776 → "1,771,776". By hand: the first use of `Intl` in a process takes longer than a whole hover. */
export const count = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");

/** Part of a whole in per cent with two leading digits: "1.4 %", "12 %", "0.034 %". */
export function share(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  if (percent === 0 || percent >= 10) return `${Math.round(percent)} %`;
  return `${Number(percent.toPrecision(2))} %`;
}

/** A factor with at most four leading digits: 0.125, 1.414, 2. */
export const factor = (value: number): string => String(Number(value.toPrecision(4)));
