/** Runs in the webview: adapters for one place of a model, as a picture and as a table that can be sorted. */
import type { AdapterChoice } from "../../../server/src/protocol";
import { count, counted, inOrder, placesOf, plainTitle, type Order } from "../adapterFacts";
import { percent } from "../names";
import { element, scrolled } from "./dom";
import type { FromComparison, ToComparison } from "./comparisonMessages";
import { parameterBars } from "./parameterBars";

interface State {
  readonly data: ToComparison;
  readonly place: string;
  readonly order: Order;
  readonly descending: boolean;
}

declare function acquireVsCodeApi(): {
  postMessage(message: FromComparison): void;
  getState(): State | undefined;
  setState(state: State): void;
};

const vscode = acquireVsCodeApi();
let state = vscode.getState();

function broadest(choices: readonly AdapterChoice[]): string {
  const rank = ({ scope, trainable, disabled }: AdapterChoice): number =>
    (disabled === undefined ? 10 : 0) +
    (trainable === undefined ? 0 : 5) +
    (scope === "model" ? 2 : scope === "class" ? 1 : 0);
  return choices.toSorted((a, b) => rank(b) - rank(a))[0]?.place ?? "";
}

function update(changed: Partial<State>): void {
  if (!state && !changed.data) return;
  const data = changed.data ?? state?.data;
  if (!data) return;
  state = { place: "", order: "trainable", descending: false, ...state, ...changed, data };
  if (!data.choices.some(({ place }) => place === state?.place))
    state = { ...state, place: broadest(data.choices) };
  vscode.setState(state);
  show(state);
}

/** Pixels of the picture. */
const widest = 830;

function show({ data, place, order, descending }: State): void {
  const page = document.getElementById("page");
  if (!page) return;
  const focused = document.activeElement?.id ?? "";
  const places = placesOf(data.choices);
  const choices = inOrder(places.get(place) ?? [], order, descending);
  const [first] = choices;
  page.replaceChildren(
    element("h1", {}, "Compare adapters"),
    placeMenu([...places.keys()], place),
    element("p", { class: "facts" }, summary(choices)),
    section("Trainable parameters", parameterBars(choices, place, Math.min(page.clientWidth, widest))),
    section("Methods", methodTable(choices, order, descending, first)),
  );
  if (focused !== "") document.getElementById(focused)?.focus();
}

/** For those who do not see what changed. */
function say(text: string): void {
  const status = document.getElementById("status");
  if (status) status.textContent = text;
}

function summary(choices: readonly AdapterChoice[]): string {
  const known = choices.flatMap(({ trainable }) => trainable ?? []);
  const off = choices.filter(({ disabled }) => disabled !== undefined).length;
  return [
    counted(choices.length, "method"),
    known.length === 0
      ? "sizes are not known from this file"
      : `${count(Math.min(...known))} to ${count(Math.max(...known))} trainable parameters`,
    off > 0 ? `${off} cannot be applied here` : undefined,
  ]
    .filter(Boolean)
    .join(" · ");
}

function section(title: string, ...children: readonly (Node | undefined)[]): HTMLElement {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

function placeMenu(places: readonly string[], chosen: string): HTMLElement {
  const select = element("select", { id: "place" });
  for (const place of places) {
    const option = element("option", { value: place }, place);
    option.selected = place === chosen;
    select.append(option);
  }
  select.addEventListener("change", () => {
    update({ place: select.value });
    say(summary(placesOf(state?.data.choices ?? []).get(select.value) ?? []));
  });
  return element("p", {}, element("label", { for: "place" }, "At "), select);
}

interface Column {
  readonly title: string;
  /** Absent: the column cannot be sorted by. */
  readonly order?: Order;
  readonly cell: (choice: AdapterChoice) => Node | string;
}

const starts: Readonly<Record<string, string>> = {
  exact: "unchanged",
  approximate: "nearly unchanged",
  no: "changed",
  "not-applicable": "–",
};

const columns: readonly Column[] = [
  { title: "Method", order: "name", cell: (choice) => insertButton(choice) },
  {
    title: "Trainable",
    order: "trainable",
    cell: ({ trainable }) => (trainable === undefined ? "not known" : count(trainable)),
  },
  { title: "Share", order: "share", cell: ({ share }) => (share === undefined ? "–" : percent(share)) },
  { title: "Mergeable", order: "mergeable", cell: ({ mergeable }) => (mergeable ? "yes" : "no") },
  {
    title: "At the start",
    order: "identity",
    cell: ({ identityAtInit }) => starts[identityAtInit] ?? identityAtInit,
  },
  { title: "Fidelity", order: "fidelity", cell: ({ fidelity }) => fidelity },
  { title: "Paper", cell: ({ paper, name }) => paperButton(paper, name) },
];

function insertButton(choice: AdapterChoice): HTMLElement {
  const label = choice.disabled ?? plainTitle(choice);
  const made = element(
    "button",
    { type: "button", class: "link", title: label, "aria-label": label },
    choice.name,
  );
  if (choice.disabled !== undefined) made.disabled = true;
  return made;
}

function paperButton(paper: string, name: string): HTMLElement {
  const made = element(
    "button",
    { type: "button", class: "link", "aria-label": `Open the paper of ${name}` },
    "Paper",
  );
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    vscode.postMessage({ kind: "open", paper });
  });
  return made;
}

function methodTable(
  choices: readonly AdapterChoice[],
  order: Order,
  descending: boolean,
  first: AdapterChoice | undefined,
): HTMLElement {
  const heads = columns.map(({ title, order: own }) => {
    if (own === undefined) return element("th", { scope: "col" }, title);
    const sorted = own === order ? (descending ? "descending" : "ascending") : "none";
    // aria-sort says it already
    const mark = element("span", { "aria-hidden": "true" }, own === order ? (descending ? " ▼" : " ▲") : "");
    const made = element("button", { type: "button", class: "head", id: `sort-${own}` }, title, mark);
    made.addEventListener("click", () => {
      const turned = own === order && !descending;
      update({ order: own, descending: turned });
      say(`Sorted by ${title}, ${turned ? "descending" : "ascending"}`);
    });
    return element("th", { scope: "col", "aria-sort": sorted }, made);
  });
  const rows = choices.map((choice) => {
    const [name, ...rest] = columns.map(({ cell }) => cell(choice));
    const row = element(
      "tr",
      {
        class: choice.disabled === undefined ? "row" : "row off",
        title: choice.disabled ?? `Insert: ${plainTitle(choice)}`,
      },
      element("th", { scope: "row" }, name),
      ...rest.map((each) => element("td", {}, each)),
    );
    // The button inside is what the keyboard reaches; a click anywhere in the row does the same.
    if (choice.disabled === undefined)
      row.addEventListener("click", () =>
        vscode.postMessage({ kind: "insert", method: choice.method, site: choice.site }),
      );
    return row;
  });
  const of = first?.scope === "model" ? "the model" : "the class";
  const caption = `A row inserts its method, after a preview. Share is that of the parameters of ${of}.`;
  return scrolled(
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...rows),
    ),
  );
}

window.addEventListener("message", ({ data }: MessageEvent<ToComparison>) => {
  update({ data });
  window.scrollTo(0, 0);
});

let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (state && window.innerWidth !== width) show(state);
  width = window.innerWidth;
});

if (state) show(state);
vscode.postMessage({ kind: "ready" });
