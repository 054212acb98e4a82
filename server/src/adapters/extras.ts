/** What goes with an insertion on request: freezing all else, an optimiser of what trains, saving and loading the adapter alone. */
import type { Call } from "../python/facts";
import { type Built, builtIn, functionAround } from "./built";
import { afterInInit, indentationAt, lineEnd } from "./callSites/callSite";
import { lineStart, type SourceFile } from "./definitions";
import { edit, type Edit, insertion, plainText } from "./edits";
import { addImports, type ImportStatement, spelling } from "./imports";
import type { Place } from "./place";
import { rootOf } from "./root";
import type { ModuleClass } from "../python/facts";

export const extras = ["freeze", "optimizer", "save", "load"] as const;
export type Extra = (typeof extras)[number];

/** Where the whole model stands ready. */
export type Home =
  | { readonly model: string; readonly built: Built }
  | { readonly model: "self"; readonly module: ModuleClass };

/** The home of what a place is part of; undefined for code without a model. */
export function homeOf(file: SourceFile, place: Place): Home | undefined {
  if (place.kind === "model-layers" && place.built !== undefined)
    return { model: place.model, built: place.built };
  const module = place.kind === "model-layers" ? place.root : "module" in place ? place.module : undefined;
  if (module === undefined) return undefined;
  const root = rootOf(file.facts, module);
  const models = builtIn(file).filter(({ type }) => type === root.name);
  const [built] = models;
  // functions that each build a model of their own size, such as `vit_small()` and `vit_base()`, share the class
  const places = new Set(models.map(({ call }) => functionAround(file, call.range.from).from));
  if (built !== undefined && (places.size < 2 || root.init === undefined))
    return { model: built.name, built };
  return root.init === undefined ? undefined : { model: "self", module: root };
}

/** What can go with an insertion there. */
export function extrasAt(file: SourceFile, home: Home | undefined): Extra[] {
  if (home === undefined) return [];
  if (!("built" in home)) return ["freeze"];
  const train = trainingIn(file, home);
  return extras.filter((each) => {
    if (each === "optimizer") return train.optimizers.length > 0 || !train.hasOther;
    return each !== "save" || train.saves.length > 0 || train.end !== undefined;
  });
}

/** Definitions of corpus/methods/shared that they call. */
export const definitionsOf = (chosen: readonly Extra[]): string[] => [
  ...(chosen.includes("freeze") ? ["train_only"] : []),
  ...(chosen.includes("save") ? ["adapter_state_dict"] : []),
  ...(chosen.includes("load") ? ["resume_adapter"] : []),
];

interface Training {
  /** `torch.optim.AdamW(model.parameters(), …)` below the model. */
  readonly optimizers: readonly Call[];
  /** Whether something else there makes an optimiser. */
  readonly hasOther: boolean;
  /** `torch.save(model.state_dict(), …)`. */
  readonly saves: readonly Call[];
  /** End of the training loop, and its indentation. */
  readonly end?: { readonly at: number; readonly indentation: string };
}

