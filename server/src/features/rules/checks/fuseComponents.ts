/** `pipe.fuse_lora(fuse_unet=True)`: arguments that Diffusers has replaced by `components`. */
import { edit } from "../../../adapters/edits";
import type { Argument } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import type { Check, Finding } from "../rule";

const methods = new Set(["fuse_lora", "unfuse_lora"]);
const old = /^(?:un)?fuse_(?:unet|text_encoder)$/;

export const fuseComponents: Check = (context) =>
  context.values.calls.filter(({ method }) => methods.has(method)).flatMap(findings);

function findings(step: CallStep): Finding[] {
  const given = step.call.arguments.filter(({ keyword }) => keyword !== undefined && old.test(keyword.name));
  const repair = onlyUnet(step, given);
  return given.map(({ range, keyword }) => ({
    range,
    words: { argument: keyword?.name ?? "" },
    ...(repair === undefined ? {} : { repairs: [repair] }),
  }));
}

/** Which text encoders a pipeline has is not known; that it has a U-Net is. */
function onlyUnet({ call }: CallStep, given: readonly Argument[]) {
  const off = given.find(({ keyword }) => keyword?.name.endsWith("text_encoder"));
  const [first, ...others] = given;
  if (first === undefined || off?.value.value.kind !== "boolean" || off.value.value.value) return undefined;
  if (others.some((each) => call.arguments.indexOf(each) !== call.arguments.indexOf(first) + 1))
    return undefined;
  const to = others.at(-1)?.range.to ?? first.range.to;
  return {
    title: 'Set `components=["unet"]`',
    edits: [edit(first.range.from, to, 'components=["unet"]')],
  };
}
