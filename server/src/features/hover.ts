/** What the papers say about the token under the cursor. */
import { type Hover, MarkupKind } from "vscode-languageserver-types";
import type { LibrarySymbol } from "../literature/catalogue";
import { callAt, layerAt, proseAt, referenceAt } from "../python/at";
import type { Call, Prose, Range } from "../python/facts";
import { around, modulesAround } from "../python/local";
import type { FeatureContext, OpenDocument } from "./context";
import { argumentHover, valueHover, valueToken } from "./hover/argument";
import { layerHover } from "./hover/layer";
import { layerNameHover } from "./hover/layerName";
import { hyperparameterHover, methodHover } from "./hover/method";
import { namedHover } from "./hover/named";
import { paperHover } from "./hover/paper";
import { resemblingHover } from "./hover/resembling";
import { symbolHover } from "./hover/symbol";
import { insertedMethod } from "./inserted";
import { paperAt } from "./mentions";

/** Markdown about exactly the token at `range`. */
interface Found {
  readonly range: Range;
  readonly markdown: string;
}

export function hover(context: FeatureContext, document: OpenDocument, offset: number): Hover | null {
  if (!context.settings.hover.enable) return null;
  const found = findAt(context, document, offset) ?? findBefore(context, document, offset);
  if (found === undefined) return null;
  const { text } = document;
  return {
    contents: { kind: MarkupKind.Markdown, value: found.markdown },
    range: { start: text.positionAt(found.range.from), end: text.positionAt(found.range.to) },
  };
}

/** A caret just behind a word means that word. */
function findBefore(context: FeatureContext, document: OpenDocument, offset: number): Found | undefined {
  const { text } = document.python;
  const behindWord = offset > 0 && /\w/.test(text.charAt(offset - 1)) && !/\w/.test(text.charAt(offset));
  return behindWord ? findAt(context, document, offset - 1) : undefined;
}

function findAt(context: FeatureContext, document: OpenDocument, offset: number): Found | undefined {
  const { facts, text } = document.python;
  const prose = proseAt(facts, offset);
  if (prose !== undefined) {
    const mention = paperAt(context.library, text, prose, offset);
    if (mention !== undefined) return { range: mention.range, markdown: paperHover(context, mention.paper) };
    return prose.kind === "string" ? findArgument(context, document, prose, offset) : undefined;
  }
  return (
    findLayer(context, document, offset) ??
    findName(context, document, offset) ??
    findArgument(context, document, undefined, offset) ??
    findMethodName(context, document, offset)
  );
}

/** A name by which other code knows a method; a variable that happens to be called so, `hidden_states`, is none. */
function findMethodName(context: FeatureContext, document: OpenDocument, offset: number): Found | undefined {
  const { facts, text } = document.python;
  const before = /\w*$/.exec(text.slice(Math.max(0, offset - 80), offset))?.[0] ?? "";
  const after = /^\w*/.exec(text.slice(offset, offset + 80))?.[0] ?? "";
  const name = before + after;
  const methods = context.library.methodsNamed(name);
  if (methods.length === 0) return undefined;
  const range = { from: offset - before.length, to: offset + after.length };
  const bound = facts.imports.find(({ local }) => local === name);
  if (bound?.qualified.startsWith("torch.") === true) return undefined;
  const isName =
    /[A-Z]/.test(name) ||
    bound !== undefined ||
    facts.definitions.some((each) => each.name === name && each.kind !== "variable");
  return isName ? found(range, namedHover(context, name, methods)) : undefined;
}

const holds = (range: Range | undefined, offset: number): range is Range =>
  range !== undefined && range.from <= offset && offset < range.to;

const found = (range: Range, markdown: string | undefined): Found | undefined =>
  markdown === undefined ? undefined : { range, markdown };

