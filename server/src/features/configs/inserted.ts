/** `get_peft_model(model, LoraConfig(...))` → `apply_lora(model, targets=…)` with the method's own Python, where both do the same. */
import type { Options } from "../../adapters/budget";
import { unfit } from "../../adapters/unfit";
import { applyName, withApplyFunction } from "../../adapters/applyFunction";
import { indentationAt, lineEnd } from "../../adapters/callSites/callSite";
import { bringDefinitions, topLevelStart } from "../../adapters/definitions";
import { edit, type Edit, insertion, plainText } from "../../adapters/edits";
import { knownTargets } from "../../adapters/knownTargets";
import { withoutUnused } from "../../adapters/libraryNames";
import { calledIn } from "../../adapters/insert";
import { literal } from "../../adapters/callSites/arguments";
import { modelLayersIn, withTargets } from "../../adapters/modelLayers";
import { wholeLine } from "../../adapters/callSites/callSite";
import type { ConversionForm } from "../../literature/catalogue";
import type { Method, MethodSite } from "../../literature/model";
import type { Range } from "../../python/facts";
import { type CallStep, valuesOf } from "../../python/values/values";
import { linearNames } from "../effect/linearNames";
import { configuredModel } from "../effect/model";
import { keepsHead, presetIs } from "../effect/presets";
import { type CallArguments, numberOf, same } from "../rules/callArguments";
import { argumentAt, argumentsOfStep, callsTo, configOf } from "../rules/origins";
import type { RuleContext } from "../rules/rule";
import { stateOf } from "./form";
import type { CallAt, Offer } from "./offer";
import { namesInTemplate } from "../../literature/source/conversions";
import { peftUse, printing } from "./peftUse";

const wrapper = "peft.get_peft_model";

interface Wrapping {
  readonly rules: RuleContext;
  /** `get_peft_model(model, config)`. */
  readonly step: CallStep;
  readonly config: CallStep;
  readonly given: CallArguments;
  readonly form: ConversionForm & Required<Pick<ConversionForm, "inserted">>;
  readonly method: Method;
  readonly site: MethodSite;
}

export function insertionOffers(at: CallAt): Offer[] {
  const { document, library, symbol } = at;
  const isWrap = symbol?.qualified.includes(wrapper) === true;
  const table = library.conversions().find((each) => each.library === "peft");
  const withPython = table?.forms.filter(({ inserted }) => inserted !== undefined) ?? [];
  if (table === undefined || !(isWrap || withPython.some(({ config }) => config === symbol?.name))) return [];

  const rules: RuleContext = { ...at, document, values: valuesOf(document.python.facts) };
  const here = (step: CallStep | undefined): boolean => step?.call.range.from === at.call.range.from;
  const steps = callsTo(rules, wrapper).filter((step) => here(step) || here(configOf(rules, step)));
  const [step] = steps;
  const config = configOf(rules, step);
  if (step === undefined || config === undefined || steps.length > 1) return [];
  const given = argumentsOfStep(rules, config);
  const own = table.forms.filter(({ config: name }) => name === given.symbol?.name);
  const special = own.filter(({ set }) => set !== undefined && own.length > 1);
  const others = special.filter((each) => stateOf(each, given) !== "off");
  const [other] = others;
  // the form that the arguments make it, where only one is certain; else the plain one, with what speaks against it
  const isOther = others.length === 1 && other?.inserted !== undefined && stateOf(other, given) === "on";
  const form = isOther ? other : own.find((each) => each.inserted !== undefined && !special.includes(each));
  const inserted = form?.inserted;
  const method = inserted && library.methodOfDefinition(inserted.symbol);
  const site = method?.sites.find((each) => each.symbol === inserted?.symbol && each.kind === "linear");
  if (form === undefined || inserted === undefined || method === undefined || site === undefined) return [];
  const wrapping = { rules, step, config, given, form: { ...form, inserted }, method, site };
  const apply = applyName(method, site);
  const title = `Insert ${form.name} in place of PEFT's: \`${apply}(…)\``;
  const plan =
    other === undefined || isOther
      ? planned(at, wrapping, apply)
      : `${other.name} is not what ${inserted.symbol} computes.`;
  return typeof plan === "string"
    ? [{ key: "insert", title, disabled: plan, edits: () => [] }]
    : [{ key: "insert", title, edits: plan }];
}

