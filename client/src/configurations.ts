/** Which documents the server is started for: Python, and YAML that may be some library's configuration. */

interface Document {
  readonly languageId: string;
  readonly lineCount: number;
  getText(): string;
}

/** No configuration has more lines; a longer document is not looked at. */
const longest = 5_000;

/** `keys`: of these every configuration file has one at its top. What it really is, the server knows. */
export function concerns(document: Document, keys: readonly string[]): boolean {
  if (document.languageId === "python") return true;
  if (document.languageId !== "yaml" || document.lineCount > longest) return false;
  const text = document.getText();
  return keys.some((key) => new RegExp(`^["']?${key}["']?[ \\t]*:`, "m").test(text));
}