/** `self.c_attn = nn.Linear(…)`: the attribute and the constructor, where the sizes are known. */
function findLayer(context: FeatureContext, document: OpenDocument, offset: number): Found | undefined {
  if (!context.settings.hover.layers) return undefined;
  const { facts } = document.python;
  const at = layerAt(facts, offset);
  if (at === undefined) return undefined;
  const { module, layer } = at;
  const token = [layer.name, layer.call.name].find((range) => holds(range, offset));
  if (token === undefined) return undefined;
  const ownClass =
    token === layer.call.name && insertedMethod(context.library, facts, layer.type) !== undefined;
  return ownClass ? undefined : found(token, layerHover(context, document, module, layer));
}

/** An identifier that an import or a definition of the file gives a meaning to. */
function findName(context: FeatureContext, document: OpenDocument, offset: number): Found | undefined {
  const { library } = context;
  const { facts } = document.python;
  const call = around(facts, "calls", offset).find(({ name }) => holds(name, offset));
  const binding = around(facts, "imports", offset).find(
    ({ nameRange, aliasRange }) => holds(nameRange, offset) || holds(aliasRange, offset),
  );
  const definition = around(facts, "definitions", offset).find(({ nameRange }) => holds(nameRange, offset));
  const touched = referenceAt(facts, offset);
  const reference = holds(touched?.range, offset) ? touched : undefined;
  const range =
    call?.name ??
    (binding && [binding.nameRange, binding.aliasRange].find((each) => holds(each, offset))) ??
    definition?.nameRange ??
    reference?.range;
  const qualified = call?.qualified ?? binding?.qualified ?? definition?.name ?? reference?.qualified;
  if (range === undefined || qualified === undefined) return undefined;
  const symbol = library.symbol(qualified);
  if (symbol !== undefined) return found(range, symbolHover(context, document, symbol, call));
  const method = insertedMethod(library, facts, qualified);
  if (method !== undefined) return found(range, methodHover(context, method, lastName(qualified)));
  // only where it is defined: elsewhere one would have to read the whole file for it
  const module = modulesAround(facts, range.from).find(({ nameRange }) => nameRange.from === range.from);
  return module && found(range, resemblingHover(context, document, module));
}

const lastName = (qualified: string): string => qualified.slice(qualified.lastIndexOf(".") + 1);

/** A keyword of a known call, or the value behind it. */
function findArgument(
  context: FeatureContext,
  document: OpenDocument,
  prose: Prose | undefined,
  offset: number,
): Found | undefined {
  const { facts, text } = document.python;
  const { call } = callAt(facts, offset) ?? {};
  if (call?.qualified === undefined) return undefined;
  const argument = call.arguments.find(({ range }) => holds(range, offset));
  if (argument?.keyword === undefined) return undefined;
  const { name, range } = argument.keyword;
  const symbol = context.library.symbol(call.qualified);
  if (holds(range, offset)) return found(range, keywordHover(context, document, symbol, call, name));

  const field = symbol?.fields.find((each) => each.name === name);
  if (symbol === undefined || field === undefined) return undefined;
  const token = valueToken(argument, prose?.range, offset) ?? referenceAt(facts, offset)?.range;
  if (token === undefined) return undefined;
  const value = valueHover(context, document, symbol, field, call, text.slice(token.from, token.to));
  if (value !== undefined) return { range: token, markdown: value };
  const named = layerNameHover(context, document, symbol, field, call, text.slice(token.from, token.to));
  if (named !== undefined && argument.value.value.kind === "list") return { range: token, markdown: named };
  const isLiteral =
    !/^[A-Za-z_]/.test(text.slice(token.from, token.to)) || argument.value.value.kind !== "reference";
  return isLiteral
    ? { range: token, markdown: argumentHover(context, document, symbol, field, call) }
    : undefined;
}

function keywordHover(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol | undefined,
  call: Call,
  name: string,
): string | undefined {
  const field = symbol?.fields.find((each) => each.name === name);
  if (symbol !== undefined && field !== undefined)
    return argumentHover(context, document, symbol, field, call);
  const method = insertedMethod(context.library, document.python.facts, call.qualified ?? "");
  return method && hyperparameterHover(context, method, name);
}