/** The edits, or why there are none. */
function planned(at: CallAt, wrapping: Wrapping, apply: string): string | (() => Edit[]) {
  const { document, library } = at;
  const file = document.python;
  const { text, facts } = file;
  const { step, config, method, site, rules } = wrapping;
  const { call } = step;
  const model = argumentAt(step, 0, "model")?.value.text ?? "";
  const target = call.assignedTo ?? "";
  const written = text.slice(call.statement.from, call.statement.to);
  if (
    !/^\w+$/.test(model) ||
    !/^\w+$/.test(target) ||
    !written.endsWith(text.slice(call.range.from, call.range.to))
  )
    return "The model is not a variable of its own on both sides of this call.";
  if (call.arguments.length !== 2) return "get_peft_model has further arguments here.";
  const values = argumentsFor(wrapping);
  if (typeof values === "string") return values;
  const names = targetsFor(at, wrapping);
  if (typeof names === "string") return names;

  const made = rules.values.maker(model, step);
  const place = modelLayersIn({ file, siblings: [], known: knownTargets(library) }).find(
    (each) =>
      each.of === "linear" &&
      each.model === model &&
      made !== undefined &&
      each.built?.call.statement.from === made.call.statement.from,
  );
  if (place === undefined) return `The line that builds \`${model}\` is not in sight here.`;
  const chosen = withTargets(place, names);
  const obstacle = chosen.obstacle ?? unfit(method, site, chosen, optionsFor(wrapping));
  if (obstacle !== undefined) return obstacle;
  const used = peftUse(at, rules, target, step);
  if (used !== undefined) return used;

  return () => {
    const sources = withApplyFunction(
      [...library.shared(), ...method.python],
      method,
      site,
      citedName(at, method),
    );
    const sharing = site.afterInit === undefined ? [] : [calledIn(site.afterInit)];
    const brought = bringDefinitions(
      file,
      sources,
      [apply, site.symbol, ...sharing, "train_only"],
      topLevelStart(file, place.built?.call.statement.from ?? call.statement.from),
    );
    const named = (name: string): string => brought.names.get(name) ?? name;
    const { quote } = facts.layout;
    const targets = names.map((name) => literal(name, quote));
    const list = `targets=(${targets.join(", ")}${targets.length === 1 ? "," : ""})`;
    const replaced = edit(
      call.range.from,
      call.range.to,
      `${named(apply)}(${[model, list, ...values].join(", ")})`,
    );
    const below = `\n${indentationAt(text, call.statement.from)}`;
    const share = sharing.map((name) => `${below}${named(name)}(${target})`).join("");
    const freeze = `${share}${below}${named("train_only")}(${target}, ${named(site.symbol)})`;
    const spare = spareConfig(at, config, call.range);
    const indentation = indentationAt(text, call.statement.from);
    const prints = [...text.matchAll(printing(target, indentation))].map(({ index }) =>
      wholeLine(text, index),
    );
    const gone = [call.range, ...spare];
    const locals = facts.imports
      .filter(({ qualified }) => qualified.startsWith("peft."))
      .map(({ local }) => local);
    const unused = withoutUnused(file, locals, gone);
    return [
      ...brought.edits.map((each) => belowRemoved(each, unused)),
      replaced,
      insertion(lineEnd(text, call.statement.to), freeze),
      ...spare.map(({ from, to }) => wholeLine(text, from, to)),
      ...prints,
      ...unused,
    ];
  };
}

/** Lines that would come behind a line that goes come in its place. */
function belowRemoved(each: Edit, removed: readonly Edit[]): Edit {
  const line = removed.find(({ from, to }) => from < each.from && each.from < to);
  const added = plainText(each);
  return line === undefined || each.from !== each.to || !added.startsWith("\n")
    ? each
    : insertion(line.to, `${added.slice(1)}\n`);
}

