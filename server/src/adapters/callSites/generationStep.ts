/** Next-token logits steered by two small models, handed to the generating function as new, optional parameters. */
import { type Edit, insertion } from "../edits";
import type { GenerationPlace } from "../places";
import type { CallSite } from "./callSite";
import { below } from "./templates";

export function adaptGenerationStep(at: CallSite, { step }: GenerationPlace): Edit[] {
  const { file, site } = at;
  const select = typeof step.select === "number" ? `[${step.select}]` : (step.select ?? "");
  const names = { logits: step.logits, input: step.input, model: step.model, select };
  return [
    ...(site.parameters === undefined
      ? []
      : [
          addParameters(
            file.text,
            step.function.parametersEnd,
            step.function.parameters.length,
            site.parameters,
          ),
        ]),
    ...below(at, step.statement.from, step.statement.to, site.after, names),
  ];
}

/** `, expert=None` at the end of a parameter list, trailing comma or not. */
function addParameters(text: string, end: number, present: number, parameters: string): Edit {
  const before = text.slice(0, end).trimEnd();
  const separator = present === 0 ? "" : before.endsWith(",") ? " " : ", ";
  return insertion(before.length, separator, parameters);
}
