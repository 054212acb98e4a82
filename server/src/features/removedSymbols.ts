/** Names that a library had once; what replaced them is the same thing under another name. */
import type { Library } from "../literature/library";
import type { LibrarySymbol } from "../literature/catalogue";

export interface RemovedSymbol {
  readonly symbol: LibrarySymbol;
  readonly name: string;
  /** The release that no longer has it. */
  readonly since: string;
  readonly replacement: string;
}

export const removedSymbols = (library: Library): RemovedSymbol[] =>
  library.symbols().flatMap((symbol) => {
    const { name, removed } = symbol;
    return removed?.instead === undefined
      ? []
      : [{ symbol, name, since: removed.version, replacement: removed.instead }];
  });
