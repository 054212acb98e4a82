/** Files that open documents import from and that are not open: read when first wanted, kept in outline. */
import { inSlices } from "../slices";
import { type Outline, outlining } from "../python/outline";

/** Longer files are data. */
const maximumBytes = 400_000;
/** Characters of a file that are kept. */
const maximumKept = 150_000;

interface File {
  /** Undefined where there is no such file, or none that can be read. */
  readonly outline?: Outline;
  readonly wanted: ReadonlySet<string>;
}

export class Files {
  private readonly known = new Map<string, File>();

  /** @param readFile text of a file; rejects where there is none */
  constructor(private readonly readFile: (uri: string, maximumBytes: number) => Promise<string>) {}

  /** What a file has of the names that are wanted now or were before. */
  async outline(uri: string, wanted: () => ReadonlySet<string>): Promise<Outline | undefined> {
    const known = this.known.get(uri);
    if (known && (!known.outline || !lacks(known, known.outline, wanted()))) return known.outline;
    let file: File = { wanted: new Set() };
    try {
      const text = await this.readFile(uri, maximumBytes);
      if (text.length <= maximumBytes) {
        const all = new Set([...(known?.wanted ?? []), ...wanted()]);
        file = { wanted: all, outline: await inSlices(outlining(text, all, maximumKept)) };
      }
    } catch {
      // Most names of modules lead to no file of the workspace.
    }
    this.known.set(uri, file);
    return file.outline;
  }

  /** What is known of these files may be wrong. */
  forget(uris: Iterable<string>): void {
    for (const uri of uris) this.known.delete(uri);
  }

  /** Of all that is known, files that are not there included. */
  addresses(): string[] {
    return [...this.known.keys()];
  }

  /** Lets go of files that nothing open leads to any more. */
  keepOnly(uris: ReadonlySet<string>): void {
    for (const uri of this.known.keys()) if (!uris.has(uri)) this.known.delete(uri);
  }
}

function lacks(known: File, outline: Outline, wanted: ReadonlySet<string>): boolean {
  for (const name of wanted) if (!known.wanted.has(name) && outline.has(name)) return true;
  return false;
}
