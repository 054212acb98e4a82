/** The user's own library: one JSON file, reached through the platform's storage. */
import * as v from "valibot";
import { normaliseArxiv, normaliseTitle } from "./identity";
import type { Paper } from "./model";

export interface Storage {
  /** Whole text of a file, null where there is none. */
  read(name: string): Promise<string | null>;
  /** Replaces a file wholly or not at all. */
  write(name: string, text: string): Promise<void>;
}

export interface Merged {
  readonly all: readonly Paper[];
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
}

export interface Store {
  /** Papers of the library; `problem` tells the user what could not be read and where it is kept. */
  load(): Promise<{ readonly papers: readonly Paper[]; readonly problem?: string }>;
  /** What the library would be with `papers` taken in; saves nothing. */
  merged(papers: readonly Paper[]): Merged;
  /** @throws Error with the reason where saving would lose what cannot be read */
  save(papers: readonly Paper[]): Promise<void>;
}

const fileName = "library.json";
const format = 1;

const text = v.pipe(v.string(), v.minLength(1));
const texts = v.array(v.string());
const relationKinds = ["builds-on", "improves", "compared-with", "applies", "surveys", "renames"] as const;

const storedPaper = v.object({
  id: text,
  title: text,
  authors: texts,
  authorCount: v.exactOptional(v.number()),
  organisation: v.exactOptional(v.string()),
  year: v.exactOptional(v.number()),
  venue: v.exactOptional(v.string()),
  arxiv: v.exactOptional(v.string()),
  doi: v.exactOptional(v.string()),
  url: v.exactOptional(v.string()),
  code: v.exactOptional(v.string()),
  topics: texts,
  aliases: texts,
  methods: texts,
  claims: v.array(
    v.object({
      text,
      value: v.exactOptional(v.string()),
      dataset: v.exactOptional(v.string()),
      baseline: v.exactOptional(v.string()),
      source: v.string(),
    }),
  ),
  relations: v.array(v.object({ kind: v.picklist(relationKinds), paper: text, source: v.string() })),
  summary: v.string(),
  origin: v.literal("user"),
  listed: v.exactOptional(
    v.object({ date: v.exactOptional(v.string()), votes: v.exactOptional(v.number()) }),
  ),
});

const storedLibrary = v.object({ format: v.number(), papers: v.array(v.unknown()) });

/** The store in `storage`. Saves follow one another; a file that cannot be read is put aside before it is replaced. */
export function createStore(storage: Storage): Store {
  let papers: readonly Paper[] = [];
  /** Why saving would lose something. */
  let obstacle: string | undefined;
  let saving: Promise<void> = Promise.resolve();

  /** Keeps a copy under a free name; the name, or undefined where even that fails. */
  const keepAside = async (unreadable: string): Promise<string | undefined> => {
    try {
      for (let number = 1; ; number++) {
        const name = `library.unreadable-${number}.json`;
        const present = await storage.read(name);
        if (present === unreadable) return name;
        if (present !== null) continue;
        await storage.write(name, unreadable);
        return name;
      }
    } catch {
      return undefined;
    }
  };

  const setAside = async (stored: string, what: string): Promise<string> => {
    const kept = await keepAside(stored);
    if (kept !== undefined) return `Your library (${fileName}) ${what}; it is kept as ${kept}.`;
    obstacle = `Your library (${fileName}) ${what}, and no copy of it could be written: it stays as it is, and nothing is saved.`;
    return obstacle;
  };

  return {
    async load() {
      const stored = await storage.read(fileName);
      obstacle = undefined;
      papers = [];
      if (stored === null) return { papers };
      const read = v.safeParse(storedLibrary, parseJson(stored));
      if (!read.success) return { papers, problem: await setAside(stored, "is not a Litlens library") };
      if (read.output.format > format) {
        obstacle = `Your library (${fileName}) was written by a newer Litlens: update Litlens to use and change it.`;
        return { papers, problem: obstacle };
      }
      const records = read.output.papers.map((record) => v.safeParse(storedPaper, record));
      papers = records.flatMap((record) => (record.success ? [record.output] : []));
      const lost = records.length - papers.length;
      if (lost === 0) return { papers };
      return {
        papers,
        problem: await setAside(stored, `has ${lost} unreadable of ${records.length} papers`),
      };
    },

    merged: (incoming) => merge(papers, incoming),

    async save(next) {
      if (obstacle !== undefined) throw new Error(obstacle);
      const body = `${JSON.stringify({ format, papers: next }, undefined, 1)}\n`;
      const previous = saving;
      const write = async (): Promise<void> => {
        await previous.catch(() => undefined);
        await storage.write(fileName, body);
        papers = next;
      };
      await (saving = write());
    },
  };
}

/** Takes papers in: one that is there, by arXiv identifier or title, gains what the new record says. */
function merge(known: readonly Paper[], incoming: readonly Paper[]): Merged {
  const all = [...known];
  const places = new Map<string, number>();
  const register = (paper: Paper, at: number): void => {
    for (const key of keys(paper)) if (!places.has(key)) places.set(key, at);
  };
  all.forEach(register);
  const changed = new Set<number>();
  const met = new Set<number>();
  let added = 0;
  for (const paper of incoming) {
    const at = keys(paper).flatMap((key) => places.get(key) ?? [])[0];
    if (at === undefined) {
      register(paper, all.length);
      all.push(paper);
      added++;
      continue;
    }
    const old = all[at];
    if (old === undefined) continue;
    if (at < known.length) met.add(at);
    const next = combine(old, paper);
    if (JSON.stringify(next) === JSON.stringify(old)) continue;
    all[at] = next;
    if (at < known.length) changed.add(at);
    register(next, at);
  }
  return { all, added, updated: changed.size, unchanged: met.size - changed.size };
}

const keys = ({ arxiv, title }: Paper): string[] => [
  ...(arxiv === undefined ? [] : [`arxiv ${normaliseArxiv(arxiv)}`]),
  `title ${normaliseTitle(title)}`,
];

/** What the new record knows replaces what the old one said; what it does not know stays. */
function combine(old: Paper, next: Paper): Paper {
  const list = (a: readonly string[], b: readonly string[]): readonly string[] => (b.length > 0 ? b : a);
  return {
    ...old,
    ...next,
    id: old.id,
    authors: list(old.authors, next.authors),
    topics: list(old.topics, next.topics),
    aliases: list(old.aliases, next.aliases),
    methods: list(old.methods, next.methods),
    claims: next.claims.length > 0 ? next.claims : old.claims,
    relations: next.relations.length > 0 ? next.relations : old.relations,
    summary: next.summary === "" ? old.summary : next.summary,
    ...(old.listed === undefined && next.listed === undefined
      ? {}
      : { listed: { ...old.listed, ...next.listed } }),
  };
}

function parseJson(stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
