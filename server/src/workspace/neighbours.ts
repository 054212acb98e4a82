/**
 * What open documents import from files of the workspace. Found out in the background after each pause; until then,
 * and where a file cannot be read, a document is read with what is known.
 */
import type { Documents } from "../documents";
import { Files } from "./files";
import { type Content, type Member, membersAfter } from "./members";
import { Survey } from "./survey";

/** Milliseconds without a change before imports are looked at again. */
const pause = 300;
/** Before the first look at a document: what is asked for at once comes first. */
const firstPause = 30;

export interface NeighboursOptions {
  readonly documents: Documents;
  /** Text of a file that is not open; rejects where there is none. */
  readonly readFile: (uri: string, maximumBytes: number) => Promise<string>;
  /** Some open documents read differently now. */
  readonly onChange: () => void;
  readonly log: (message: string) => void;
}

export class Neighbours {
  private readonly files: Files;
  private readonly outdated = new Set<string>();
  private roots: readonly string[] = [];
  private members: ReadonlyMap<string, Member> = new Map();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private surveying: Promise<void> = Promise.resolve();

  constructor(private readonly options: NeighboursOptions) {
    this.files = new Files(options.readFile);
  }

  /** Addresses of the workspace's folders. */
  get folders(): readonly string[] {
    return this.roots;
  }

  setFolders(uris: readonly string[]): void {
    this.roots = uris;
    this.look(firstPause);
  }

  /** A document was opened or closed: nothing is known of it, whatever there was under its address. */
  opened(uri: string): void {
    this.members = new Map([...this.members].filter(([address]) => address !== uri));
    this.outdated.add(uri);
    this.look(firstPause);
  }

  changed(): void {
    this.look(pause);
  }

  /** Files came, went or changed on disk: these, or nobody knows which. */
  changedOnDisk(uris: readonly string[] | "any"): void {
    for (const uri of uris === "any" ? this.files.addresses() : uris) this.outdated.add(uri);
    this.look(pause);
  }

  /** Resolves when all that was told so far has been looked into. */
  async settled(): Promise<void> {
    while (this.timer !== undefined) await new Promise((resolve) => setTimeout(resolve, firstPause));
    await this.surveying;
  }

  private look(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.surveying = this.surveying
        .then(() => this.survey())
        .catch((error: unknown) =>
          this.options.log(error instanceof Error ? (error.stack ?? error.message) : String(error)),
        );
    }, delay);
  }

  private async survey(): Promise<void> {
    const { documents } = this.options;
    this.files.forget(this.outdated);
    this.outdated.clear();
    const survey = new Survey(documents, this.files, this.roots);
    for (const { uri, python } of documents.all()) await survey.follow(uri, python);
    this.files.keepOnly(survey.asked);
    this.takeOver(survey);
  }

  /** Documents for which nothing has changed stay as they are. */
  private takeOver({ links, outlines }: Survey): void {
    const { documents, onChange } = this.options;
    const contents = new Map<string, Content>(outlines);
    for (const { uri, python } of documents.all()) contents.set(uri, python.text);
    const { members, replaced } = membersAfter(this.members, contents, links);
    this.members = members;
    const imported = new Set([...links.values()].flatMap((each) => [...each.values()]));
    let told = false;
    for (const { uri } of documents.all()) {
      const member = members.get(uri);
      if (!member) continue;
      if (replaced.has(uri)) documents.among(uri, member.neighbourhood);
      told ||= replaced.has(uri);
      // Of what nobody imports, an earlier version need not be kept.
      member.python = imported.has(uri) ? documents.file(uri) : undefined;
    }
    if (told) onChange();
  }
}
