/** What the extension and the paper page say to each other. */
import type { PaperView } from "../../../server/src/protocol";

export type ToPage = { readonly kind: "paper"; readonly paper: PaperView };

export type FromPage =
  | { readonly kind: "ready" }
  /** A page that VS Code restored knows only what it kept. */
  | { readonly kind: "open"; readonly paper: string }
  | { readonly kind: "insert"; readonly method: string }
  | { readonly kind: "cite"; readonly paper: string }
  | { readonly kind: "copy"; readonly text: string };

/** A message from the page, checked: a page shows what others wrote. */
export function readMessage(message: unknown): FromPage | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(message, name);
    return typeof value === "string" ? value : undefined;
  };
  const [kind, paper, method, copied] = [text("kind"), text("paper"), text("method"), text("text")];
  if (kind === "ready") return { kind };
  if ((kind === "open" || kind === "cite") && paper !== undefined) return { kind, paper };
  if (kind === "insert" && method !== undefined) return { kind, method };
  if (kind === "copy" && copied !== undefined) return { kind, text: copied };
  return undefined;
}
