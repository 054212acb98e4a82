/** methods/<id>/: method.yaml, and the Python that is inserted. */
import methodSchema from "../../../../corpus/schema/method.schema.json";
import { expressionProblem } from "../expression";
import type { Method, MethodSite } from "../model";
import type { FieldPath, Problem, SourceText } from "./problems";
import { acceptedKeywords, type PythonFile, readPython, withNeeds } from "./pythonSource";
import { nearest, violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

/** Sizes that a place in code can tell, by the names of PyTorch's constructors. */
const sizes = [
  "in_features",
  "out_features",
  "bias",
  "width",
  "channels",
  "in_channels",
  "out_channels",
  "kernel_size",
  "taps",
  "groups",
  "num_embeddings",
  "embedding_dim",
  "num_heads",
  "embed_dim",
  "kdim",
  "vdim",
  "depth",
];

type SiteFields = Omit<MethodSite, "write"> & { readonly write?: readonly string[] };

type MethodFields = Omit<Method, "hyperparameters" | "sites" | "notes" | "python"> &
  Partial<Pick<Method, "hyperparameters" | "notes">> & {
    readonly sites?: readonly SiteFields[];
    readonly symbols?: readonly string[];
  };

// a field added to MethodSite has to be added to the schema
methodSchema.properties.sites.items.properties satisfies Record<keyof MethodSite, object>;

export interface MethodFile {
  readonly yaml: YamlFile;
  readonly method?: Method;
  readonly problems: readonly Problem[];
}

function isMethodFields(value: unknown): value is MethodFields {
  return violations(methodSchema, value).length === 0;
}

/** Reads one method with its Python files; `shared` are the files of methods/shared, `sharedNames` all that they may use. */
export function readMethod(
  file: SourceText,
  pythonFiles: readonly SourceText[],
  shared: readonly PythonFile[],
  sharedNames: ReadonlySet<string>,
): MethodFile {
  const yaml = readYaml(file.path, file.text, methodSchema);
  const python = pythonFiles.map(readPython);
  const problems = [...yaml.problems, ...python.flatMap((each) => each.problems)];
  if (!isMethodFields(yaml.value)) return { yaml, problems };
  const { symbols = [], ...fields } = yaml.value;
  const available = new Set([
    ...sharedNames,
    ...python.flatMap(({ source }) => source.definitions.map(({ name }) => name)),
  ]);
  const method = {
    ...fields,
    formula: fields.formula.trim(),
    summary: fields.summary.trim(),
    hyperparameters: fields.hyperparameters ?? [],
    sites: (fields.sites ?? []).map((site) => ({ ...site, write: site.write ?? [] })),
    notes: fields.notes ?? [],
    symbols,
    python: python.map((each) => withNeeds(each, available)),
  } satisfies Method;
  const folder = file.path.split("/").at(-2) ?? "";
  if (method.id !== folder)
    problems.push(yaml.problem(["id"], `must be the folder's name, ${folder}, found "${method.id}"`));
  if (method.fidelity === "reconstruction" && method.fidelityNote === undefined)
    problems.push(yaml.problem(["fidelityNote"], "is missing: a reconstruction must say what was inferred"));
  problems.push(
    ...hyperparameterProblems(method, yaml),
    ...describedProblems(method, yaml),
    ...siteProblems(method, yaml, [...python, ...shared]),
  );
  return { yaml, method, problems };
}

function hyperparameterProblems(method: Method, yaml: YamlFile): Problem[] {
  return method.hyperparameters.flatMap(
    ({ type, default: preset, choices = [], small = preset, name }, index) => {
      const at: FieldPath = ["hyperparameters", index];
      const wrong = (value: unknown): boolean =>
        type === "int"
          ? !Number.isInteger(value)
          : typeof value !== { float: "number", bool: "boolean", str: "string" }[type];
      const found: Problem[] = [];
      if (method.hyperparameters.findIndex((other) => other.name === name) < index)
        found.push(yaml.problem([...at, "name"], `must be named once, found ${name} again`));
      if (wrong(preset))
        found.push(
          yaml.problem([...at, "default"], `must be of type ${type}, found ${JSON.stringify(preset)}`),
        );
      if (wrong(small))
        found.push(yaml.problem([...at, "small"], `must be of type ${type}, found ${JSON.stringify(small)}`));
      if (choices.some(wrong))
        found.push(
          yaml.problem(
            [...at, "choices"],
            `must all be of type ${type}, found ${choices.map(String).join(", ")}`,
          ),
        );
      return found;
    },
  );
}

/** A method that goes nowhere yet says itself what it trains; one that does says it at its sites. */
function describedProblems(method: Method, yaml: YamlFile): Problem[] {
  const { trainable, shared, sites, python } = method;
  const found: Problem[] = [];
  if (sites.length > 0) {
    for (const field of ["trainable", "shared"] as const)
      if (method[field] !== undefined)
        found.push(yaml.problem([field], "belongs to the sites: say there what is trained"));
    return found;
  }
  if (python.length > 0)
    found.push(yaml.problem(["sites"], "is missing: say where the Python beside this file goes"));
  for (const [field, text] of Object.entries({ trainable, shared })) {
    const wrong = text === undefined ? undefined : expressionProblem(text, variablesOf(method));
    if (wrong !== undefined) found.push(yaml.problem([field], wrong));
  }
  return found;
}

/** What expressions may use: the hyperparameters and the sizes of a place. */
const variablesOf = ({ hyperparameters }: Method): ReadonlySet<string> =>
  new Set([...hyperparameters.map(({ name }) => name), ...sizes]);

function siteProblems(method: Method, yaml: YamlFile, python: readonly PythonFile[]): Problem[] {
  const names = method.hyperparameters.map(({ name }) => name);
  const variables = variablesOf(method);
  return method.sites.flatMap((site, index) => {
    const at: FieldPath = ["sites", index];
    const found: Problem[] = [];
    const expressions: readonly (readonly [FieldPath, string | undefined])[] = [
      [["trainable"], site.trainable],
      [["shared"], site.shared],
      ...(site.requires ?? []).map((text, each) => [["requires", each], text] as const),
    ];
    for (const [field, text] of expressions) {
      const wrong = text === undefined ? undefined : expressionProblem(text, variables);
      if (wrong !== undefined) found.push(yaml.problem([...at, ...field], wrong));
    }
    for (const [each, name] of (site.uses ?? []).entries())
      if (!python.some(({ source }) => source.definitions.some((definition) => definition.name === name)))
        found.push(
          yaml.problem([...at, "uses", each], `must be a definition of the Python files, found "${name}"`),
        );
    const unknown = site.write.filter((name) => !names.includes(name));
    for (const name of unknown) {
      const near = nearest(name, names);
      const remedy = near === undefined ? "describe it there" : `did you mean ${near}?`;
      found.push(
        yaml.problem([...at, "write"], `names ${name}, which is not under hyperparameters: ${remedy}`),
      );
    }
    const keywords = acceptedKeywords(site.symbol, python);
    if (keywords === undefined) {
      const message = `must be a class or function of the Python files, found "${site.symbol}"`;
      return [...found, yaml.problem([...at, "symbol"], message)];
    }
    for (const name of site.write)
      if (!unknown.includes(name) && !keywords.has(name))
        found.push(yaml.problem([...at, "write"], `names ${name}, which ${site.symbol} does not accept`));
    return found;
  });
}
