/** Hover over a class or function that a method brought into the file, and over its arguments. */
import type { Method } from "../../literature/model";
import { code, dotted, escape, paragraphs, prose } from "../../render/markdown";
import { paperLine } from "../../render/paper";
import type { FeatureContext } from "../context";
import { actionLinks } from "./links";
import {
  fidelityLine,
  hyperparameterList,
  methodFormula,
  properties,
  pythonLiteral,
  sourceText,
} from "./literature";

export function methodHover(context: FeatureContext, method: Method, name: string): string {
  const paper = context.library.paper(method.paper);
  return paragraphs(
    dotted(`**${escape(name)}**`, escape(method.name)),
    prose(method.summary),
    methodFormula(context, method),
    hyperparameterList(context, method),
    properties(method),
    paper && paperLine(paper),
    fidelityLine(method),
    actionLinks(context, paper, method),
  );
}

/** `rank=8` at the construction of an inserted class. */
export function hyperparameterHover(
  context: FeatureContext,
  method: Method,
  name: string,
): string | undefined {
  const hyperparameter = method.hyperparameters.find((each) => each.name === name);
  if (hyperparameter === undefined) return undefined;
  const { type, default: preset, meaning, typical, source } = hyperparameter;
  const from = source === undefined ? "" : ` (${sourceText(context, source)})`;
  return paragraphs(
    dotted(
      `**${escape(name)}**`,
      `${type}, default ${code(pythonLiteral(preset, type))}`,
      escape(method.name),
    ),
    prose(meaning),
    typical === undefined
      ? from === ""
        ? undefined
        : `Source: ${from.slice(2, -1)}`
      : `Typical: ${escape(typical)}${from}`,
  );
}
