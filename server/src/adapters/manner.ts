/** A method's Python in the manner of the file it goes to: indentation, quotes, annotations. Line breaks follow when edits are made. */
import { readPython } from "../python/document";
import { quotedAnnotations, withoutQuotes } from "./annotations";
import type { SourceFile } from "./definitions";

export function inManner(source: string, file: SourceFile): string {
  const { layout } = file.facts;
  const deferred = file.facts.imports.some(({ qualified }) => qualified === "__future__.annotations");
  const annotated = !deferred && isForOldPython(file) ? source : withoutQuotes(source, !deferred);
  const quoted = layout.quote === "'" ? withSingleQuotes(annotated) : annotated;
  const documented = docstringQuote(file) === "'''" ? quoted.replaceAll('"""', "'''") : quoted;
  return layout.indent === "    "
    ? documented
    : documented.replace(/^(?: {4})+/gm, (spaces) => layout.indent.repeat(spaces.length / 4));
}

function withSingleQuotes(source: string): string {
  const strings = readPython(source).facts.prose.filter(({ kind }) => kind === "string");
  return strings.reduceRight((text, { range: { from, to } }) => {
    const simple = /^([a-zA-Z]*)"([^"'\\\n]*)"$/.exec(text.slice(from, to));
    return simple === null ? text : `${text.slice(0, from)}${simple[1]}'${simple[2]}'${text.slice(to)}`;
  }, source);
}

/** What most docstrings of the file start with. */
function docstringQuote({ text, facts }: SourceFile): string {
  const docstrings = facts.prose.filter(({ kind }) => kind === "docstring");
  const single = docstrings.filter(({ range }) => /^\w*'''/.test(text.slice(range.from, range.from + 5)));
  return single.length * 2 > docstrings.length ? "'''" : '"""';
}

/** What typing has had since Python could say it without. */
const oldNames = /^typing\.(?:Optional|Union|List|Dict|Tuple|Set|Type)$/;

/** Whether the file may be for a Python that cannot evaluate `Tensor | None`. */
function isForOldPython({ facts, project }: SourceFile): boolean {
  if (project?.python !== undefined) return project.python < 10;
  const functions = [...facts.functions, ...facts.modules.flatMap(({ methods }) => methods)];
  const hasUnions = functions.some(({ parameters }) =>
    parameters.some(({ annotation = "" }) => annotation.includes("|") && !/["']/.test(annotation)),
  );
  return !hasUnions && facts.imports.some(({ qualified }) => oldNames.test(qualified));
}

/** Renames free identifiers, leaving comments, strings, attributes and keyword arguments alone. */
export function renamed(source: string, renames: ReadonlyMap<string, string>): string {
  if (renames.size === 0) return source;
  const annotations = quotedAnnotations(source);
  const prose = readPython(source).facts.prose.filter(
    ({ range }) => !annotations.some(({ from }) => from === range.from),
  );
  const inProse = (offset: number): boolean =>
    prose.some(({ range }) => range.from <= offset && offset < range.to);
  return source.replace(/(?<![\w.])[A-Za-z_]\w*/g, (name, offset: number) =>
    inProse(offset) ? name : (renames.get(name) ?? name),
  );
}

/** Names that free ones must differ from: whatever the file binds anywhere, other than as `qualified`. */
export function isTaken({ text, facts }: SourceFile, name: string, qualified?: string): boolean {
  const bindings = facts.imports.filter(({ local }) => local === name);
  if (bindings.some((each) => each.qualified !== qualified)) return true;
  if (facts.definitions.some((each) => each.name === name)) return true;
  if (!text.includes(name)) return false;
  // methods are no names; parameters and whatever is assigned in some function or branch are
  const bound = new RegExp(
    `^[ \\t]*(?:(?:class|def)[ \\t]+${name}\\b(?!\\(\\s*(?:self|cls)\\b)|(?:for[ \\t]+|with\\b.*\\bas[ \\t]+)?${name}[ \\t]*(?::[^=\\r\\n]*)?(?:=(?!=)|[ \\t]in\\b))|\\bdef\\b[^[\\r\\n]*[(,][ \\t]*${name}[ \\t]*[:=,)]`,
    "gm",
  );
  return [...text.matchAll(bound)].some(
    ({ index }) => !facts.prose.some(({ range }) => range.from <= index && index < range.to),
  );
}
