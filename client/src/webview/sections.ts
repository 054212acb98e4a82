/** The parts of the paper page. */
import type { MethodView, PaperView } from "../../../server/src/protocol";
import { button, element, formula, link, table } from "./dom";
import { fullName } from "../names";
import type { FromPage } from "./messages";

type Send = (message: FromPage) => void;

export function paperSections(paper: PaperView, send: Send): HTMLElement[] {
  return [
    header(paper, send),
    section("Summary", ...paper.summary.map((text) => element("p", {}, text))),
    ...(paper.methods.length > 0
      ? [section("Methods", ...paper.methods.map((method) => methodPart(method, send)))]
      : []),
    ...(paper.claims.length > 0 ? [section("Claims", claims(paper))] : []),
    ...(paper.relations.length > 0 ? [section("Related papers", relations(paper, send))] : []),
    section(
      "BibTeX",
      element(
        "pre",
        { tabindex: "0", "aria-label": "BibTeX entry" },
        element("code", {}, paper.bibtex.trimEnd()),
      ),
      button("Copy BibTeX", `Copy the BibTeX entry of ${paper.title}`, () =>
        send({ kind: "copy", text: paper.bibtex }),
      ),
    ),
  ];
}

function section(title: string, ...children: readonly (Node | string | undefined)[]): HTMLElement {
  const id = `section-${title.toLowerCase().replaceAll(" ", "-")}`;
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

function header(paper: PaperView, send: Send): HTMLElement {
  const { authors, authorCount, organisation } = paper;
  const more = (authorCount ?? authors.length) - authors.length;
  const names = [...authors.map(fullName), ...(more > 0 ? [`${more} more`] : [])].join(", ");
  const published = [paper.venue, paper.year?.toString()].filter(Boolean);
  // "ICLR 2022" names the year already.
  const when = paper.year && paper.venue?.includes(String(paper.year)) ? paper.venue : published.join(" ");
  return element(
    "header",
    {},
    element("h1", {}, paper.title),
    names || organisation ? element("p", { class: "authors" }, names || organisation) : undefined,
    element(
      "p",
      { class: "published" },
      [when, names ? organisation : undefined, paper.origin === "user" ? "your library" : undefined]
        .filter(Boolean)
        .join(" · "),
    ),
    links(paper),
    element(
      "p",
      { class: "actions" },
      button("Insert citation", `Insert a citation of ${paper.title} at the cursor`, () =>
        send({ kind: "cite", paper: paper.id }),
      ),
    ),
    paper.topics.length > 0
      ? element(
          "ul",
          { class: "topics", "aria-label": "Topics" },
          ...paper.topics.map((each) => element("li", {}, each)),
        )
      : undefined,
  );
}

function links({ arxiv, doi, url, code }: PaperView): HTMLElement | undefined {
  const repository = code?.startsWith("https://") ? code : code && `https://github.com/${code}`;
  const found = [
    arxiv && link(`arXiv:${arxiv}`, `https://arxiv.org/abs/${arxiv}`),
    doi && link(`doi:${doi}`, `https://doi.org/${doi}`),
    url && link("Web page", url),
    repository && link("Code", repository),
  ].filter((each) => typeof each === "object");
  if (found.length === 0) return undefined;
  return element(
    "nav",
    { "aria-label": "Links" },
    ...found.flatMap((each, index) => (index > 0 ? [" · ", each] : [each])),
  );
}

function methodPart(method: MethodView, send: Send): HTMLElement {
  const drawn = method.formulaSvg === undefined ? undefined : formula(method.formulaSvg, method.formula);
  const facts = [
    method.family,
    method.identityAtInit === "exact" ? "starts as the base model" : undefined,
    method.mergeable ? "mergeable" : undefined,
    method.fidelity,
  ];
  return element(
    "article",
    { "aria-label": method.name },
    element("h3", {}, method.name),
    element("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
    element("p", {}, method.summary),
    element("div", { class: "formula" }, drawn ?? element("code", {}, method.formula)),
    method.fidelityNote ? element("p", { class: "note" }, method.fidelityNote) : undefined,
    method.hyperparameters.length > 0 ? hyperparameters(method) : undefined,
    method.notes.length > 0
      ? element("ul", {}, ...method.notes.map((note) => element("li", {}, note)))
      : undefined,
    method.insertable
      ? button(`Insert ${method.name}`, `Insert ${method.name} into the model at the cursor`, () =>
          send({ kind: "insert", method: method.id }),
        )
      : undefined,
  );
}

function hyperparameters({ name, hyperparameters: all }: MethodView): HTMLElement {
  return table(
    ["Name", "Default", "In papers", "Meaning", "Source"],
    all.map((each) => [
      element("code", {}, each.name),
      element("code", {}, each.default),
      each.typical,
      each.meaning,
      each.source,
    ]),
    `Hyperparameters of ${name}`,
  );
}

function claims({ claims: all }: PaperView): HTMLElement {
  return table(
    ["Claim", "Value", "Data", "Against", "Source"],
    all.map(({ text, value, dataset, baseline, source }) => [text, value, dataset, baseline, source]),
    "What the paper claims",
  );
}

/** One item a kind: "improves: LoRA (abstract)", "improved by: DoRA (README), rsLoRA (abstract)". */
function relations({ relations: all }: PaperView, send: Send): HTMLElement {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return element(
    "ul",
    {},
    ...kinds.map((wanted) =>
      element(
        "li",
        {},
        `${wanted.replaceAll("-", " ")}: `,
        ...all
          .filter(({ kind }) => kind === wanted)
          .flatMap(({ paper, title, source }, index) => [
            index === 0 ? undefined : ", ",
            button(title, `Open ${title}`, () => send({ kind: "open", paper })),
            source ? ` (${source})` : undefined,
          ]),
      ),
    ),
  );
}
