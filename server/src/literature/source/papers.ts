/** papers/<id>.md: YAML front matter and a summary in plain paragraphs. */
import paperSchema from "../../../../corpus/schema/paper.schema.json";
import type { Claim, Paper, Relation } from "../model";
import type { Problem, SourceText } from "./problems";
import { violations } from "./schema";
import { readYaml, type YamlFile } from "./yamlFile";

interface PaperFields {
  readonly id: string;
  readonly title: string;
  readonly authors?: readonly string[];
  readonly topics: readonly string[];
  readonly aliases?: readonly string[];
  readonly methods?: readonly string[];
  readonly claims?: readonly Claim[];
  readonly relations?: readonly Relation[];
}

export interface PaperFile {
  readonly yaml: YamlFile;
  readonly paper?: Paper;
  readonly problems: readonly Problem[];
}

/** The schema has spoken: what it accepts has these fields. */
function isPaperFields(value: unknown): value is PaperFields {
  return violations(paperSchema, value).length === 0;
}

/** Reads one paper file; `paper` is absent where a problem forbids it. */
export function readPaper({ path, text }: SourceText, origin: Paper["origin"]): PaperFile {
  const match = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)([\s\S]*)$/m.exec(text);
  const yaml = readYaml(path, match?.[1] ?? "", match ? paperSchema : {}, 1);
  if (match === null) {
    const message =
      "must start with front matter: a line of three hyphens, the fields, and three hyphens again";
    return { yaml, problems: [{ file: path, line: 1, field: "", message }] };
  }
  const summary = (match[2] ?? "").replace(/\r\n?/g, "\n").trim();
  const problems = [...yaml.problems];
  if (summary === "") {
    const line = text.trimEnd().split("\n").length;
    const message = "is missing: write three to six sentences below the front matter";
    problems.push({ file: path, line, field: "summary", message });
  }
  if (!isPaperFields(yaml.value)) return { yaml, problems };
  const paper: Paper = {
    ...yaml.value,
    authors: yaml.value.authors ?? [],
    aliases: yaml.value.aliases ?? [],
    methods: yaml.value.methods ?? [],
    claims: yaml.value.claims ?? [],
    relations: yaml.value.relations ?? [],
    // lines of a paragraph run on; an empty line parts paragraphs
    summary: summary
      .split(/\n\s*\n/)
      .map((paragraph) => paragraph.replace(/\s*\n\s*/g, " ").trim())
      .join("\n\n"),
    origin,
  };
  const expected = path.slice(path.lastIndexOf("/") + 1, -".md".length);
  if (paper.id !== expected)
    problems.push(yaml.problem(["id"], `must be the file's name, ${expected}, found "${paper.id}"`));
  return { yaml, paper, problems };
}
