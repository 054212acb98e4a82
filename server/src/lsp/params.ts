/** What the requests beyond LSP may be asked with. Anyone can send them, so they are checked before the service sees them. */
import { ErrorCodes, ResponseError } from "vscode-languageserver";
import * as v from "valibot";

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const position = v.object({ line: natural, character: natural });
const textDocument = v.object({ uri: v.string() });
const destination = v.picklist(["inline", "module"]);
const adapterPlace = { textDocument, position };

export const schemas = {
  searchPapers: v.object({
    query: v.string(),
    limit: v.exactOptional(natural),
    topics: v.exactOptional(v.array(v.string())),
    years: v.exactOptional(v.tuple([v.number(), v.number()])),
    context: v.exactOptional(v.object(adapterPlace)),
  }),
  paper: v.object({ id: v.string() }),
  adapterChoices: v.object(adapterPlace),
  insertAdapter: v.object({
    ...adapterPlace,
    method: v.string(),
    site: v.exactOptional(v.string()),
    options: v.exactOptional(v.record(v.string(), v.union([v.number(), v.boolean(), v.string()]))),
    targets: v.exactOptional(v.pipe(v.array(v.string()), v.minLength(1))),
    with: v.exactOptional(v.array(v.picklist(["freeze", "optimizer", "save", "load"]))),
    destination: v.exactOptional(destination),
  }),
  importPapers: v.object({
    text: v.exactOptional(v.string()),
    uri: v.exactOptional(v.string()),
    format: v.exactOptional(v.picklist(["huggingface-papers", "bibtex", "auto"])),
  }),
  bibliography: v.object({
    papers: v.exactOptional(v.array(v.string())),
    textDocument: v.exactOptional(textDocument),
    style: v.picklist(["bibtex", "csl-json", "ris"]),
  }),
  theme: v.object({ theme: v.picklist(["light", "dark", "highContrast", "highContrastLight"]) }),
};

const initialization = v.object({
  formulas: v.exactOptional(v.picklist(["image", "latex", "none"])),
  theme: v.exactOptional(schemas.theme.entries.theme),
  storage: v.exactOptional(v.string()),
  commandLinks: v.exactOptional(v.boolean()),
});

/** `found` as the schema has it, or an error that names the field. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, found: unknown, what: string): T {
  const result = v.safeParse(schema, found);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  throw new ResponseError(ErrorCodes.InvalidParams, `${what}${field ? `: ${field}` : ""}: ${issue.message}`);
}

/** `initializationOptions`, of which a client may send none. */
export function checkedInitialization(found: unknown) {
  return checked(initialization, found ?? {}, "initializationOptions");
}
