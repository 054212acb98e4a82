/** A YAML mapping that remembers on which line each field stands. */
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from "yaml";
import { fieldName, type FieldPath, type Problem } from "./problems";
import { type Schema, violations } from "./schema";

export interface YamlFile {
  readonly path: string;
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** A problem of this file at a field. */
  problem(field: FieldPath, message: string): Problem;
}

/** Reads `text`, which starts after `skippedLines` lines of the file, and checks it against `schema`. */
export function readYaml(path: string, text: string, schema: Schema, skippedLines = 0): YamlFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const lineAt = (offset: number): number => lineCounter.linePos(offset).line + skippedLines;

  /** Line of a field's key, else of the nearest field that exists. */
  const lineOf = (field: FieldPath): number => {
    for (let length = field.length; length > 0; length--) {
      const parent: unknown =
        length === 1 ? document.contents : document.getIn(field.slice(0, length - 1), true);
      const last = field[length - 1];
      if (isMap(parent)) {
        const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last);
        if (isPair(pair) && isNode(pair.key) && pair.key.range) return lineAt(pair.key.range[0]);
      } else {
        const node: unknown = document.getIn(field.slice(0, length), true);
        if (isNode(node) && node.range) return lineAt(node.range[0]);
      }
    }
    return 1 + skippedLines;
  };
  const problem = (field: FieldPath, message: string): Problem => ({
    file: path,
    line: lineOf(field),
    field: fieldName(field),
    message,
  });

  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file: path,
      line: lineAt(error.pos[0]),
      field: "",
      message: `is not valid YAML: ${error.message.replace(/\s+/g, " ")}`,
    }));
    return { path, value: undefined, problems, problem };
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  const problems = violations(schema, value).map((found) => problem(found.path, found.message));
  return { path, value, problems, problem };
}
