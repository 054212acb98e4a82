/**
 * Checks values against the JSON Schemas of corpus/schema, with messages for the author of a file. It knows the
 * keywords that those schemas use and no others; the corpus compiler holds it against a full validator.
 */
import type { FieldPath } from "./problems";

export interface Schema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema | undefined>>;
  readonly required?: readonly string[];
  /** Whether other fields are allowed, or what each of them is. */
  readonly additionalProperties?: boolean | Schema;
}

export interface Violation {
  readonly path: FieldPath;
  readonly message: string;
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping of fields",
};

/** Whether `value` is an object with string keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every way in which `value` departs from `schema`, in document order. */
export function violations(schema: Schema, value: unknown, path: FieldPath = []): Violation[] {
  const wrong = (message: string, at: FieldPath = path): Violation[] => [{ path: at, message }];
  if (schema.type !== undefined) {
    const types = typeof schema.type === "string" ? [schema.type] : schema.type;
    if (!types.some((type) => hasType(type, value))) {
      const expected = types.map((type) => words[type] ?? type).join(" or ");
      const quote = types.includes("string") && typeof value === "number" ? ": put it in quotes" : "";
      return wrong(`must be ${expected}, found ${show(value)}${quote}`);
    }
  }
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return wrong(`must be one of ${schema.enum.map(String).join(", ")}, found ${show(value)}`);
  if (typeof value === "string") return textViolations(schema, value, path);
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    return value < minimum || value > maximum ? wrong(`must be ${bounds(schema)}, found ${show(value)}`) : [];
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0))
      return wrong(`must have at least ${schema.minItems ?? 0} entry, found none`);
    const { items } = schema;
    return items === undefined
      ? []
      : value.flatMap((entry: unknown, index) => violations(items, entry, [...path, index]));
  }
  return isRecord(value) ? recordViolations(schema, value, path) : [];
}

function textViolations(schema: Schema, value: string, path: FieldPath): Violation[] {
  if (value.trim().length < (schema.minLength ?? 0))
    return [{ path, message: "must not be empty: write it, or leave the field out" }];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    const expected = schema.patternErrorMessage ?? `must match ${schema.pattern}`;
    return [{ path, message: `${expected}, found ${show(value)}` }];
  }
  return [];
}

function recordViolations(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  path: FieldPath,
): Violation[] {
  const properties = schema.properties ?? {};
  const found = Object.entries(value).flatMap(([key, entry]) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property !== undefined) return violations(property, entry, [...path, key]);
    if (typeof schema.additionalProperties === "object")
      return violations(schema.additionalProperties, entry, [...path, key]);
    if (schema.additionalProperties !== false) return [];
    const known = Object.keys(properties);
    const near = nearest(key, known);
    const remedy = near === undefined ? `the fields here are ${known.join(", ")}` : `did you mean ${near}?`;
    return [{ path: [...path, key], message: `is not a field: ${remedy}` }];
  });
  const missing = (schema.required ?? [])
    .filter((key) => !Object.hasOwn(value, key))
    .map((key) => ({ path: [...path, key], message: `is missing: add ${expectation(properties[key])}` }));
  return [...found, ...missing];
}

function expectation(schema: Schema | undefined): string {
  if (schema?.enum !== undefined) return `one of ${schema.enum.map(String).join(", ")}`;
  const type = typeof schema?.type === "string" ? schema.type : "string";
  return words[type] ?? type;
}

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

function bounds({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `between ${minimum} and ${maximum}`;
  return minimum === undefined ? `at most ${maximum ?? Infinity}` : `at least ${minimum}`;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "a mapping" : JSON.stringify(value);
}

/** The known word within two edits, if any: what a misspelt field was meant to be. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
