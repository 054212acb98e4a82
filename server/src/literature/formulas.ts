/** Typeset formulas as the build stores them: each outline of a glyph once for all, and drawings that refer to them. */
import type { Formulas } from "./model";

/** dist/formulas.json */
export interface StoredFormulas {
  /** Outline of each glyph, by name. */
  readonly glyphs: Readonly<Record<string, string>>;
  /** Drawing of each method's formula, with `<use … href="#name"/>` for its glyphs. */
  readonly drawings: Readonly<Record<string, string>>;
}

/** Formulas at hand, or how to get one: they are needed late if at all. */
export type FormulaSource = Formulas | ((method: string) => Formulas[string] | undefined);

export function formulaOf(source: FormulaSource, method: string): Formulas[string] | undefined {
  if (typeof source === "function") return source(method);
  return Object.hasOwn(source, method) ? source[method] : undefined;
}

/** The drawing as a picture of its own. */
export function selfContained(drawing: string, glyphs: StoredFormulas["glyphs"]): string {
  const names = [...drawing.matchAll(/ href="#([^"]*)"/g)].map((match) => match[1] ?? "");
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) < index));
  const outline = (name: string): string => (Object.hasOwn(glyphs, name) ? (glyphs[name] ?? "") : "");
  const defs = [...repeated].map((name) => `<path id="${name}" d="${outline(name)}"/>`).join("");
  return drawing
    .replace(/<use([^>]*) href="#([^"]*)"\/>/g, (use, place: string, name: string) =>
      repeated.has(name) ? use : `<path${place} d="${outline(name)}"/>`,
    )
    .replace(/^<svg[^>]*>/, (opening) => (defs === "" ? opening : `${opening}<defs>${defs}</defs>`));
}
