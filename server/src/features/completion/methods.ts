/** Snippets of methods: at module level their Python, in a model's `__init__` the line that uses it. */
import {
  type CompletionItem,
  CompletionItemKind,
  InsertTextFormat,
  type TextEdit,
} from "vscode-languageserver-types";
import { bringDefinitions, topLevelStart } from "../../adapters/definitions";
import { type Edit, edit, type Piece, plainText, toTextEdits } from "../../adapters/edits";
import { inProjectManner, type ProjectManner } from "../../adapters/projectManner";
import type { Hyperparameter, Method, MethodSite } from "../../literature/model";
import type { ModuleClass, Range } from "../../python/facts";
import type { FeatureContext, OpenDocument } from "../context";
import { literal } from "../../adapters/callSites/arguments";
import { choice, literally, partsOf, stop, withoutStops } from "./snippetText";

/** What an item carries to its resolve. */
export interface MethodData {
  readonly kind: "snippet";
  readonly method: string;
}

/** Items per answer; with more, typing on asks again. */
const mostItems = 20;

/** Methods whose name, id or label begins as what is typed; with nothing typed, the most prominent. */
function wanted(context: FeatureContext, typed: string): { methods: Method[]; all: boolean } {
  const prefix = typed.toLowerCase();
  const matching = context.library
    .methods()
    .filter(({ id, name }) =>
      [id, name, labelOf(id)].some((each) =>
        each.toLowerCase().replace(/[\s_]/g, "-").startsWith(prefix.replaceAll("_", "-")),
      ),
    )
    .toSorted((a, b) => (b.prominence ?? 0) - (a.prominence ?? 0));
  return { methods: matching.slice(0, mostItems), all: matching.length <= mostItems };
}

const labelOf = (id: string): string => `litlens-${id}`;

export interface MethodCompletions {
  readonly items: CompletionItem[];
  readonly isIncomplete: boolean;
}

/** @param word what is typed so far of the statement; nothing else stands on its line */
export function completeMethods(
  context: FeatureContext,
  document: OpenDocument,
  module: ModuleClass | undefined,
  word: Range,
  project: ProjectManner = {},
): MethodCompletions {
  const typed = document.python.text.slice(word.from, word.to);
  const { methods, all } = wanted(context, typed);
  const written = methods.flatMap((method) =>
    module === undefined
      ? definitionOf(context, document, method, word)
      : usagesOf(context, document, method, module),
  );
  return {
    items: written.map((each, index) => ({
      ...toItem(context, document, word, inManner(document, word, project, each)),
      sortText: String(index).padStart(4, "0"),
    })),
    isIncomplete: !all || typed === "",
  };
}

interface Written {
  readonly method: Method;
  readonly label: string;
  readonly detail: string;
  /** Snippet source. */
  readonly snippet: string;
  readonly additional: readonly Edit[];
}

/** Broken where its lines are longer than the project's formatter lets them be. */
function inManner({ python }: OpenDocument, word: Range, project: ProjectManner, written: Written): Written {
  if (project.width === undefined) return written;
  const parts = partsOf(written.snippet);
  const insert = parts.map(({ text, stop: isStop }): Piece => (isStop === undefined ? text : { stop: text }));
  const file = { text: python.text, facts: python.facts, project };
  const fitted = inProjectManner(file, [...written.additional, edit(word.from, word.to, ...insert)]);
  const own = fitted.at(-1);
  if (own === undefined) return written;
  const stops = parts.flatMap(({ stop: each }) => each ?? []);
  let next = 0;
  const snippet = own.insert.map((piece) =>
    typeof piece === "string" ? literally(piece) : (stops[next++] ?? literally(piece.stop)),
  );
  return { ...written, snippet: snippet.join(""), additional: fitted.slice(0, -1) };
}

function toItem(
  context: FeatureContext,
  document: OpenDocument,
  word: Range,
  written: Written,
): CompletionItem {
  const { method } = written;
  const { text, python } = document;
  const { lineBreak } = python.facts.layout;
  const source = (context.snippets ? written.snippet : withoutStops(written.snippet)).replaceAll(
    "\n",
    lineBreak,
  );
  const additional = toTextEdits(text, written.additional, lineBreak, false).filter(
    (each): each is TextEdit => "newText" in each,
  );
  return {
    label: written.label,
    kind: CompletionItemKind.Snippet,
    detail: written.detail,
    filterText: filterText(method, python.text.slice(word.from, word.to)),
    insertTextFormat: context.snippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    insertTextMode: 1,
    textEdit: {
      range: { start: text.positionAt(word.from), end: text.positionAt(word.to) },
      newText: source,
    },
    ...(additional.length === 0 ? {} : { additionalTextEdits: additional }),
    data: { kind: "snippet", method: method.id } satisfies MethodData,
  };
}

/** Clients filter by what is typed: the label where that is typed, else the method's own name. */
const filterText = ({ id, name }: Method, typed: string): string => {
  const prefix = typed.toLowerCase();
  if (prefix !== "" && labelOf(id).startsWith(prefix)) return labelOf(id);
  return name.toLowerCase().startsWith(prefix) && !name.includes(" ") ? name : id;
};

