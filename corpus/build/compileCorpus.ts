/** Reads a corpus folder and compiles it; the JSON Schemas have the last word on every file. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import conversionsSchema from "../schema/conversions.schema.json";
import familiesSchema from "../schema/families.schema.json";
import methodSchema from "../schema/method.schema.json";
import paperSchema from "../schema/paper.schema.json";
import recipeSchema from "../schema/recipe.schema.json";
import rulesSchema from "../schema/rules.schema.json";
import symbolsSchema from "../schema/symbols.schema.json";
import { type Compiled, compile } from "../../server/src/literature/source/compile";
import { fieldName, type Problem, type SourceText } from "../../server/src/literature/source/problems";

/** Compiles the corpus that lies under `root`; paths in problems are relative to `base`. */
export function compileCorpus(root: string, base = process.cwd()): Compiled {
  const files = sourceFiles(root, base);
  const version = createHash("sha256")
    .update(JSON.stringify(files.map(({ path, text }) => [path, text])))
    .digest("hex")
    .slice(0, 12);
  const { corpus, problems } = compile(files, { version });
  const known = new Set(problems.map(({ file }) => file));
  return {
    corpus,
    problems: [...problems, ...files.filter(({ path }) => !known.has(path)).flatMap(schemaProblems)],
  };
}

/** Every Markdown, YAML and Python file of a corpus, in a fixed order. */
function sourceFiles(root: string, base: string): SourceText[] {
  return ["papers", "methods", "symbols", "rules", "conversions", "recipes", "families"]
    .map((folder) => join(root, folder))
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      return readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(md|ya?ml|py)$/.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name));
    })
    .filter((path) => !path.includes("__pycache__"))
    .sort()
    .map((path) => ({ path: relative(base, path).split(sep).join("/"), text: readFileSync(path, "utf8") }));
}

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
ajv.addKeyword("patternErrorMessage");
const validators: readonly { readonly pattern: RegExp; readonly validate: ValidateFunction }[] = [
  { pattern: /papers\/[^/]+\.md$/, validate: ajv.compile(paperSchema) },
  { pattern: /methods\/[^/]+\/method\.yaml$/, validate: ajv.compile(methodSchema) },
  { pattern: /symbols\/[^/]+\.yaml$/, validate: ajv.compile(symbolsSchema) },
  { pattern: /rules\/[^/]+\.yaml$/, validate: ajv.compile(rulesSchema) },
  { pattern: /conversions\/[^/]+\.yaml$/, validate: ajv.compile(conversionsSchema) },
  { pattern: /recipes\/[^/]+\.yaml$/, validate: ajv.compile(recipeSchema) },
  { pattern: /families\/[^/]+\.yaml$/, validate: ajv.compile(familiesSchema) },
];

/** What a full JSON Schema validator finds in a file that the compiler accepted. */
export function schemaProblems({ path, text }: SourceText): Problem[] {
  const validate = validators.find(({ pattern }) => pattern.test(path))?.validate;
  if (validate === undefined) return [];
  const yaml = path.endsWith(".md") ? (/^---\r?\n([\s\S]*?)^---/m.exec(text)?.[1] ?? "") : text;
  if (validate(parse(yaml))) return [];
  return (validate.errors ?? []).map(({ instancePath, message = "is not what the schema says" }) => ({
    file: path,
    line: 1,
    field: fieldName(instancePath.split("/").slice(1)),
    message,
  }));
}
