/** The only seam between the server and the platform it runs on: a Node process, or a Web Worker. */
import type { CorpusFolder } from "./literature/corpora";
import type { InitializationOptions } from "./protocol";

/** What the build puts beside the bundles. */
export type Asset = "corpus.json" | "formulas.json" | "index.json";

/** The user's own library: a few named texts, kept between sessions. */
export interface TextStorage {
  /** `null` where nothing was written yet. */
  read(name: string): Promise<string | null>;
  /** Replaces the text as a whole: a reader sees the old one or the new one. */
  write(name: string, text: string): Promise<void>;
}

export interface Runtime {
  readonly version: string;
  readAsset(name: Asset): Promise<string>;
  /** `folder` is `initializationOptions.storage`; platforms without a file system ask the client. */
  storage(folder: InitializationOptions["storage"]): TextStorage;
  /**
   * The text of a file that the user named, or that a document imports from. Rejects with a sentence that names the
   * file and the remedy, also where it is known to be longer than `maximumBytes`.
   */
  readFile(uri: string, maximumBytes?: number): Promise<string>;
  /** Names of what a folder holds, those of folders with a `/` at their end; empty where there is no such folder. */
  listFolder(uri: string): Promise<readonly string[]>;
  /**
   * The source files of a corpus of the user's own, as `litlens.corpus.paths` names it. Absent on platforms without
   * folders. Rejects with a sentence that names the folder and the remedy.
   */
  readonly readCorpus?: (folder: string) => Promise<CorpusFolder>;
  /** Bytes held by this process, where the platform tells. */
  memory?(): number;
}
