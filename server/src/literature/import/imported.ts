/** What every importer gives, and how it makes papers. */
import { normaliseTitle } from "../identity";
import type { Paper } from "../model";

export interface Imported {
  readonly papers: readonly Paper[];
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
}

/** Nothing could be imported; the message is for the user. */
export class ImportError extends Error {}

/** A paper of the user's library with what a source told of it. */
export function userPaper(known: Partial<Paper> & Pick<Paper, "title">): Paper {
  return {
    authors: [],
    topics: [],
    aliases: [],
    methods: [],
    claims: [],
    relations: [],
    summary: "",
    ...known,
    id: userId(known.title),
    origin: "user",
  };
}

/** Same title, same id; apart from those of the bundled corpus by its prefix. */
function userId(title: string): string {
  const slug = normaliseTitle(title).replaceAll(" ", "-");
  return `user-${slug.length <= 80 ? slug : `${slug.slice(0, 71)}-${hash(slug)}`}`;
}

/** FNV-1a, eight hexadecimal digits: enough to tell long titles with one beginning apart. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (value >>> 0).toString(16).padStart(8, "0");
}
