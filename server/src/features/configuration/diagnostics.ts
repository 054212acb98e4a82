/** What is surely wrong in a configuration file: the rules that speak of its keys, and those that hold for any text. */
import type { Diagnostic } from "vscode-languageserver-types";
import { edit } from "../../adapters/edits";
import type { Library } from "../../literature/library";
import type { LibrarySymbol, Rule } from "../../literature/catalogue";
import type { FeatureContext } from "../context";
import { severityOf, toDiagnostic } from "../diagnostics";
import { callArguments, noValues } from "../rules/callArguments";
import { wrongIdsIn } from "../rules/checks/wrongArxivId";
import { findingOf } from "../rules/declared";
import { nearest } from "../rules/nearest";
import type { Finding } from "../rules/rule";
import { callOf, type ConfigurationDocument, fieldOf, type Section, sectionsOf } from "./document";
import { configurationRepairs } from "./repairs";

export function diagnoseConfiguration(
  context: FeatureContext,
  document: ConfigurationDocument,
): Diagnostic[] {
  const { library, settings } = context;
  if (!settings.diagnostics.enable) return [];
  const text = document.text.getText();
  const written = { text: document.text, lineBreak: text.includes("\r\n") ? "\r\n" : "\n" };
  const sections = sectionsOf(library, document);
  return library.rules().flatMap((rule) => {
    const severity = severityOf(rule, settings);
    return severity === undefined
      ? []
      : findings(library, document, sections, rule).map((finding) =>
          toDiagnostic(context, written, rule, severity, finding),
        );
  });
}

function findings(
  library: Library,
  document: ConfigurationDocument,
  sections: readonly Section[],
  rule: Rule,
): Finding[] {
  if (rule.check !== undefined)
    return configurationChecks.get(rule.check)?.(library, document, sections) ?? [];
  const { text, tree } = document;
  // what cannot be read may hold the key that makes it right
  if (!tree.complete) return [];
  return sections
    .filter(({ symbol }) => rule.calls?.some((path) => symbol.qualified.includes(path)) === true)
    .flatMap((section) => {
      const found = callArguments(callOf(section, true), section.symbol, noValues);
      return (
        findingOf(rule, found, text.getText(), () =>
          configurationRepairs(rule, found, section, text.getText()),
        ) ?? []
      );
    });
}

type ConfigurationCheck = (
  library: Library,
  document: ConfigurationDocument,
  sections: readonly Section[],
) => Finding[];

/** Checks that configuration files have, by the names that rules call them. */
export const configurationChecks: ReadonlyMap<string, ConfigurationCheck> = new Map([
  ["misspelt-key", (_library, { tree }, sections) => (tree.complete ? sections.flatMap(misspeltKeys) : [])],
  ["wrong-arxiv-id", (library, { text, tree }) => wrongIdsIn(library, text.getText(), tree.comments)],
]);

/** A key that the file does not take, one letter from one that it takes and that is not given. Only where all its keys are listed. */
function misspeltKeys({ symbol, mapping }: Section): Finding[] {
  if (symbol.kind !== "file" || symbol.otherFields === undefined) return [];
  const known = [...symbol.fields.map(({ name }) => name), ...symbol.otherFields];
  const given = new Set(mapping.entries.map(({ key }) => key.name));
  return mapping.entries.flatMap(({ key: { name, range }, merge }) => {
    if (merge || name.length < shortest || isKnown(symbol, name)) return [];
    const meant = nearest(name, known, 1);
    if (meant === undefined || given.has(meant)) return [];
    const repairs = [
      { title: `Rename \`${name}\` to \`${meant}\``, edits: [edit(range.from, range.to, meant)] },
    ];
    return [{ range, words: { key: name, meant, file: symbol.name }, repairs }];
  });
}

/** Of short names too many are one letter apart. */
const shortest = 5;

const isKnown = (symbol: LibrarySymbol, name: string): boolean =>
  fieldOf(symbol, name) !== undefined || symbol.otherFields?.includes(name) === true;
