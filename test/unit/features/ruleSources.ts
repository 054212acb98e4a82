/** The marked sources of rules, test/fixtures/rules/<id>.txt, and what diagnostics find in a text. */
import { readFileSync } from "node:fs";
import { type Diagnostic, TextEdit } from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { diagnoseConfiguration } from "../../../server/src/features/configuration/diagnostics";
import { recognise } from "../../../server/src/features/configuration/document";
import { diagnose } from "../../../server/src/features/diagnostics";
import { quickFixes } from "../../../server/src/features/quickFixes";
import { createLibrary } from "../../../server/src/literature/library";
import type { Severity } from "../../../server/src/literature/catalogue";
import { open as openConfiguration } from "../configuration/check";
import { contextWith, open } from "./corpus";

export const folder = "test/fixtures/rules";
export const { corpus } = compileCorpus("corpus");
export const { rules = [] } = corpus;
const library = createLibrary(corpus, {});

export interface Source {
  /** `wrong`, `fixed` or `right`. */
  readonly kind: string;
  readonly source: string;
}

export function sourcesOf(rule: string): Source[] {
  const [, ...sections] = readFileSync(`${folder}/${rule}.txt`, "utf8").split(/^=== (?=\w+$)/m);
  return sections.map((section) => {
    const end = section.indexOf("\n");
    return { kind: section.slice(0, end), source: section.slice(end + 1) };
  });
}

/** What is certainly a configuration file is none of Python. */
export const isConfiguration = (text: string): boolean => recognise(library, text) !== undefined;

/** The findings with these settings: severities by rule, where they are not those of the corpus. */
export function findingsWith(shown: Readonly<Record<string, Severity | "off">>, text: string) {
  const context = contextWith({ library });
  const given = {
    ...context,
    settings: { ...context.settings, diagnostics: { enable: true, rules: shown } },
  };
  if (isConfiguration(text)) {
    const document = openConfiguration(text);
    return { document, diagnostics: diagnoseConfiguration(given, document) };
  }
  const document = open(text);
  return { document, diagnostics: diagnose(given, document) };
}

/** The findings of one rule alone, turned on whatever its default. */
export const findings = (rule: string, text: string) =>
  findingsWith(
    Object.fromEntries(rules.map(({ id, severity }) => [id, id === rule ? severity : "off"])),
    text,
  );

interface Found {
  readonly document: Parameters<typeof quickFixes>[0];
  readonly diagnostics: readonly Diagnostic[];
}

/** What each fix of these findings makes of the text. */
export function fixed(
  { document, diagnostics }: Found,
  text: string,
): { readonly title: string; readonly edited: string; readonly diagnostic: Diagnostic | undefined }[] {
  return quickFixes(document, diagnostics).map(({ title, edit, diagnostics: [diagnostic] = [] }) => {
    const [change] = edit?.documentChanges ?? [];
    const edits = change !== undefined && "edits" in change ? change.edits : [];
    const written = TextDocument.create("file:///a.py", "python", 1, text);
    const edited = TextDocument.applyEdits(
      written,
      edits.filter((each) => TextEdit.is(each)),
    );
    return { title, edited, diagnostic };
  });
}