/** The method's classes with a stop at each hyperparameter's default; their imports go where imports are. */
function definitionOf(
  context: FeatureContext,
  document: OpenDocument,
  method: Method,
  word: Range,
): Written[] {
  const { text, facts } = document.python;
  const [site] = method.sites;
  if (site === undefined || method.python.length === 0) return [];
  const sources = [...context.library.shared(), ...method.python];
  const edits = bringDefinitions({ text, facts }, sources, [site.symbol], word.from).edits;
  const definitions = edits.at(-1);
  if (definitions === undefined) return [];
  const imports = edits.slice(0, -1);
  // an import that would go to this very place is written with the definitions
  const here = imports
    .filter(({ to }) => to >= word.from)
    .map(plainText)
    .join("");
  const usage = site.snippet === undefined ? "" : `\n\n\n${shifted(site.snippet, site.write.length)}`;
  const body = withStops(plainText(definitions).trimEnd(), method, site);
  const source = `${here === "" ? body : `${literally(here.trimEnd())}\n\n\n${body.trimStart()}`}${usage}\n`;
  const additional = imports.filter(({ to }) => to < word.from);
  return [
    {
      method,
      label: labelOf(method.id),
      detail: `${method.name}: ${site.symbol} and what it needs`,
      snippet: source,
      additional,
    },
  ];
}

/** Snippet source with its stops counted from `by` on. */
const shifted = (snippet: string, by: number): string =>
  snippet.replace(/\$(\{?)(\d+)/g, (_, brace: string, number: string) => `$${brace}${Number(number) + by}`);

/** Stops at `rank: int = 8` for the hyperparameters that a site writes. */
function withStops(source: string, method: Method, site: MethodSite): string {
  const places = site.write
    .flatMap((name) => {
      const hyperparameter = method.hyperparameters.find((each) => each.name === name);
      const match = new RegExp(`\\b${name}: [^=,\\n]+= ([^,)\\n]+)`).exec(source);
      if (hyperparameter === undefined || match?.[1] === undefined) return [];
      const to = match.index + match[0].length;
      return [{ hyperparameter, from: to - match[1].length, to }];
    })
    .toSorted((a, b) => a.from - b.from);
  let result = "";
  let at = 0;
  places.forEach(({ hyperparameter, from, to }, index) => {
    result +=
      literally(source.slice(at, from)) + valueStop(index + 1, hyperparameter, source.slice(from, to));
    at = to;
  });
  return result + literally(source.slice(at));
}

/** The default first, then the other values that papers use. */
function valueStop(number: number, { choices, type }: Hyperparameter, preset: string, quote = '"'): string {
  const others = (choices ?? [])
    .map((value) => valueText(value, type, quote))
    .filter((value) => value !== preset);
  return others.length === 0 ? stop(number, preset) : choice(number, [preset, ...others]);
}

const valueText = (value: number | boolean | string, type: Hyperparameter["type"], quote: string): string =>
  type === "float" && Number.isInteger(value) ? `${Number(value)}.0` : literal(value, quote);

/** What the constructor takes before its hyperparameters, by kind of site. */
function leadingArguments(site: MethodSite, module: ModuleClass): string[] | undefined {
  const width =
    module.residuals.find((branch) => branch.width !== undefined)?.width ?? module.stacks[0]?.width;
  switch (site.kind) {
    case "linear":
      return ["in_features", "out_features"];
    case "conv":
      return ["in_channels", "out_channels", "kernel_size"];
    case "embedding":
      return ["num_embeddings", "embedding_dim"];
    case "norm":
      return ["normalized_shape"];
    case "attention":
      return ["embed_dim", "num_heads"];
    case "block-output":
    case "block-stack":
      return [width?.text ?? "width"];
    case "skip":
      return [module.skips[0]?.channels?.text ?? "channels"];
    default:
      return undefined;
  }
}

/** `self.c_attn = LoRALinear(in_features, out_features, rank=8, alpha=16.0)`; the class goes above the model, once. */
function usagesOf(
  context: FeatureContext,
  document: OpenDocument,
  method: Method,
  module: ModuleClass,
): Written[] {
  const { text, facts } = document.python;
  const sources = [...context.library.shared(), ...method.python];
  const usable = method.sites.flatMap((site) => {
    const leading = leadingArguments(site, module);
    return leading === undefined ? [] : [{ site, leading }];
  });
  return usable.map(({ site, leading }) => {
    const { edits, names } = bringDefinitions(
      { text, facts },
      sources,
      [site.symbol],
      topLevelStart({ text, facts }, module.range.from),
    );
    const symbol = names.get(site.symbol) ?? site.symbol;
    const attribute = (site.attribute ?? "layer").replace("{layer}_", "");
    let number = 1;
    const args = [
      ...leading.map((name) => stop(++number, name)),
      ...site.write.flatMap((name) => {
        const hyperparameter = method.hyperparameters.find((each) => each.name === name);
        if (hyperparameter === undefined) return [];
        const { quote } = facts.layout;
        const preset = valueText(hyperparameter.default, hyperparameter.type, quote);
        return [`${name}=${valueStop(++number, hyperparameter, preset, quote)}`];
      }),
    ];
    return {
      method,
      label: usable.length > 1 ? `${labelOf(method.id)}-${site.symbol}` : labelOf(method.id),
      detail: `${method.name}: ${symbol}`,
      snippet: `self.${stop(1, attribute)} = ${symbol}(${args.join(", ")})`,
      additional: edits,
    };
  });
}
