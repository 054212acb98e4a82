/** `apply_lora(model, targets=…)` of ours → `get_peft_model(model, LoraConfig(...))`, where both do the same. */
import { calledIn } from "../../adapters/insert";
import { literal } from "../../adapters/callSites/arguments";
import { edit, type Edit } from "../../adapters/edits";
import { namedTogether } from "../../adapters/libraryNames";
import { wholeLine } from "../../adapters/callSites/callSite";
import { appliedIn, type Applied, removeApplied } from "../../adapters/removeApplied";
import type { ConversionForm } from "../../literature/catalogue";
import type { CallAt, Offer } from "./offer";

export function peftOffers(at: CallAt): Offer[] {
  const { library, call, document, symbol } = at;
  const file = document.python;
  if (symbol !== undefined || !file.text.slice(call.callee.from, call.callee.to).includes("apply_"))
    return [];
  const applied = appliedIn(file, library.methods()).find((each) => each.call.range.from === call.range.from);
  if (applied === undefined) return [];
  const table = library.conversions().find(({ library: name }) => name === "peft");
  const form = table?.forms.find(({ inserted }) => inserted?.symbol === applied.site.symbol);
  if (form?.inserted === undefined) return [];
  const title = `Use ${form.name} of PEFT in place of this: \`get_peft_model(…, ${form.config}(…))\``;
  const plan = planned(at, applied, form, form.inserted);
  return typeof plan === "string"
    ? [{ key: "peft", title, disabled: plan, edits: () => [] }]
    : [{ key: "peft", title, edits: plan }];
}

/** The edits, or why there are none. */
function planned(
  at: CallAt,
  applied: Applied,
  { config, set = {} }: ConversionForm,
  inserted: NonNullable<ConversionForm["inserted"]>,
): string | (() => Edit[]) {
  const { library, document } = at;
  const file = document.python;
  const { text, facts } = file;
  const { call, model, method, site } = applied;
  const { from, to } = call.statement;
  const isAlone = text.slice(from, to) === text.slice(call.range.from, call.range.to);
  if (!/^\w+$/.test(model) || model === "self" || (!isAlone && call.assignedTo === undefined))
    return "The model is not a variable of its own here.";
  const target = call.assignedTo ?? model;

  // PEFT freezes all else: so must the code have done
  const freezing = facts.calls.filter(
    ({ range, arguments: given, qualified = "" }) =>
      qualified.split(".").at(-1) === "train_only" &&
      range.from > call.range.from &&
      given[0]?.value.text === target,
  );
  const [freeze] = freezing;
  const adapters = freeze?.arguments.slice(1).map(({ value }) => value.text) ?? [];
  if (freeze === undefined || freezing.length > 1)
    return `PEFT freezes the rest of the model, and this code does not: there is no train_only(${target}, ${site.symbol}) below.`;
  if (adapters.length !== 1 || adapters[0]?.split(".").at(-1) !== site.symbol)
    return `train_only names further adapters: ${adapters.join(", ")}.`;
  if (
    text.slice(freeze.statement.from, freeze.statement.to) !== text.slice(freeze.range.from, freeze.range.to)
  )
    return "What train_only returns is used.";

  const sharing = site.afterInit === undefined ? undefined : calledIn(site.afterInit);
  if (sharing !== undefined && !text.includes(`${sharing}(${target})`))
    return `PEFT has one set of what ${method.name} shares for the whole model, and this code does not: there is no ${sharing}(${target}).`;

  const own = facts.definitions.map(({ range }) => range);
  const elsewhere = [
    ...text.matchAll(/(?<![\w.])(?:adapter_state_dict|load_adapter|resume_adapter)\(|\.merged\(/g),
  ].find(({ index }) => !own.some((range) => range.from <= index && index < range.to));
  if (elsewhere !== undefined) return `\`${elsewhere[0]}…)\` works on inserted adapters alone.`;
  if (new RegExp(`(?<![\\w.])${target}\\.(?:load_)?state_dict\\(`).test(text))
    return `PEFT has other names in \`${target}.state_dict()\`, which this file uses.`;

  const values: string[] = [];
  for (const { keyword, value, star } of call.arguments.slice(1)) {
    const name = keyword?.name ?? "";
    const argument = Object.entries(inserted.arguments).find(
      ([, hyperparameter]) => hyperparameter === name,
    )?.[0];
    if (star !== undefined || (argument === undefined && name !== "targets"))
      return `\`${value.text}\` has no counterpart in ${config}.`;
    if (argument !== undefined) values.push(`${argument}=${value.text}`);
    else {
      const names = value.value.kind === "list" ? value.value.items : [];
      const plain = names.flatMap((item) =>
        item.kind === "string" && /^\w+$/.test(item.value) ? [item.value] : [],
      );
      if (plain.length === 0 || plain.length !== names.length)
        return "The targets are not a list of plain names, which mean the same to PEFT.";
      values.push(`target_modules=[${plain.map((each) => literal(each, facts.layout.quote)).join(", ")}]`);
    }
  }
  // what is left to a default is written where PEFT has another
  const fields = library.symbolsNamed(config).find((each) => each.library === "peft")?.fields ?? [];
  for (const [argument, hyperparameter] of Object.entries(inserted.arguments)) {
    const preset = method.hyperparameters.find(({ name }) => name === hyperparameter)?.default;
    const given = values.some((each) => each.startsWith(`${argument}=`));
    if (
      !given &&
      preset !== undefined &&
      Number(fields.find(({ name }) => name === argument)?.default) !== preset
    )
      values.push(`${argument}=${String(preset)}`);
  }
  const required = Object.entries({ ...set, ...inserted.set }).filter(
    ([name]) => !(name in inserted.arguments),
  );
  for (const [name, wanted] of required)
    if (fields.find((field) => field.name === name)?.default !== wanted) values.push(`${name}=${wanted}`);
  const named = namedTogether(file, "peft", [config, "get_peft_model"]);
  if (named === undefined) return `This file calls something else \`${config}\` or \`get_peft_model\`.`;
  const [made = config, wrap = "get_peft_model"] = named.written;
  const written = `${call.assignedTo === undefined ? `${model} = ` : ""}${wrap}(${model}, ${made}(${values.join(", ")}))`;
  return () => [
    ...named.edits,
    ...removeApplied(file, applied, library.shared(), [
      edit(call.range.from, call.range.to, written),
      wholeLine(text, freeze.statement.from, freeze.statement.to),
    ]),
  ];
}
