/** rules/<id>.yaml: mistakes that can be decided from code. */
import rulesSchema from "../../../../corpus/schema/rules.schema.json";
import { expressionProblem } from "../expression";
import type { Rule } from "../catalogue";
import type { Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

export interface RuleFile {
  readonly yaml: YamlFile;
  readonly rule?: Rule;
  readonly problems: readonly Problem[];
}

type RuleFields = Omit<Rule, "default" | "when" | "fixes"> &
  Partial<Pick<Rule, "default" | "when" | "fixes">>;

function isRuleFields(value: unknown): value is RuleFields {
  return violations(rulesSchema, value).length === 0;
}

/** Reads one rule; `rule` is absent where a problem forbids it. */
export function readRule({ path, text }: SourceText): RuleFile {
  const yaml = readYaml(path, text, rulesSchema);
  const problems = [...yaml.problems];
  if (!isRuleFields(yaml.value)) return { yaml, problems };
  const rule: Rule = {
    ...yaml.value,
    default: yaml.value.default ?? true,
    when: yaml.value.when ?? [],
    fixes: yaml.value.fixes ?? [],
  };
  const expected = path.slice(path.lastIndexOf("/") + 1, -".yaml".length);
  if (rule.id !== expected)
    problems.push(yaml.problem(["id"], `must be the file's name, ${expected}, found "${rule.id}"`));
  if (rule.check === undefined && rule.calls === undefined)
    problems.push(yaml.problem([], "must have calls, with conditions on their arguments, or check"));
  if (
    rule.check === undefined &&
    rule.calls !== undefined &&
    rule.when.length === 0 &&
    rule.where === undefined
  )
    problems.push(yaml.problem(["calls"], "would report every call: add when or where"));
  const wrong = rule.where === undefined ? undefined : expressionProblem(rule.where);
  if (wrong !== undefined) problems.push(yaml.problem(["where"], wrong));
  return { yaml, rule, problems };
}
