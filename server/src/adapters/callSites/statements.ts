/** Methods that are calls beside the user's own: at the training step, at the loss, once the model is built. */
import type { Edit } from "../edits";
import type { ModelPlace, TrainingPlace } from "../places";
import { afterInInit, type CallSite } from "./callSite";
import { above, below, fill } from "./templates";

export function adaptTraining(at: CallSite, { step }: TrainingPlace): Edit[] {
  const { site } = at;
  const names = {
    model: step.model ?? "model",
    loss: step.loss ?? "loss",
    optimizer: step.optimizer ?? "optimizer",
  };
  const { backward, step: update, loop } = step;
  const first = backward ?? update;
  if (first === undefined) return [];
  return [
    ...above(at, (loop ?? first).from, site.setup, names),
    ...above(at, first.from, site.before, names),
    ...below(at, first.from, first.to, site.kind === "loss" ? undefined : site.after, names),
    ...(site.kind === "loss" ? above(at, first.from, site.after, names) : []),
    ...(update === undefined ? [] : below(at, update.from, update.to, site.afterStep, names)),
  ];
}

export function adaptModel(at: CallSite, { module, built }: ModelPlace): Edit[] {
  const template = at.site.after ?? "{symbol}({model})";
  if (built === undefined)
    return [afterInInit(at.file, module, undefined, ...fill(at, template, { model: "self" }))];
  return below(at, built.statement.from, built.statement.to, template, {
    model: built.assignedTo ?? "model",
  });
}
