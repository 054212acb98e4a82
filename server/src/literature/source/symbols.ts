/** symbols/<library>.yaml: identifiers of the ecosystem. */
import symbolsSchema from "../../../../corpus/schema/symbols.schema.json";
import type { LibrarySymbol, SymbolField } from "../catalogue";
import type { Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

/** A symbol as its file has it: what it takes over from others is still only named. */
export interface SymbolSource extends Omit<
  LibrarySymbol,
  "library" | "qualified" | "papers" | "methods" | "fields"
> {
  readonly qualified?: readonly string[];
  readonly papers?: readonly string[];
  readonly methods?: readonly string[];
  /** A text names a field that the library's symbols share. */
  readonly fields?: readonly (SymbolField | string)[];
}

interface SymbolsFields {
  readonly library: string;
  readonly fields?: readonly SymbolField[];
  readonly symbols: readonly SymbolSource[];
}

/** One file of symbols, read by itself. */
export interface SymbolsSource {
  readonly yaml: YamlFile;
  readonly library: string;
  readonly fields: readonly SymbolField[];
  readonly symbols: readonly SymbolSource[];
}

export interface SymbolsFile {
  readonly yaml: YamlFile;
  readonly symbols: readonly LibrarySymbol[];
  readonly problems: readonly Problem[];
}

function isSymbolsFields(value: unknown): value is SymbolsFields {
  return violations(symbolsSchema, value).length === 0;
}

/** Reads one file of the symbols of a library. */
export function readSymbols({ path, text }: SourceText): SymbolsSource {
  const yaml = readYaml(path, text, symbolsSchema);
  if (!isSymbolsFields(yaml.value)) return { yaml, library: "", fields: [], symbols: [] };
  const { library, fields = [], symbols } = yaml.value;
  return { yaml, library, fields, symbols };
}
