/** Arguments that a configuration does not take: spelt almost like one that it does, or as another library spells it. */
import type { Library } from "../../../literature/library";
import type { LibrarySymbol } from "../../../literature/catalogue";
import type { Argument, Call } from "../../../python/facts";
import { argumentsOf } from "../callArguments";
import { callsIn } from "../configurationCalls";
import { nearest } from "../nearest";
import { renameArgument } from "../repairs";
import type { Check, Finding, RuleContext } from "../rule";
import { unpackedInto } from "../unpacked";

export const misspeltArgument: Check = (context) =>
  strangers(context).flatMap(({ call, symbol, argument, name, given }) => {
    const meant = meantBy(name, symbol);
    if (meant === undefined || given.has(meant)) return [];
    return [finding(context, call, argument, name, meant, { call: symbol.name, argument: name, meant })];
  });

/** `LoraConfig(attn_matrices=…)`: PEFT's class with an argument of the class that adapters calls LoRAConfig. */
export const foreignArgument: Check = (context, { imports = [] }) =>
  strangers(context).flatMap(({ call, symbol, argument, name, given }) => {
    if (meantBy(name, symbol) !== undefined) return [];
    const other = namesakes(context.library, symbol).find(
      ({ library, fields }) => imports.includes(library) && fields.some((field) => field.name === name),
    );
    if (other === undefined) return [];
    const words = {
      call: symbol.name,
      library: symbol.library,
      argument: name,
      other: other.name,
      elsewhere: other.library,
    };
    // `lora_alpha` there is `alpha` here
    const [meant, another] = symbol.fields.filter((field) => name.endsWith(`_${field.name}`));
    const known = another === undefined && meant !== undefined && !given.has(meant.name);
    return [finding(context, call, argument, name, known ? meant.name : undefined, words)];
  });

interface Stranger {
  readonly call: Call;
  readonly symbol: LibrarySymbol;
  readonly argument: Argument;
  readonly name: string;
  /** The names of all arguments that are given. */
  readonly given: ReadonlySet<string>;
}

/** Arguments that a configuration of the catalogue does not have. */
const strangers = (context: RuleContext): Stranger[] =>
  callsIn(context).flatMap((call) => {
    const symbol = call.qualified === undefined ? undefined : context.library.symbol(call.qualified);
    if (symbol?.kind !== "config" || symbol.fields.length < 3) return [];
    const written = [...call.arguments, ...(unpackedInto(call, context.values)?.values() ?? [])];
    const given = new Set(written.flatMap(({ keyword }) => keyword?.name ?? []));
    return written.flatMap((argument) => {
      const name = argument.keyword?.name;
      if (name === undefined || symbol.fields.some((field) => field.name === name)) return [];
      return [{ call, symbol, argument, name, given }];
    });
  });

function finding(
  context: RuleContext,
  call: Call,
  { keyword, range }: Argument,
  name: string,
  meant: string | undefined,
  words: Readonly<Record<string, string>>,
): Finding {
  const repair = meant === undefined ? undefined : renameArgument(argumentsOf(call, context), name, meant);
  return { range: keyword?.range ?? range, words, ...(repair === undefined ? {} : { repairs: [repair] }) };
}

/** Configurations of other libraries that differ in name by capitals alone. */
const namesakes = (library: Library, { name, library: own }: LibrarySymbol): LibrarySymbol[] =>
  library
    .symbols()
    .filter(
      (each) =>
        each.kind === "config" && each.library !== own && each.name.toLowerCase() === name.toLowerCase(),
    );

/** `rank` and `alpha` are what other libraries call `r` and `lora_alpha`. */
function meantBy(name: string, { fields }: LibrarySymbol): string | undefined {
  const names = fields.map((field) => field.name);
  const elsewhere = names.filter((each) => each.endsWith(`_${name}`));
  if (elsewhere.length === 1) return elsewhere[0];
  if (name === "rank" && names.includes("r")) return "r";
  // two letters apart may well be an argument of a later release: use_qalora, use_rslora
  return name.length < 4 ? undefined : nearest(name, names, 1);
}
