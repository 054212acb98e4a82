/** Methods that are calls beside the user's own: at the training step, at the loss, once the model is built. */
import { edit, type Edit, insertion } from "../edits";
import type { ModelPlace, TrainingPlace } from "../place";
import { afterInInit, type CallSite } from "./callSite";
import { above, below, fill, indented, type Names } from "./templates";
import { functionAround } from "../built";
import { freeNames, mentions, variablesOf } from "./variables";

export function adaptTraining(call: CallSite, place: TrainingPlace): Edit[] {
  const { site, file } = call;
  const { backward, step: update, loop, outer, forward } = place.step;
  const first = backward ?? update;
  if (first === undefined) return [];
  const local = freeNames(site, file.text, functionAround(file, first.from));
  const at = { ...call, names: new Map([...call.names, ...local]) };
  const names = stepNames(at, place);
  const unnamed = mentions(site, "logits") ? forward?.logits?.unnamed : undefined;
  const { crossEntropy } = forward ?? {};
  return [
    ...above(at, (outer ?? loop ?? first).from, site.setup, names),
    ...(forward === undefined ? [] : above(at, forward.statement.from, site.beforeForward, names)),
    ...(unnamed === undefined ? [] : [edit(unnamed.from, unnamed.to, "logits")]),
    ...(site.replace === undefined || crossEntropy === undefined
      ? []
      : [edit(crossEntropy.call.from, crossEntropy.call.to, ...fill(at, site.replace, names))]),
    ...above(at, first.from, site.before, names),
    ...below(at, first.from, first.to, site.kind === "loss" ? undefined : site.after, names),
    ...(site.kind === "loss" ? above(at, first.from, site.after, names) : []),
    ...(update === undefined ? [] : below(at, update.from, update.to, site.afterStep, names)),
  ];
}

/** What templates at a training step can name; what the step lacks is refused before (`unwritable`). */
function stepNames({ site }: CallSite, place: TrainingPlace): Names {
  const { model, loss, optimizer, forward } = place.step;
  const sequence = site.replace === undefined ? undefined : forward?.crossEntropy;
  return {
    model: model ?? "model",
    loss: loss ?? "loss",
    optimizer: optimizer ?? "optimizer",
    lossExpression: forward?.loss ?? "",
    logits: sequence?.logits ?? forward?.logits?.text ?? "",
    logitsAgain: forward?.logits?.again ?? "",
    labels: sequence?.labels ?? "",
    ...variablesOf(site, place.names),
  };
}

export function adaptModel(at: CallSite, { module, built, names, below: whole }: ModelPlace): Edit[] {
  const template = at.site.after ?? "{symbol}({model})";
  const variables = variablesOf(at.site, names);
  if (built === undefined)
    return module === undefined
      ? []
      : [afterInInit(at.file, module, undefined, ...fill(at, template, { model: "self", ...variables }))];
  const model = built.assignedTo ?? "model";
  if (whole !== undefined) {
    const statements = indented(fill(at, template, { model, ...variables }), whole.indentation);
    return [insertion(whole.at, "\n", ...statements)];
  }
  const end = loadedBelow(at.file.text, built.statement.to, model);
  return below(at, built.statement.from, end, template, { model, ...variables });
}

/** The end of the last `model.load_state_dict(…)` that follows at once, else of the statement that ends at `from`. */
function loadedBelow(text: string, from: number, model: string): number {
  const name = model.replaceAll(".", "\\.");
  const next = new RegExp(
    `^[^\\r\\n]*(?:\\r\\n?|\\n)[ \\t]*(?:${name}\\.(?:load_state_dict|to|cuda|eval|train)|${name} = ${name}\\.to)\\([^\\r\\n]*\\)`,
  );
  let end = from;
  for (let found = next.exec(text.slice(end)); found !== null; found = next.exec(text.slice(end)))
    end += found[0].length;
  return end;
}
