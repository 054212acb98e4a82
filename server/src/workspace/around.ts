/** The Python files around a file, of which some may import it. */
import { foldersAround } from "./modules";

/** Folders that are listed, those beside and above the file and theirs. */
const maximumFolders = 30;
const maximumFiles = 150;
/** Longer files are data. */
const maximumBytes = 200_000;

export interface TextFile {
  readonly uri: string;
  readonly text: string;
}

export interface AroundOptions {
  /** Names in a folder, those of folders with a `/` at their end. */
  readonly listFolder: (uri: string) => Promise<readonly string[]>;
  /** Null where there is no text. */
  readonly readText: (uri: string, maximumBytes: number) => Promise<string | null>;
}

/** Texts of the files in the folder of `uri`, in those above it in the workspace, and in the folders of these; nearest first. */
export async function filesAround(
  uri: string,
  roots: readonly string[],
  { listFolder, readText }: AroundOptions,
): Promise<TextFile[]> {
  // above a file of no workspace folder there may be anything
  const isInWorkspace = roots.some((root) => uri.startsWith(root));
  const listed = new Map<string, readonly string[]>();
  const list = async (folders: readonly string[]): Promise<void> => {
    const asked = folders.filter((folder) => !listed.has(folder)).slice(0, maximumFolders - listed.size);
    const names = await Promise.all(asked.map(listFolder));
    asked.forEach((folder, index) => listed.set(folder, names[index] ?? []));
  };
  await list(foldersAround(uri, roots).slice(0, isInWorkspace ? Infinity : 1));
  if (isInWorkspace)
    await list([...listed].flatMap(([folder, names]) => inside(folder, names, /^[^._].*\/$/)));
  const files = [...listed].flatMap(([folder, names]) => inside(folder, names, /\.py$/));
  const others = files.filter((each) => each !== uri).slice(0, maximumFiles);
  const texts = await Promise.all(others.map((each) => readText(each, maximumBytes)));
  return others.flatMap((each, index) => {
    const text = texts[index] ?? null;
    return text === null ? [] : [{ uri: each, text }];
  });
}

const inside = (folder: string, names: readonly string[], wanted: RegExp): string[] =>
  names.filter((name) => wanted.test(name)).map((name) => folder + encodeURI(name));
