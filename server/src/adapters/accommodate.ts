/**
 * Other code of the file that goes over all parameters of the model, and what it must learn of an adapter: an
 * initialiser that would overwrite its start, a strict load or comparison of the checkpoint from before.
 */
import type { ModuleClass, Range } from "../python/facts";
import { closingBracket, topLevelParts } from "./brackets";
import type { SourceFile } from "./definitions";
import { edit, type Edit } from "./edits";

const helpers = ["base_parameters", "base_state_dict", "load_base_state_dict"] as const;
type Helper = (typeof helpers)[number];

/** A call that is to go past the adapter. */
export interface Accommodation {
  readonly helper: Helper;
  /** What is replaced: `self.parameters()`. */
  readonly range: Range;
  /** Arguments of the helper before the adapter's class. */
  readonly given: readonly string[];
  /** Arguments after it: `strict=True`. */
  readonly keywords?: readonly string[];
  /** What follows the helper's call: `.values()`. */
  readonly rest: string;
  /** The class is already called so here, for other adapters. */
  readonly adapters: readonly string[];
}

/** Statements that a model with the adapter needs elsewhere in the file. `module` is the class that is adapted. */
export function accommodations(file: SourceFile, module: ModuleClass): Accommodation[] {
  return [...loops(file), ...loads(file), ...comparisons(file), ...present(file)].filter(
    ({ range: { from } }) => !isProse(file, from) && speaksOf(file, from, module.name),
  );
}

