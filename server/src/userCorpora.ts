/** The user's own corpora, of the setting as it was last. */
import { type Corpora, type CorpusFolder, readCorpora } from "./literature/corpora";
import type { Corpus } from "./literature/model";

export interface UserCorporaOptions {
  readonly bundled: Corpus;
  /** The files of a folder; absent where the platform has no folders. */
  readonly read: ((folder: string) => Promise<CorpusFolder>) | undefined;
  /** Called with the bundled corpus and all that the folders add. */
  readonly onChange: (corpus: Corpus) => void;
  /** What the user should see: the first problem, and how many there are beside it. */
  readonly warn: (message: string) => void;
  readonly log: (message: string) => void;
}

export class UserCorpora {
  private found: Corpora;
  private paths: readonly string[] = [];
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly options: UserCorporaOptions) {
    this.found = { corpus: options.bundled, problems: [] };
  }

  get corpus(): Corpus {
    return this.found.corpus;
  }

  get problems(): readonly string[] {
    return this.found.problems;
  }

  /** Resolves when the folders of the setting are read, whatever was wrong with them. */
  get ready(): Promise<void> {
    return this.reading;
  }

  /** Begins to read `paths` where they are not what was read last. */
  setPaths(paths: readonly string[]): void {
    if (JSON.stringify(paths) === JSON.stringify(this.paths)) return;
    this.paths = paths;
    this.reading = this.readAll(paths).catch((error: unknown) =>
      this.options.log(error instanceof Error ? error.message : String(error)),
    );
  }

  private async readAll(paths: readonly string[]): Promise<void> {
    const { bundled, onChange, warn, log } = this.options;
    const read =
      this.options.read ??
      ((folder) =>
        Promise.reject(new Error(`${folder} is not read: Litlens in the browser reads no folders.`)));
    const found = await readCorpora(bundled, paths, read);
    if (paths !== this.paths) return; // the setting has changed meanwhile
    this.found = found;
    onChange(found.corpus);
    found.problems.forEach(log);
    const [first, ...more] = found.problems;
    if (first === undefined) return;
    const rest = more.length === 0 ? "" : ` And ${more.length} more: see the log.`;
    warn(`${first}${/[.!?]$/.test(first) ? "" : "."}${rest}`);
  }
}
