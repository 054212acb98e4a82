/** Completion: arguments of known calls with what papers recommend, and snippets of methods. */
import { type CompletionItem, type CompletionList, MarkupKind } from "vscode-languageserver-types";
import type { ProjectManner } from "../adapters/projectManner";
import { callAt, classAt, proseAt } from "../python/at";
import type { ModuleClass, PythonFacts, Range } from "../python/facts";
import { paragraphs, prose } from "../render/markdown";
import { argumentPosition } from "./completion/argumentPosition";
import { completeArgument, type FieldData } from "./completion/arguments";
import { calleeOf, fieldsOf } from "./completion/fields";
import { completeMethods, type MethodData } from "./completion/methods";
import type { FeatureContext, OpenDocument } from "./context";
import { recommendation, sourceText } from "./hover/literature";
import { methodHover } from "./hover/method";

const nothing: CompletionList = { isIncomplete: false, items: [] };

/** @param project how snippets of methods are broken; see `holdsMethods` */
export function complete(
  context: FeatureContext,
  document: OpenDocument,
  offset: number,
  project: ProjectManner = {},
): CompletionList {
  if (!context.settings.completion.enable) return nothing;
  const { facts, text } = document.python;
  if (inProse(facts, offset)) return nothing;
  const { call } = callAt(facts, offset) ?? {};
  const position = call && argumentPosition(text, call.argumentList.from + 1, offset);
  if (call !== undefined && position !== undefined) {
    const callee =
      call.qualified === undefined ? undefined : calleeOf(context.library, facts, call.qualified);
    const items = callee === undefined ? [] : completeArgument(context, document, call, callee, position);
    return { isIncomplete: false, items };
  }
  if (proseAt(facts, offset) !== undefined) return nothing;
  const statement = statementPosition(document, offset);
  return statement === undefined
    ? nothing
    : completeMethods(context, document, statement.module, statement.word, project);
}

/** Whether an answer has snippets of methods, whose form depends on the project's manner. */
export const holdsMethods = ({ items }: CompletionList): boolean =>
  items.some(({ data }) => isMethodData(data));

/** A comment, to the end of its line, or a docstring. Strings are left to the call that they stand in. */
function inProse(facts: PythonFacts, offset: number): boolean {
  const prose = proseAt(facts, offset);
  return prose !== undefined && prose.kind !== "string" && offset > prose.range.from;
}

interface StatementPosition {
  /** The model class in whose `__init__` the cursor stands; absent at module level. */
  readonly module: ModuleClass | undefined;
  readonly word: Range;
}

/** Where nothing but a word stands on the line, at module level or at the level of a model's `__init__`. */
function statementPosition(
  { python: { facts, text } }: OpenDocument,
  offset: number,
): StatementPosition | undefined {
  const lineStart = Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
  const [, indentation, typed] = /^([ \t]*)([A-Za-z_][\w-]*)?$/.exec(text.slice(lineStart, offset)) ?? [];
  if (indentation === undefined || !/^[ \t]*(?:#.*)?(?:[\r\n]|$)/.test(text.slice(offset))) return undefined;
  if (continues(text.slice(0, lineStart))) return undefined;
  const word = { from: offset - (typed ?? "").length, to: offset };
  if (indentation === "") return { module: undefined, word };
  const module = classAt(facts, offset) ?? classAbove(facts, lineStart, text);
  const { init } = module ?? {};
  if (
    module === undefined ||
    init === undefined ||
    indentation !== `${module.bodyIndentation}${facts.layout.indent}`
  )
    return undefined;
  const next = module.methods.find((method) => method.range.from >= init.bodyEnd && method !== init);
  const inInit = offset >= init.bodyStart && offset <= (next?.range.from ?? Infinity);
  return inInit ? { module, word } : undefined;
}

/** The class that ends right above a line, when only blank lines stand between. */
const classAbove = (facts: PythonFacts, lineStart: number, text: string): ModuleClass | undefined =>
  facts.modules.findLast(
    ({ range }) => range.to <= lineStart && text.slice(range.to, lineStart).trim() === "",
  );

/** Whether the line before goes on: it ends with an open bracket, a comma, an operator or a backslash. */
function continues(above: string): boolean {
  const line = /([^\r\n]*)\r?\n?$/.exec(above.slice(-500))?.[1] ?? "";
  return /(?:[([{,\\=+*/|&.-]|\b(?:and|or|not|in|is|if|else))$/.test(line.replace(/#.*$/, "").trimEnd());
}

/** Adds documentation; it is asked for the item that the user looks at. */
export function resolveCompletion(context: FeatureContext, item: CompletionItem): CompletionItem {
  const data: unknown = item.data;
  const value = isMethodData(data)
    ? methodDocumentation(context, data)
    : isFieldData(data)
      ? fieldDocumentation(context, data)
      : undefined;
  return value === undefined ? item : { ...item, documentation: { kind: MarkupKind.Markdown, value } };
}

function methodDocumentation(context: FeatureContext, { method: id }: MethodData): string | undefined {
  const method = context.library.method(id);
  return method && methodHover(context, method, method.name);
}

function fieldDocumentation(
  context: FeatureContext,
  { kind, id, field: name, value }: FieldData,
): string | undefined {
  const method = context.library.method(id);
  const fields = kind === "symbol" ? context.library.symbol(id)?.fields : method && fieldsOf(method);
  const field = fields?.find((each) => each.name === name);
  if (field === undefined) return undefined;
  const known = value === undefined ? undefined : field.values?.find((each) => each.value === value);
  return paragraphs(
    known?.meaning === undefined ? undefined : prose(known.meaning),
    known?.source === undefined ? undefined : `Source: ${sourceText(context, known.source)}`,
    prose(field.meaning),
    field.recommended && `Recommended: ${recommendation(context, field.recommended)}`,
  );
}

const isRecord = (data: unknown): data is Readonly<Record<string, unknown>> =>
  typeof data === "object" && data !== null;

const isMethodData = (data: unknown): data is MethodData =>
  isRecord(data) && data["kind"] === "snippet" && typeof data["method"] === "string";

const isFieldData = (data: unknown): data is FieldData =>
  isRecord(data) &&
  (data["kind"] === "symbol" || data["kind"] === "method") &&
  typeof data["id"] === "string" &&
  typeof data["field"] === "string" &&
  (data["value"] === undefined || typeof data["value"] === "string");