/** What an initialiser is called; of other files nothing less is taken for one. */
const setsUp = /\binit\b|\binit\.|(?:xavier|kaiming|normal|uniform|orthogonal|constant|zero|ones|fill)\w*_\(/;

/** Loops that set up all parameters of a model, those that go past adapters already included. */
export function initialisers(file: SourceFile): Accommodation[] {
  return initialisersOf(file).filter(({ range }) => !isProse(file, range.from));
}

const initialisersOf = (file: Pick<SourceFile, "text">): Accommodation[] => [
  ...loops(file, setsUp),
  ...present(file).filter(({ helper }) => helper === "base_parameters"),
];

/** Whether a text has what reads as one, told without reading it as Python. */
export const mayInitialise = (text: string): boolean =>
  text.includes("parameters(") && initialisersOf({ text }).length > 0;

const isProse = ({ facts }: SourceFile, offset: number): boolean =>
  facts.prose.some(({ range }) => range.from <= offset && offset < range.to);

/** The edits, once it is known how the file calls the helpers and the adapter's class. */
export function accommodate(
  found: readonly Accommodation[],
  symbol: string,
  names: ReadonlyMap<string, string>,
): Edit[] {
  return found
    .filter(({ adapters }) => !adapters.includes(symbol))
    .map(({ helper, range, given, rest, adapters, keywords = [] }) =>
      edit(
        range.from,
        range.to,
        `${names.get(helper) ?? helper}(${[...given, ...adapters, symbol, ...keywords].join(", ")})${rest}`,
      ),
    );
}

/** `for p in self.parameters(): … nn.init.xavier_uniform_(p)`; `says` is what the body must say besides. */
function loops({ text }: Pick<SourceFile, "text">, says = /^/): Accommodation[] {
  if (!text.includes("parameters()")) return [];
  const header =
    /^([ \t]*)for[ \t]+(?:\w+[ \t]*,[ \t]*)?(\w+)[ \t]+in[ \t]+(([\w.]+)\.(named_)?parameters\(\))[ \t]*:/gm;
  return [...text.matchAll(header)].flatMap((match): Accommodation[] => {
    const [whole, indentation = "", parameter = "", call = "", model = "", named] = match;
    const body = bodyBelow(text, match.index + whole.length, indentation);
    const initialises = new RegExp(
      `\\binit\\b|\\binit\\.|\\w_\\(\\s*${parameter}\\b|\\b${parameter}(?:\\.data)?\\.(?!requires_grad_|zero_grad|grad)\\w+_\\(`,
    ).test(body);
    // a suffix such as "c_proj.weight" names layers of the model, never what an adapter brings
    if (!initialises || !says.test(body) || /\.endswith\(\s*["'][^"']*\w\.\w+["']\s*\)/.test(body)) return [];
    const from = match.index + whole.lastIndexOf(call);
    return [
      {
        helper: "base_parameters",
        range: { from, to: from + call.length },
        given: [model],
        rest: named === undefined ? ".values()" : ".items()",
        adapters: [],
      },
    ];
  });
}

/** What is indented below a header, or stands behind it. */
function bodyBelow(text: string, from: number, indentation: string): string {
  const lines = text.slice(from, from + 2000).split(/\r\n|\r|\n/);
  const end = lines.findIndex(
    (line, index) =>
      index > 0 && line.trim() !== "" && (/^[ \t]*/.exec(line)?.[0].length ?? 0) <= indentation.length,
  );
  return lines.slice(0, end < 0 ? lines.length : end).join("\n");
}

/** `model.load_state_dict(state)` of a model, strict as it is by default. */
function loads({ text }: SourceFile): Accommodation[] {
  if (!text.includes(".load_state_dict(")) return []; // the pattern tries every word of a file
  const call = /(?<![\w.])((?:\w+\.)*\w+)\.load_state_dict\(/g;
  return [...text.matchAll(call)].flatMap((match): Accommodation[] => {
    const [whole, model = ""] = match;
    if (/optim|sched|scaler|ema\b|loader|sampler|super/i.test(model)) return [];
    const open = match.index + whole.length - 1;
    const close = closingBracket(text, open);
    if (close === undefined) return [];
    const given = text.slice(open + 1, close).trim();
    const [state = "", ...keywords] = topLevelParts(given);
    if (state === "" || /[\r\n#]|^\*/.test(given) || keywords.some((each) => each !== "strict=True"))
      return [];
    return [
      {
        helper: "load_base_state_dict",
        range: { from: match.index, to: close + 1 },
        given: [model, state.replace(/^state_dict\s*=\s*/, "")],
        keywords,
        rest: "",
        adapters: [],
      },
    ];
  });
}

/** `sd = model.state_dict()` where a function then asserts that its keys are as many as another's. */
function comparisons({ text, facts }: SourceFile): Accommodation[] {
  if (!text.includes(".state_dict()")) return [];
  const functions = [...facts.functions, ...facts.modules.flatMap(({ methods }) => methods)];
  return functions.flatMap(({ range }) => {
    const body = text.slice(range.from, range.to);
    if (!/^[ \t]*assert\b.*\blen\(/m.test(body)) return [];
    return [...body.matchAll(/(?<==[ \t]*)([\w.]+)\.state_dict\(\)/g)].map(
      ({ 0: whole, 1: model = "", index }): Accommodation => ({
        helper: "base_state_dict",
        range: { from: range.from + index, to: range.from + index + whole.length },
        given: [model],
        rest: "",
        adapters: [],
      }),
    );
  });
}

/** Helpers' calls that stand in the file for other adapters. */
function present({ text }: Pick<SourceFile, "text">): Accommodation[] {
  const call = new RegExp(`(?<![\\w.]|def )(${helpers.join("|")})\\(`, "g");
  return [...text.matchAll(call)].flatMap((match): Accommodation[] => {
    const helper = helpers.find((each) => each === match[1]);
    const open = match.index + match[0].length - 1;
    const close = closingBracket(text, open);
    if (helper === undefined || close === undefined) return [];
    const parts = topLevelParts(text.slice(open + 1, close));
    const own = helper === "load_base_state_dict" ? 2 : 1;
    const range = { from: match.index, to: close + 1 };
    const isKeyword = (part: string): boolean => /^\w+=/.test(part);
    const adapters = parts.slice(own).filter((part) => !isKeyword(part));
    const keywords = parts.slice(own).filter(isKeyword);
    return [{ helper, range, given: parts.slice(0, own), rest: "", adapters, keywords }];
  });
}

/** The calls of helpers as they were before `symbol` came, once no layer of the file is one any more. */
export function unaccommodate(file: SourceFile, symbol: string): Edit[] {
  return present(file).flatMap(({ helper, range, given, adapters, keywords = [] }) => {
    if (!adapters.includes(symbol)) return [];
    const others = adapters.filter((each) => each !== symbol);
    if (others.length > 0)
      return [edit(range.from, range.to, `${helper}(${[...given, ...others, ...keywords].join(", ")})`)];
    const [model = "", state = ""] = given;
    if (helper === "load_base_state_dict")
      return [edit(range.from, range.to, `${model}.load_state_dict(${[state, ...keywords].join(", ")})`)];
    if (helper === "base_state_dict") return [edit(range.from, range.to, `${model}.state_dict()`)];
    const rest = /^\.(?:values|items)\(\)/.exec(file.text.slice(range.to))?.[0] ?? "";
    const method = rest === ".items()" ? "named_parameters" : "parameters";
    return [edit(range.from, range.to + rest.length, `${model}.${method}()`)];
  });
}

/** Whether the definition around `offset` is the class `name`, or speaks of it, directly or through others. */
function speaksOf({ text, facts }: SourceFile, offset: number, name: string): boolean {
  const known = new Set(facts.definitions.map((each) => each.name));
  const around = facts.definitions.find(({ range }) => range.from <= offset && offset < range.to);
  if (around === undefined) return true;
  const reached = new Set([around.name]);
  for (const reachedName of reached) {
    for (const { range } of facts.definitions.filter((each) => each.name === reachedName)) {
      for (const [word] of text.slice(range.from, range.to).matchAll(/[A-Za-z_]\w*/g))
        if (known.has(word)) reached.add(word);
    }
  }
  // a function that is handed its model speaks of none
  return reached.has(name) || (around.kind === "function" && reached.size === 1);
}
