/** Elements from data. Text only ever becomes text nodes, so nothing a paper says can be markup. */

type Child = Node | string | undefined;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

/** Only addresses of the web: a paper's file may name anything. */
export function link(text: string, address: string): HTMLElement | Text {
  return /^https:\/\/[^\s]+$/.test(address)
    ? element("a", { href: address }, text)
    : document.createTextNode(text);
}

/** `label` says what the button acts on, for those who hear it without its surroundings. */
export function button(text: string, label: string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", "aria-label": label }, text);
  made.addEventListener("click", act);
  return made;
}

export function table(
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
  caption: string,
): HTMLElement {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))),
  );
  return scrolled(
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, head),
      element("tbody", {}, ...body),
    ),
  );
}

/** Where the page is narrower than a table, the table moves and the page does not. */
export function scrolled(table: HTMLTableElement): HTMLElement {
  return element("div", { class: "scroll" }, table);
}

const drawing = new Set(["svg", "g", "path", "rect", "defs", "use", "line", "title", "text"]);
const harmless =
  /^(xmlns(:xlink)?|xlink:href|href|id|d|x|y|x1|x2|y1|y2|width|height|viewBox|transform|fill|stroke|stroke-width)$/;

/** A typeset formula in the colour of the text around it; `latex` is what a screen reader says. */
export function formula(svg: string, latex: string): Element | undefined {
  const parsed = new DOMParser().parseFromString(svg.replaceAll("@ink@", "currentColor"), "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg") return undefined;
  for (const part of [root, ...root.querySelectorAll("*")]) {
    if (!drawing.has(part.localName)) {
      part.remove();
      continue;
    }
    for (const { name, value } of [...part.attributes]) {
      const outside = name.endsWith("href") && !value.startsWith("#");
      if (!harmless.test(name) || outside) part.removeAttribute(name);
    }
  }
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", latex);
  return document.importNode(root, true);
}
