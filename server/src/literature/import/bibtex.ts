/** BibTeX: fields in braces or quotes, nested braces, the TeX accents that names are written with. */
import type { Paper } from "../model";
import { type Imported, userPaper } from "./imported";

const entryStart = /@\s*(\w+)\s*[{(]/g;
const accents: Readonly<Record<string, string>> = {
  "`": "\u0300",
  "'": "\u0301",
  "^": "\u0302",
  "~": "\u0303",
  '"': "\u0308",
  "=": "\u0304",
  ".": "\u0307",
  c: "\u0327",
  v: "\u030c",
  u: "\u0306",
  H: "\u030b",
  r: "\u030a",
  k: "\u0328",
};
const letters: Readonly<Record<string, string>> = {
  ss: "ß",
  o: "ø",
  O: "Ø",
  l: "ł",
  L: "Ł",
  ae: "æ",
  AE: "Æ",
  aa: "å",
  AA: "Å",
  i: "i",
  j: "j",
};

/** Whether a text holds an entry rather than a page. */
export const looksLikeBibtex = (text: string): boolean => /^\s*@\s*\w+\s*\{\s*[^\s,]*\s*,/m.test(text);

/** Every entry that has a title. */
export function bibtexPapers(text: string): Imported {
  const papers: Paper[] = [];
  const skipped: { line: number; reason: string }[] = [];
  entryStart.lastIndex = 0;
  for (let match = entryStart.exec(text); match !== null; match = entryStart.exec(text)) {
    if (/^(comment|preamble|string)$/i.test(match[1] ?? "")) continue;
    const line = text.slice(0, match.index).split("\n").length;
    const skip = (what: string): void => {
      skipped.push({ line, reason: `entry at line ${line} ${what}` });
    };
    const end = closing(text, entryStart.lastIndex);
    if (end === undefined) {
      skip("is cut off: its closing brace is missing");
      continue;
    }
    const paper = readPaper(readFields(text.slice(entryStart.lastIndex, end)));
    entryStart.lastIndex = end;
    if (paper === undefined) skip("has no title");
    else papers.push(paper);
  }
  return { papers, skipped };
}

/** Offset of the bracket that closes the one before `from`. */
function closing(text: string, from: number): number | undefined {
  for (let at = from, depth = 1; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if ((character === "}" || (character === ")" && depth === 1)) && --depth === 0) return at;
  }
  return undefined;
}

function readFields(body: string): Map<string, string> {
  const fields = new Map<string, string>();
  const field = /([\w-]+)\s*=\s*(?:(\{)|"((?:[^"\\{}]|\\.|\{[^{}]*\})*)"|([\w.-]+))/g;
  field.lastIndex = body.indexOf(",") + 1;
  for (let match = field.exec(body); match !== null; match = field.exec(body)) {
    let value = match[3] ?? match[4] ?? "";
    if (match[2] !== undefined) {
      const end = closing(body, field.lastIndex) ?? body.length;
      value = body.slice(field.lastIndex, end);
      field.lastIndex = end + 1;
    }
    fields.set((match[1] ?? "").toLowerCase(), value.replace(/\s+/g, " ").trim());
  }
  return fields;
}

function readPaper(fields: ReadonlyMap<string, string>): Paper | undefined {
  const get = (name: string): string | undefined => {
    const value = plain(fields.get(name) ?? "");
    return value === "" ? undefined : value;
  };
  const title = get("title");
  if (title === undefined) return undefined;
  const year = Number(/\d{4}/.exec(get("year") ?? get("date") ?? "")?.[0]);
  const place = get("booktitle") ?? get("journal");
  const arxiv = /\d{4}\.\d{4,5}/.exec(
    /arxiv/i.test(
      `${get("archiveprefix") ?? ""} ${get("eprinttype") ?? ""} ${place ?? ""} ${get("url") ?? ""}`,
    )
      ? `${get("eprint") ?? ""} ${place ?? ""} ${get("url") ?? ""}`
      : "",
  )?.[0];
  const venue = place !== undefined && /arxiv/i.test(place) ? undefined : place;
  const doi = get("doi")?.replace(/^https?:\/\/(dx\.)?doi\.org\//, "");
  const url = get("url");
  return userPaper({
    title,
    authors: readAuthors(fields.get("author") ?? ""),
    summary: get("abstract") ?? "",
    topics: (get("keywords") ?? "")
      .split(/[,;]/)
      .map((topic) => topic.trim().toLowerCase())
      .filter((topic) => topic !== ""),
    ...(Number.isNaN(year) ? {} : { year }),
    ...(venue === undefined ? {} : { venue }),
    ...(arxiv === undefined ? {} : { arxiv }),
    ...(doi === undefined ? {} : { doi }),
    ...(url === undefined ? {} : { url }),
  });
}

/** `Hu, Edward J. and Shen, Yelong` → given name first. */
function readAuthors(value: string): string[] {
  return value
    .split(/\s+and\s+/)
    .map((name) => plain(name))
    .filter((name) => name !== "" && name !== "others")
    .map((name) => {
      const [family = "", given] = name.split(/\s*,\s*/);
      return given === undefined ? family : `${given} ${family}`;
    });
}

/** Text without TeX: accents composed, braces and escapes gone. */
function plain(value: string): string {
  return value
    .replace(
      /\\([`'^~"=.]|[cvuHrk](?![A-Za-z]))\s*\{?\\?([A-Za-z])\}?/g,
      (_: string, accent: string, letter: string) => `${letter}${accents[accent] ?? ""}`.normalize("NFC"),
    )
    .replace(
      /\\(ss|o|O|l|L|ae|AE|aa|AA|i|j)(?![A-Za-z])\s?/g,
      (_: string, name: string) => letters[name] ?? "",
    )
    .replace(/---?/g, "–")
    .replace(/(?<!\\)~/g, " ")
    .replace(/(?<!\\)[{}]/g, "")
    .replaceAll("\\textasciicircum", "^")
    .replaceAll("\\textasciitilde", "~")
    .replaceAll("\\textbackslash", "\\")
    .replace(/\\([&%$#_{}])/g, "$1")
    .trim();
}
