/** The runtime of a Node process: assets beside the bundle, the library in a folder. */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { URI } from "vscode-uri";
import { version } from "../../../package.json";
import type { Runtime, TextStorage } from "../runtime";
import { readCorpusFolder } from "./corpusFolder";

// node:fs/promises takes as long to load as the corpus to read
const [mkdir, readdir, readFile, rename, stat, writeFile] = [
  promisify(fs.mkdir),
  promisify(fs.readdir),
  promisify(fs.readFile),
  promisify(fs.rename),
  promisify(fs.stat),
  promisify(fs.writeFile),
];

/** Where a user's own data lives on this platform, for clients that name no folder. */
export function defaultDataFolder(
  platform: string,
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  if (platform === "win32")
    return join(environment["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), "litlens");
  if (platform === "darwin") return join(home, "Library", "Application Support", "litlens");
  return join(environment["XDG_DATA_HOME"] || join(home, ".local", "share"), "litlens");
}

/** `distribution` is the folder of the bundles' assets. */
export function nodeRuntime(distribution: string): Runtime {
  return {
    version,
    readAsset: (name) =>
      readFile(join(distribution, name), "utf8").catch((error: unknown) => {
        throw new Error(
          `${join(distribution, name)} cannot be read (${codeOf(error)}); install Litlens anew.`,
        );
      }),
    storage: (folder) => folderStorage(folder ?? defaultDataFolder(process.platform, process.env, homedir())),
    readFile: readUri,
    listFolder: listUri,
    readCorpus: readCorpusFolder,
    memory: () => process.memoryUsage.rss(),
  };
}

/** One file a name. Written beside and renamed, so that a crash leaves the old text. */
export function folderStorage(folder: string): TextStorage {
  let writes = 0;
  return {
    async read(name) {
      const path = join(folder, name);
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if (codeOf(error) === "ENOENT") return null;
        throw new Error(`${path} cannot be read (${codeOf(error)}); check that it is a file you may read.`);
      }
    },
    async write(name, text) {
      const path = join(folder, name);
      writes += 1;
      const draft = `${path}.${process.pid}-${writes}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(draft, text);
        await rename(draft, path);
      } catch (error) {
        throw new Error(`${path} cannot be written (${codeOf(error)}); check the folder's rights and space.`);
      }
    },
  };
}

async function readUri(uri: string, maximumBytes = Infinity): Promise<string> {
  const { scheme, fsPath } = URI.parse(uri);
  if (scheme !== "file")
    throw new Error(`${uri} is not a file on this machine; send its content as text instead.`);
  try {
    if (maximumBytes < Infinity) await checkSize(fsPath, maximumBytes);
    return await readFile(fsPath, "utf8");
  } catch (error) {
    throw new Error(`${fsPath} cannot be read (${codeOf(error)}); check that it is a file you may read.`);
  }
}

async function listUri(uri: string): Promise<string[]> {
  const { scheme, fsPath } = URI.parse(uri);
  if (scheme !== "file") return [];
  try {
    const entries = await readdir(fsPath, { withFileTypes: true });
    return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  } catch {
    return [];
  }
}

/** Rejects for what is no plain file, too: reading a pipe may never end. */
async function checkSize(path: string, maximumBytes: number): Promise<void> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error("it is no plain file");
  if (found.size > maximumBytes) throw new Error(`it is longer than ${maximumBytes} bytes`);
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return String(error);
  return String(error.code);
}
