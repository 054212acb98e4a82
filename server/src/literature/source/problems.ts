/** What is wrong with a corpus file, told so that its author can put it right. */

export interface SourceText {
  /** Path as shown to the user; the part from `papers/`, `methods/` or `symbols/` on says what the file is. */
  readonly path: string;
  readonly text: string;
}

export interface Problem {
  readonly file: string;
  readonly line: number;
  /** "year", "claims[0].source"; empty where the whole file is meant. */
  readonly field: string;
  readonly message: string;
}

export type FieldPath = readonly (string | number)[];

/** `["claims", 0, "source"]` → `claims[0].source`. */
export function fieldName(path: FieldPath): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

/** `corpus/papers/dora.md:6: year must be a whole number, found "twenty"`. */
export function formatProblem({ file, line, field, message }: Problem): string {
  return `${file}:${line}: ${field === "" ? "" : `${field} `}${message}`;
}
