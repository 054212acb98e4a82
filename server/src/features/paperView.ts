/** Everything known of one paper, for the paper page, for other editors and for assistants. */
import { bibliography } from "../literature/cite";
import { isInsertable } from "../literature/library";
import type { Method, Paper } from "../literature/model";
import type { MethodView, PaperView } from "../protocol";
import { code, codeBlock, dotted, escape, link, paragraphs, prose } from "../render/markdown";
import { paperLine } from "../render/paper";
import type { FeatureContext } from "./context";
import { relativesOf } from "./lineage";
import { fidelityLine, pythonLiteral } from "./hover/literature";

export function paperView(context: FeatureContext, id: string): PaperView | null {
  const { library } = context;
  const paper = library.paper(id);
  if (paper === undefined) return null;
  const methods = library.methodsOf(id);
  const view = {
    ...paper,
    summary: paper.summary
      .split(/\n\s*\n/)
      .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
      .filter((paragraph) => paragraph !== ""),
    methods: methods.map((method) => methodView(context, method)),
    relations: relativesOf(context, paper).map(({ kind, paper: other, source }) => ({
      kind,
      paper: other.id,
      title: other.title,
      source,
    })),
    bibtex: bibliography([paper], "bibtex").trim(),
  };
  return { ...view, markdown: markdown(context, paper, view, methods) };
}

function methodView({ library }: FeatureContext, method: Method): MethodView {
  const { id, name, family, fidelity, fidelityNote, summary, formula, properties, notes } = method;
  const svg = library.formula(id)?.svg;
  return {
    id,
    name,
    family,
    fidelity,
    ...(fidelityNote === undefined ? {} : { fidelityNote }),
    summary,
    formula,
    ...(svg === undefined ? {} : { formulaSvg: svg }),
    hyperparameters: method.hyperparameters.map((each) => ({
      name: each.name,
      default: pythonLiteral(each.default, each.type),
      meaning: each.meaning,
      ...(each.typical === undefined ? {} : { typical: each.typical }),
      ...(each.source === undefined ? {} : { source: each.source }),
    })),
    identityAtInit: properties.identityAtInit,
    mergeable: properties.mergeable,
    insertable: isInsertable(method),
    notes,
  };
}

/** The page as Markdown; every word of the corpus or of an imported paper is escaped. */
function markdown(
  context: FeatureContext,
  paper: Paper,
  view: Omit<PaperView, "markdown">,
  methods: readonly Method[],
): string {
  const { code: repository } = paper;
  const address =
    repository === undefined || /^https?:/.test(repository) ? repository : `https://github.com/${repository}`;
  return paragraphs(
    paperLine(paper),
    dotted(escape(paper.authors.join(", ")), address && link("code", address)),
    ...view.summary.map(escape),
    section("Findings", view.claims.map(claimLine)),
    ...methods.map((method) => methodSection(context, method)),
    section(
      "Related",
      view.relations.map(
        ({ kind, title, source }) =>
          `${escape(kind.replaceAll("-", " "))} ${escape(title)} (${escape(source)})`,
      ),
    ),
    "### BibTeX",
    codeBlock("bibtex", view.bibtex),
  );
}

const section = (heading: string, lines: readonly string[]): string | undefined =>
  lines.length === 0 ? undefined : `### ${heading}\n\n${lines.map((line) => `- ${line}`).join("\n")}`;

function claimLine({ text, value, dataset, baseline, source }: PaperView["claims"][number]): string {
  const details = [value, dataset && `on ${dataset}`, baseline && `against ${baseline}`].flatMap(
    (detail) => detail ?? [],
  );
  // a sentence of the corpus ends where its figures begin
  const said = escape(text.replace(/\.$/, ""));
  return `${said}${details.length === 0 ? "" : `: ${escape(details.join(", "))}`} (${escape(source)})`;
}

function methodSection({ library }: FeatureContext, method: Method): string {
  const { formula } = method;
  return paragraphs(
    `### ${escape(method.name)}`,
    prose(method.summary),
    library.formula(method.id) === undefined && formula.trim() === ""
      ? undefined
      : codeBlock("latex", formula.trim()),
    method.hyperparameters
      .map(({ name, default: preset, type, meaning, typical, source }) => {
        const papers = typical === undefined ? "" : `; typically ${escape(typical)}`;
        const from = source === undefined ? "" : ` (${escape(source)})`;
        return `- ${code(`${name}=${pythonLiteral(preset, type)}`)}: ${prose(meaning)}${papers}${from}`;
      })
      .join("\n"),
    fidelityLine(method),
    method.notes.map((note) => `- ${prose(note)}`).join("\n"),
  );
}
