/** What the extension and the comparison say to each other. */
import type { AdapterChoice, AdapterChoicesParams } from "../../../server/src/protocol";

export interface ComparisonData {
  /** Where the comparison was asked for. */
  readonly place: AdapterChoicesParams;
  readonly choices: readonly AdapterChoice[];
}

export type ToComparison = { readonly kind: "comparison" } & ComparisonData;

export type FromComparison =
  | { readonly kind: "ready" }
  | { readonly kind: "insert"; readonly method: string; readonly site: string }
  | { readonly kind: "open"; readonly paper: string };

/** A message from the page, checked. */
export function readComparisonMessage(message: unknown): FromComparison | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(message, name);
    return typeof value === "string" ? value : undefined;
  };
  const [kind, method, site, paper] = [text("kind"), text("method"), text("site"), text("paper")];
  if (kind === "ready") return { kind };
  if (kind === "insert" && method !== undefined && site !== undefined) return { kind, method, site };
  if (kind === "open" && paper !== undefined) return { kind, paper };
  return undefined;
}
