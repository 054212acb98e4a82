/** Next-token logits steered by two small models, handed to the generating function as new, optional parameters. */
import type { Edit } from "../edits";
import type { GenerationPlace } from "../place";
import type { CallSite } from "./callSite";
import { addParameters } from "./parameters";
import { below } from "./templates";

export function adaptGenerationStep(at: CallSite, { step }: GenerationPlace): Edit[] {
  const { file, site } = at;
  const select = typeof step.select === "number" ? `[${step.select}]` : (step.select ?? "");
  const names = { logits: step.logits, input: step.input, model: step.model, select };
  return [
    ...(site.parameters === undefined ? [] : [addParameters(file.text, step.function, site.parameters)]),
    ...below(at, step.statement.from, step.statement.to, site.after, names),
  ];
}
