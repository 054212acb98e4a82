/** Names that a library had once; what replaced them is the same thing under another name. */
import type { Library } from "../literature/library";
import type { LibrarySymbol, Release } from "../literature/catalogue";

export interface RemovedSymbol {
  readonly symbol: LibrarySymbol;
  readonly name: string;
  /** The release that no longer has it. */
  readonly since: string;
  readonly replacement: string;
}

export const removedSymbols = (library: Library): RemovedSymbol[] =>
  oldSymbols(library, ({ removed }) => removed);

/** Names that a library still has and warns of. */
export const deprecatedSymbols = (library: Library): RemovedSymbol[] =>
  oldSymbols(library, ({ deprecated }) => deprecated);

const oldSymbols = (
  library: Library,
  releaseOf: (symbol: LibrarySymbol) => Release | undefined,
): RemovedSymbol[] =>
  library.symbols().flatMap((symbol) => {
    const release = releaseOf(symbol);
    return release?.instead === undefined
      ? []
      : [{ symbol, name: symbol.name, since: release.version, replacement: release.instead }];
  });
