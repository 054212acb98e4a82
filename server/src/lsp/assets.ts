/** The compiled corpus as text, made into values. The build validated it field by field; here it only has to be whole. */
import * as v from "valibot";
import { formulaOf, type FormulaSource, selfContained, type StoredFormulas } from "../literature/formulas";
import type { Corpus } from "../literature/model";
import { reasonOf } from "./guard";

const anObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const corpus = v.custom<Corpus>(
  (value) =>
    anObject(value) &&
    ["papers", "methods", "shared", "symbols"].every((part) => Array.isArray(Reflect.get(value, part))),
);
const formulas = v.custom<StoredFormulas>(
  (value) => anObject(value) && ["glyphs", "drawings"].every((part) => anObject(Reflect.get(value, part))),
);

export function parseCorpus(text: string): Corpus {
  return parse("corpus.json", corpus, text);
}

export function parseFormulas(text: string): FormulaSource {
  const { glyphs, drawings } = parse("formulas.json", formulas, text);
  return (method) => {
    const drawing = Object.hasOwn(drawings, method) ? drawings[method] : undefined;
    return drawing === undefined ? undefined : { svg: selfContained(drawing, glyphs) };
  };
}

/** Read at the first formula that is shown; where they are damaged, LaTeX is shown instead and `log` says why. */
export function lazyFormulas(text: string, log: (reason: string) => void): FormulaSource {
  let waiting: string | undefined = text;
  let found: FormulaSource = {};
  return (method) => {
    if (waiting !== undefined) {
      try {
        found = parseFormulas(waiting);
      } catch (error) {
        log(reasonOf(error));
      }
      waiting = undefined;
    }
    return formulaOf(found, method);
  };
}

function parse<T>(name: string, schema: v.GenericSchema<T>, text: string): T {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch {
    throw new Error(`${name} is damaged; install Litlens anew.`);
  }
}
