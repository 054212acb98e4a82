/** conversions/<library>.yaml and recipes/<id>.yaml: what configurations can become, and the figures of papers for them. */
import conversionsSchema from "../../../../corpus/schema/conversions.schema.json";
import recipeSchema from "../../../../corpus/schema/recipe.schema.json";
import { expressionProblem, namesIn } from "../expression";
import type { ArgumentValues, Conversions, LibrarySymbol, Recipe } from "../catalogue";
import type { FieldPath, Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

export interface ConversionsFile {
  readonly yaml: YamlFile;
  readonly conversions?: Conversions;
  readonly problems: readonly Problem[];
}

export interface RecipeFile {
  readonly yaml: YamlFile;
  readonly recipe?: Recipe;
  readonly problems: readonly Problem[];
}

const isConversions = (value: unknown): value is Omit<Conversions, "apart"> & Partial<Conversions> =>
  violations(conversionsSchema, value).length === 0;

const isRecipe = (value: unknown): value is Recipe => violations(recipeSchema, value).length === 0;

/** The {names} of a value: dotted ones are imported, the others are arguments. */
export const namesInTemplate = (value: string): string[] =>
  [...value.matchAll(/\{([A-Za-z_][\w.]*)\}/g)].map(([, name = ""]) => name);

/** Reads the conversions of one library; `symbols` are all that there are. */
export function readConversions(
  { path, text }: SourceText,
  symbols: readonly LibrarySymbol[],
): ConversionsFile {
  const yaml = readYaml(path, text, conversionsSchema);
  if (!isConversions(yaml.value)) return { yaml, problems: yaml.problems };
  const { apart = [] } = yaml.value;
  const conversions: Conversions = { ...yaml.value, apart };
  return { yaml, conversions, problems: [...yaml.problems, ...faults(conversions, yaml, symbols)] };
}

/** Configurations and arguments that do not exist. */
function faults(
  { library, words, places, forms }: Conversions,
  yaml: YamlFile,
  symbols: readonly LibrarySymbol[],
): Problem[] {
  const configs = new Map(
    symbols.flatMap((each) => (each.library === library ? [[each.name, each] as const] : [])),
  );
  // of a library whose symbols cannot be read, those have to be mended first
  const missing = (name: string, at: FieldPath): Problem[] =>
    configs.has(name) || configs.size === 0
      ? []
      : [yaml.problem(at, `names the configuration "${name}", which ${library} does not have in symbols/`)];
  const lacks = (config: string, argument: string, at: FieldPath): Problem[] => {
    const symbol = configs.get(config);
    if (symbol?.fields.some(({ name }) => name === argument) !== false) return [];
    return [yaml.problem(at, `names the argument "${argument}", which ${config} does not have`)];
  };
  const computed = (values: ArgumentValues, at: FieldPath): Problem[] =>
    Object.entries(values).flatMap(([argument, value]) => {
      const wrong = expressionProblem(value);
      if (wrong !== undefined) return [yaml.problem([...at, argument], wrong)];
      return [argument, ...namesIn(value)].flatMap((name) => lacks(words, name, [...at, argument]));
    });
  return [
    ...missing(words, ["words"]),
    ...places.flatMap((argument, index) => lacks(words, argument, ["places", index])),
    ...forms.flatMap((form, index) => {
      const { config, set = {}, as = {}, apart = [], asks = [], unless = [], keeping, inserted } = form;
      const at = (...path: FieldPath): FieldPath => ["forms", index, ...path];
      return [
        ...missing(config, at("config")),
        ...Object.entries(set).flatMap(([argument, value]) => [
          ...lacks(config, argument, at("set", argument)),
          ...namesInTemplate(value)
            .filter((name) => !name.includes("."))
            .flatMap((name) => lacks(words, name, at("set", argument))),
        ]),
        ...Object.entries(as).flatMap(([common, own]) => [
          ...lacks(words, common, at("as", common)),
          ...lacks(config, own, at("as", common)),
        ]),
        ...apart.flatMap((argument, each) => lacks(config, argument, at("apart", each))),
        ...asks.flatMap((argument, each) => lacks(config, argument, at("asks", each))),
        ...unless.flatMap((argument, each) => lacks(config, argument, at("unless", each))),
        ...Object.keys(inserted?.arguments ?? {}).flatMap((argument) =>
          lacks(config, argument, at("inserted", "arguments", argument)),
        ),
        ...Object.entries(inserted?.computed ?? {}).flatMap(([hyperparameter, value]) =>
          namesInTemplate(value).flatMap((argument) =>
            lacks(config, argument, at("inserted", "computed", hyperparameter)),
          ),
        ),
        ...Object.keys(inserted?.set ?? {}).flatMap((argument) =>
          lacks(config, argument, at("inserted", "set", argument)),
        ),
        ...computed(keeping?.to ?? {}, at("keeping", "to")),
        ...computed(keeping?.back ?? {}, at("keeping", "back")),
        ...((form.without === undefined) === (form.why === undefined)
          ? []
          : [yaml.problem(at(), "must have why together with without")]),
      ];
    }),
  ];
}

/** Reads one recipe; `symbols` are all that there are. */
export function readRecipe({ path, text }: SourceText, symbols: readonly LibrarySymbol[]): RecipeFile {
  const yaml = readYaml(path, text, recipeSchema);
  if (!isRecipe(yaml.value)) return { yaml, problems: yaml.problems };
  const recipe = yaml.value;
  const problems = [...yaml.problems];
  const expected = path.slice(path.lastIndexOf("/") + 1, -".yaml".length);
  if (recipe.id !== expected)
    problems.push(yaml.problem(["id"], `must be the file's name, ${expected}, found "${recipe.id}"`));
  recipe.parts.forEach(({ calls, set, optimizer }, index) => {
    for (const [argument, value] of Object.entries(set)) {
      const relative = namesInTemplate(value).find((name) => !name.includes("."));
      const at = ["parts", index, "set", argument];
      if (relative !== undefined)
        problems.push(yaml.problem(at, `{${relative}} must be a qualified name, such as {torch.bfloat16}`));
      // what a call takes is known where its symbol is
      for (const call of optimizer === undefined ? calls : [optimizer]) {
        const fields = symbols.find(({ qualified }) => qualified.includes(call))?.fields ?? [];
        if (fields.length > 0 && !fields.some(({ name }) => name === argument))
          problems.push(yaml.problem(at, `names the argument "${argument}", which ${call} does not have`));
      }
    }
  });
  return { yaml, recipe, problems };
}
