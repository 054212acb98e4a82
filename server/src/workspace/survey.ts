/** Which files a document imports from, directly and through others. */
import type { Documents } from "../documents";
import { headOf } from "../python/names/neighbourhood";
import { type Needs, namesIn, needsOf, type Outline } from "../python/outline";
import { knownLibraries } from "../python/names/scope";
import type { PythonDocument } from "../python/document";
import type { Files } from "./files";
import type { Links } from "./members";
import { candidates } from "./modules";

/** Files that are not open, for each document. */
const maximumFiles = 30;
/** Characters kept of them together. */
const maximumSize = 300_000;
/** Addresses that are tried in vain, for each document. */
const maximumMisses = 400;

export class Survey {
  private readonly found = new Map<string, Map<string, string>>();
  /** Files that are not open and were found. */
  readonly outlines = new Map<string, Outline>();
  /** Every address that was asked for, those in vain too. */
  readonly asked = new Set<string>();

  constructor(
    private readonly documents: Documents,
    private readonly files: Files,
    private readonly roots: readonly string[],
  ) {}

  get links(): Links {
    return this.found;
  }

  /** Follows the imports of an open document to an end or to the limits. */
  async follow(uri: string, python: PythonDocument): Promise<void> {
    const walk = new Walk();
    walk.add(uri, needsOfDocument(python));
    for (const { importer, needs } of walk.queue) {
      for (const [module, names] of needs.modules) {
        if (knownLibraries.has(headOf(module))) continue;
        const found = await this.link(
          importer,
          module,
          names === "all" ? needs.mentioned : () => names,
          walk,
        );
        if (names === "all" || (found && !found.endsWith("/__init__.py"))) continue;
        // `from pkg import layers` may name a module.
        for (const name of names) {
          const mayBeModule = found === undefined ? /^[a-z_]/.test(name) : !this.has(found, name);
          if (!mayBeModule) continue;
          const inside = module.endsWith(".") ? module + name : `${module}.${name}`;
          await this.link(importer, inside, needs.mentioned, walk);
        }
      }
    }
  }

  private async link(
    importer: string,
    module: string,
    wanted: () => ReadonlySet<string>,
    walk: Walk,
  ): Promise<string | undefined> {
    for (const uri of candidates(module, importer, this.roots)) {
      const open = this.documents.file(uri);
      if (open) walk.add(uri, needsOfDocument(open));
      else {
        if (walk.isFull(uri)) continue;
        this.asked.add(uri);
        const outline = await this.files.outline(uri, wanted);
        if (!outline) {
          walk.misses.add(uri);
          continue;
        }
        this.outlines.set(uri, outline);
        walk.add(uri, outline.needs, outline);
      }
      const links = this.found.get(importer) ?? new Map<string, string>();
      this.found.set(importer, links.set(module, uri));
      return uri;
    }
    return undefined;
  }

  private has(uri: string, name: string): boolean {
    return this.outlines.get(uri)?.has(name) ?? this.documents.file(uri)?.names.lookup(name) !== undefined;
  }
}

/** The way from one document through what it imports. */
class Walk {
  readonly queue: { readonly importer: string; readonly needs: Needs }[] = [];
  readonly misses = new Set<string>();
  private readonly seen = new Map<string, Outline | "open">();

  /** An outline that has grown is followed again. */
  add(uri: string, needs: Needs, outline: Outline | "open" = "open"): void {
    if (this.seen.get(uri) === outline) return;
    this.seen.set(uri, outline);
    this.queue.push({ importer: uri, needs });
  }

  isFull(uri: string): boolean {
    if (this.seen.has(uri)) return false;
    if (this.misses.size >= maximumMisses) return true;
    const outlines = [...this.seen.values()].filter((each) => each !== "open");
    const size = outlines.reduce((sum, outline) => sum + outline.size, 0);
    return outlines.length >= maximumFiles || size >= maximumSize;
  }
}

function needsOfDocument(python: PythonDocument): Needs {
  let names: ReadonlySet<string> | undefined;
  return needsOf(python.names.placed, () => (names ??= namesIn(python.text)));
}
