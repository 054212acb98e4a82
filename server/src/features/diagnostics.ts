/** What is surely wrong, and nothing else: the rules of the corpus, each with its check, as far as the settings let them. */
import type { TextDocument } from "vscode-languageserver-textdocument";
import { type Diagnostic, DiagnosticSeverity } from "vscode-languageserver-types";
import { toTextEdits } from "../adapters/edits";
import type { Rule, Severity } from "../literature/catalogue";
import type { Settings } from "../protocol";
import type { Range } from "../python/facts";
import { reading } from "../python/local";
import { followingValues, valuesOf } from "../python/values/values";
import type { FeatureContext, OpenDocument } from "./context";
import type { Fix } from "./quickFixes";
import { checks } from "./rules/checks";
import { declared } from "./rules/declared";
import type { Finding, Repair, RuleContext } from "./rules/rule";

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

/** The same in steps, the file read bit by bit: a hover in between waits for one step and not for all of a long file. */
export function* diagnosing(
  context: FeatureContext,
  document: OpenDocument,
): Generator<undefined, Diagnostic[]> {
  const { facts, text } = document.python;
  yield* reading(facts, text.length);
  const rules = rulesFor(context, document);
  if (rules.some(({ rule }) => needsCalls(rule))) {
    yield* reading(facts, text.length, ["calls", "training", "modules"]);
    yield* followingValues(facts);
  }
  const found: Diagnostic[] = [];
  for (const { rule, severity } of rules) {
    found.push(...findings(context, document, rule, severity));
    yield;
  }
  return found;
}

export const diagnose = (context: FeatureContext, document: OpenDocument): Diagnostic[] =>
  rulesFor(context, document).flatMap(({ rule, severity }) => findings(context, document, rule, severity));

/** The rules that are on and may find something: most files import nothing that they speak of. */
function rulesFor({ library, settings }: FeatureContext, { python: { facts } }: OpenDocument) {
  if (!settings.diagnostics.enable) return [];
  // what a file of the workspace passes on is called as where it comes from
  const imported = new Set([...facts.imports, ...facts.references].map(({ qualified }) => head(qualified)));
  return library.rules().flatMap((rule) => {
    const severity = severityOf(rule, settings);
    const libraries = rule.imports ?? rule.calls?.map(head);
    const concerned = libraries?.some((each) => imported.has(each)) ?? true;
    return severity === undefined || !concerned ? [] : [{ rule, severity }];
  });
}

const head = (qualified: string): string => qualified.split(".", 1)[0] ?? "";

const needsCalls = ({ calls, imports }: Rule): boolean => calls !== undefined || imports !== undefined;

function findings(
  context: FeatureContext,
  document: OpenDocument,
  rule: Rule,
  severity: Severity,
): Diagnostic[] {
  const { facts } = document.python;
  const given: RuleContext = {
    ...context,
    document,
    get values() {
      return valuesOf(facts);
    },
  };
  const find = rule.check === undefined ? declared : checks.get(rule.check);
  const { text, python } = document;
  return (find?.(given, rule) ?? []).map((finding) =>
    toDiagnostic(context, { text, lineBreak: python.facts.layout.lineBreak }, rule, severity, finding),
  );
}

/** How a rule is shown; undefined where it is off. */
export function severityOf(
  { id, severity, default: on }: Rule,
  { diagnostics }: Settings,
): Severity | undefined {
  const chosen = diagnostics.rules[id];
  if (chosen === undefined) return on ? severity : undefined;
  return chosen === "off" ? undefined : chosen;
}

/** The text that a finding is about. */
interface Written {
  readonly text: TextDocument;
  readonly lineBreak: string;
}

export function toDiagnostic(
  { library }: FeatureContext,
  written: Written,
  rule: Rule,
  severity: Severity,
  { range, words = {}, repairs = [], arxiv }: Finding,
): Diagnostic {
  const cited = arxiv ?? (rule.paper === undefined ? undefined : library.paper(rule.paper)?.arxiv);
  const href = cited === undefined ? issueAddress(rule.citations) : `https://arxiv.org/abs/${cited}`;
  const fixes = repairs.map((repair) => toFix(written, repair));
  return {
    range: lspRange(written, range),
    message: filled(`${rule.message} ${rule.why}`, words),
    severity: severities[severity],
    code: rule.id,
    ...(href === undefined ? {} : { codeDescription: { href } }),
    source: "Litlens",
    ...(fixes.length === 0 ? {} : { data: { fixes } }),
  };
}

/** {name} of a message by its word; one without stays as it is. */
export const filled = (message: string, words: Readonly<Record<string, string>>): string =>
  message.replace(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);

/** The page of the first citation that is an issue or a pull request: owner/name#number. */
const issueAddress = (citations: readonly string[]): string | undefined =>
  citations.flatMap((citation) => {
    const [, repository, number] = /^([\w.-]+\/[\w.-]+)#(\d+)$/.exec(citation) ?? [];
    return repository === undefined ? [] : [`https://github.com/${repository}/issues/${number}`];
  })[0];

const toFix = ({ text, lineBreak }: Written, { title, edits }: Repair): Fix => ({
  title,
  edits: toTextEdits(text, edits, lineBreak, false).flatMap((each) => ("newText" in each ? [each] : [])),
});

const lspRange = ({ text }: Written, { from, to }: Range) => ({
  start: text.positionAt(from),
  end: text.positionAt(to),
});
