/** What every feature is given: the library, the user's settings, and what the client can show. */
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Library } from "../literature/library";
import type { Settings, Theme } from "../protocol";
import type { PythonDocument } from "../python/document";

export interface OpenDocument {
  readonly uri: string;
  readonly text: TextDocument;
  readonly python: PythonDocument;
}

export interface FeatureContext {
  readonly library: Library;
  readonly settings: Settings;
  readonly formulas: "image" | "latex" | "none";
  readonly theme: Theme;
  /** The client runs `litlens.*` commands, so hovers may link to them. */
  readonly commandLinks: boolean;
  /** The client understands snippets in completion items. */
  readonly snippets: boolean;
}
