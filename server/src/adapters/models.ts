/** Whole models whose class another file has, known by the line that builds them alone; and the variables in sight of a line. */
import type { Call, PythonFacts } from "../python/facts";

/** A variable, or an item such as `batch["task_ids"]` under its key. */
export interface Named {
  readonly name: string;
  readonly text: string;
}

const modelName = /model|net|llm|transformer|encoder|backbone/i;

/** Of these calls those that build a model of an imported class: `model = GPT(config)`, `model = AutoModel.from_pretrained(…)`. */
export function importedModels(facts: PythonFacts, text: string, calls: readonly Call[]): Call[] {
  return calls.filter(({ assignedTo, qualified, range }) => {
    if (assignedTo === undefined || qualified === undefined || assignedTo.startsWith("self.")) return false;
    const parts = qualified.split(".");
    const last = parts.at(-1) ?? "";
    if (parts.length < 2 || parts[0] === "torch") return false;
    if (!/^(?:[A-Z]|from_pretrained$|create_model$)/.test(last)) return false;
    if (/(?:Config|Tokenizer|Dataset|Processor|Trainer)/.test(qualified)) return false;
    if (facts.modules.some((module) => module.range.from <= range.from && range.from < module.range.to))
      return false;
    return modelName.test(assignedTo) && trains(text, assignedTo);
  });
}

/** What has parameters is a model. */
const trains = (text: string, name: string): boolean =>
  new RegExp(
    `\\b${name.replaceAll(".", "\\.")}\\.(?:parameters|named_parameters|state_dict|load_state_dict)\\(`,
  ).test(text);

/** Parameters of the function around an offset, what calls above it in there gave, and variables of the file above it. */
export function namesAbove({ functions, calls, definitions }: PythonFacts, offset: number): Named[] {
  const around = functions.find(({ range }) => range.from <= offset && offset < range.to);
  const assigned = calls.filter(
    ({ statement }) => around !== undefined && around.range.from <= statement.from && statement.to <= offset,
  );
  const names = [
    ...(around?.parameters ?? []).map(({ name }) => name),
    ...assigned.flatMap(({ assignedTo }) => assignedTo ?? []),
    ...definitions
      .filter(({ kind, range }) => kind === "variable" && (around !== undefined || range.to <= offset))
      .map(({ name }) => name),
  ];
  return names.map((name) => ({ name, text: name }));
}
