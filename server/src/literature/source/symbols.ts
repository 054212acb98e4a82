/** symbols/<library>.yaml: identifiers of the ecosystem. */
import symbolsSchema from "../../../../corpus/schema/symbols.schema.json";
import type { LibrarySymbol } from "../model";
import type { Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

type SymbolFields = Omit<LibrarySymbol, "library" | "papers" | "methods" | "fields"> &
  Partial<Pick<LibrarySymbol, "papers" | "methods" | "fields">>;

interface SymbolsFields {
  readonly library: string;
  readonly symbols: readonly SymbolFields[];
}

export interface SymbolsFile {
  readonly yaml: YamlFile;
  readonly symbols: readonly LibrarySymbol[];
  readonly problems: readonly Problem[];
}

function isSymbolsFields(value: unknown): value is SymbolsFields {
  return violations(symbolsSchema, value).length === 0;
}

/** Reads the symbols of one library. */
export function readSymbols({ path, text }: SourceText): SymbolsFile {
  const yaml = readYaml(path, text, symbolsSchema);
  if (!isSymbolsFields(yaml.value)) return { yaml, symbols: [], problems: yaml.problems };
  const { library } = yaml.value;
  const symbols = yaml.value.symbols.map((symbol) => ({
    ...symbol,
    library,
    papers: symbol.papers ?? [],
    methods: symbol.methods ?? [],
    fields: symbol.fields ?? [],
  }));
  return { yaml, symbols, problems: yaml.problems };
}