function trainingIn(file: SourceFile, { model, built }: Extract<Home, { built: Built }>): Training {
  const { facts, text } = file;
  const { to } = functionAround(file, built.call.range.from);
  const from = built.readyAt;
  const calls = facts.calls.filter(({ range }) => from <= range.from && range.from < to);
  const first = ({ arguments: given }: Call): string | undefined => given[0]?.value.text;
  const isOptimizer = ({ qualified = "" }: Call): boolean =>
    /(?:^|\.)optim\w*\.[\w.]*[A-Z]\w*$|\.AdamW$/.test(qualified);
  const optimizers = calls.filter((call) => isOptimizer(call) && first(call) === `${model}.parameters()`);
  const saves = calls.filter(
    (call) => call.qualified === "torch.save" && first(call) === `${model}.state_dict()`,
  );
  const loops = facts.training.filter(({ loop: range, model: trained }) => {
    if (range === undefined || trained !== model) return false;
    return from <= range.from && range.to <= to;
  });
  // a loop that only adds up gradients stands inside the one that takes the steps
  const { loop } = loops.find(({ step }) => step !== undefined) ?? loops[0] ?? {};
  const trainer = /^([ \t]*)\w*trainer\.train\([^\r\n]*\)[ \t]*$/m.exec(text.slice(from, to));
  const end =
    loop !== undefined
      ? { at: lineEnd(text, loop.to), indentation: indentationAt(text, loop.from) }
      : trainer !== null && calls.some(({ qualified = "" }) => /Trainer$/.test(qualified))
        ? { at: from + trainer.index + trainer[0].length, indentation: trainer[1] ?? "" }
        : undefined;
  return {
    optimizers,
    hasOther: optimizers.length === 0 && /optim|Trainer\(/i.test(text.slice(from, to)),
    saves,
    ...(end === undefined ? {} : { end }),
  };
}

export interface ExtrasRequest {
  readonly file: SourceFile;
  readonly home: Home;
  readonly chosen: readonly Extra[];
  /** Classes of all adapters in the model, by the names the file has for them. */
  readonly adapters: readonly string[];
  readonly names: ReadonlyMap<string, string>;
  /** Edits made already: what they import need not be imported again. */
  readonly brought: readonly Edit[];
}

/** Calls of what `definitionsOf` brought, below the edits of the insertion itself. */
export function extrasEdits({ file, home, chosen, adapters, names, brought }: ExtrasRequest): Edit[] {
  const { facts, text } = file;
  const named = (definition: string): string => names.get(definition) ?? definition;
  const classes = adapters.join(", ");
  const { model } = home;
  const freeze = `${named("train_only")}(${model}, ${classes})`;
  if (!("built" in home))
    return chosen.includes("freeze")
      ? [...frozen(file, home.model, adapters, afterInInit(file, home.module, undefined, freeze))]
      : [];

  const { built } = home;
  const { indentation } = built;
  const below = (statement: string): Edit => insertion(built.readyAt, `\n${indentation}${statement}`);
  const { optimizers, saves, end } = trainingIn(file, home);
  const edits: Edit[] = [];
  const imports: ImportStatement[] = [];
  const spelled = (qualified: string): string => {
    const module = qualified.split(".")[0] ?? qualified;
    const own = spelling(facts, text, qualified);
    if (own === undefined) imports.push({ module });
    return own ?? qualified;
  };
  const quoted = `${facts.layout.quote}adapter.pt${facts.layout.quote}`;

  if (chosen.includes("load"))
    edits.push(below(`${named("resume_adapter")}(${model}, ${quoted}, ${classes})`));
  if (chosen.includes("freeze")) edits.push(...frozen(file, model, adapters, below(freeze)));
  if (chosen.includes("optimizer")) {
    const trained = `[p for p in ${model}.parameters() if p.requires_grad]`;
    for (const { arguments: given } of optimizers)
      if (given[0] !== undefined)
        edits.push(edit(given[0].value.range.from, given[0].value.range.to, trained));
    if (optimizers.length === 0)
      edits.push(below(`optimizer = ${spelled("torch.optim.AdamW")}(${trained}, lr=1e-4)`));
  }
  if (chosen.includes("save")) {
    const state = `${named("adapter_state_dict")}(${model}, ${classes})`;
    for (const { arguments: given } of saves)
      if (given[0] !== undefined) edits.push(edit(given[0].value.range.from, given[0].value.range.to, state));
    if (saves.length === 0 && end !== undefined)
      edits.push(insertion(end.at, `\n${end.indentation}${spelled("torch.save")}(${state}, ${quoted})`));
  }
  return [...missing(file, imports, brought), ...edits];
}

/** The call, or where the file freezes this model already, the classes that it does not name yet. */
function frozen({ text }: SourceFile, model: string, adapters: readonly string[], call: Edit): Edit[] {
  const present = new RegExp(`\\btrain_only\\(\\s*${model}\\b([^()]*)\\)`).exec(text);
  if (present === null || lineStart(text, present.index) === present.index) return [call];
  const lacking = adapters.filter((name) => !new RegExp(`\\b${name}\\b`).test(present[1] ?? ""));
  const at = present.index + present[0].length - 1;
  return lacking.length === 0 ? [] : [insertion(at, `, ${lacking.join(", ")}`)];
}

/** Imports that neither the file nor what was brought has. */
function missing(
  { facts, text }: SourceFile,
  imports: readonly ImportStatement[],
  brought: readonly Edit[],
): Edit[] {
  const has = (module: string): boolean =>
    brought.some((each) => new RegExp(`^import ${module}$`, "m").test(plainText(each)));
  const modules = new Set(imports.map(({ module }) => module).filter((module) => !has(module)));
  return modules.size === 0
    ? []
    : addImports(
        text,
        facts,
        [...modules].map((module) => ({ module })),
      );
}
