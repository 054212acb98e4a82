/** Next-token logits steered by two small models, handed to the generating function as new, optional parameters. */
import { type Edit, insertion } from "../edits";
import type { GenerationPlace } from "../places";
import { joined, writtenArguments } from "./arguments";
import { type CallSite, indentationAt, lineEnd } from "./callSite";

export function adaptGenerationStep(at: CallSite, { step }: GenerationPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const indentation = indentationAt(file.text, step.statement.from);
  const { indent } = file.facts.layout;
  const select = typeof step.select === "number" ? `[${step.select}]` : (step.select ?? "");
  const { parametersEnd, parameters } = step.function;
  const before = file.text.slice(0, parametersEnd).trimEnd();
  const separator = parameters.length === 0 || before.endsWith(",") ? "" : ", ";
  const logits = (model: string): string => `${model}(${step.input})${select}`;
  return [
    insertion(before.length, `${separator}${before.endsWith(",") ? " " : ""}expert=None, antiexpert=None`),
    insertion(
      lineEnd(file.text, step.statement.to),
      `\n${indentation}if expert is not None and antiexpert is not None:`,
      `\n${indentation}${indent}${step.logits} = ${symbol}(`,
      ...joined(
        [
          [step.logits],
          [logits("expert")],
          [logits("antiexpert")],
          ...writtenArguments(method, site, options, file.facts),
        ],
        ", ",
      ),
      ")",
    ),
  ];
}