/** `rank=8, alpha=16` as the configuration gives them or takes by itself; or what has no counterpart. */
function argumentsFor({ given, form, method }: Wrapping): string | string[] {
  const { inserted } = form;
  const computed = Object.entries(inserted.computed ?? {});
  const settled = [
    ...Object.keys(inserted.arguments),
    ...computed.flatMap(([, value]) => namesInTemplate(value)),
    "target_modules",
  ];
  const required = Object.entries({ ...form.set, ...inserted.set }).filter(
    ([name]) => !(name in inserted.arguments),
  );
  for (const [name, wanted] of required) {
    const setting = given.setting(name);
    const value = setting.kind === "unknown" ? undefined : setting.value;
    if (value === undefined || !same(wanted, value))
      return `${inserted.symbol} computes what PEFT does with \`${name}=${wanted}\`, which is not what this configuration says.`;
    settled.push(name);
  }
  for (const { keyword, star, value } of given.call.arguments) {
    const name = keyword?.name;
    const preset = given.symbol?.fields.find((field) => field.name === name)?.default;
    if (name === undefined || star !== undefined)
      return "Not all arguments of the configuration are given by name.";
    if (settled.includes(name) || (name === "task_type" && keepsHead(value.value))) continue;
    if (value.value.kind === "none" || (preset !== undefined && presetIs(preset, value.value))) continue;
    return `\`${name}=${value.text}\` has no counterpart in ${inserted.symbol}.`;
  }
  const written = (argument: string): string | undefined => {
    const setting = given.setting(argument);
    return setting.kind === "given"
      ? setting.argument.value.text
      : given.symbol?.fields.find(({ name }) => name === argument)?.default;
  };
  const kept = Object.entries(inserted.arguments).flatMap(([argument, hyperparameter]) => {
    const own = method.hyperparameters.find(({ name }) => name === hyperparameter);
    const value = written(argument);
    const isSame = own !== undefined && Number(value) === own.default;
    return value === undefined || (isSame && given.setting(argument).kind === "default")
      ? []
      : [`${hyperparameter}=${value}`];
  });
  const made = computed.map(([hyperparameter, value]) => {
    const filled = value.replace(/\{(\w+)\}/g, (_, argument: string) => {
      const text = written(argument) ?? "None";
      return /^[\w.]+$/.test(text) ? text : `(${text})`;
    });
    return `${hyperparameter}=${filled}`;
  });
  return [...kept, ...made];
}

/** The numbers among the hyperparameters. */
const optionsFor = ({ given, form: { inserted } }: Wrapping): Options =>
  Object.fromEntries(
    Object.entries(inserted.arguments).flatMap(([argument, hyperparameter]) => {
      const value = numberOf(given, argument);
      return value === undefined ? [] : [[hyperparameter, value] as const];
    }),
  );

/** The names of the layers, or why they are not known. */
function targetsFor(at: CallAt, { given, config }: Wrapping): string | string[] {
  const setting = given.setting("target_modules");
  const value = setting.kind === "given" ? setting.value : undefined;
  if (value?.kind === "string" && value.value.toLowerCase() === "all-linear") {
    const known = configuredModel(at, at.document, config.call);
    return (known && linearNames(known.found)) ?? "Which layers all-linear means is not known here.";
  }
  const names =
    value?.kind === "list" ? value.items.flatMap((item) => (item.kind === "string" ? [item.value] : [])) : [];
  return value?.kind === "list" && names.length === value.items.length && names.length > 0
    ? names
    : "The names of the layers are not a list that can be read here.";
}

/** The statement that makes the configuration, where only this call uses it. */
function spareConfig({ document }: CallAt, { call }: CallStep, wrap: Range): Range[] {
  const { text } = document.python;
  const { assignedTo, statement, range } = call;
  if (assignedTo === undefined || (wrap.from <= range.from && range.to <= wrap.to)) return [];
  const uses = [...text.matchAll(new RegExp(`(?<![\\w.])${assignedTo}(?!\\w)`, "g"))].filter(
    ({ index }) =>
      !(statement.from <= index && index < statement.to) && !(wrap.from <= index && index < wrap.to),
  );
  return uses.length === 0 ? [statement] : [];
}

function citedName({ library }: CallAt, { name, paper }: Method): string {
  const arxiv = library.paper(paper)?.arxiv;
  return arxiv === undefined ? name : `${name} (arXiv:${arxiv})`;
}
