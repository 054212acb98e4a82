/** The files of a user's own corpus, from a folder on this machine. */
import { promises as files } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import type { CorpusFolder } from "../literature/corpora";
import type { Problem, SourceText } from "../literature/source/problems";

/** A paper or a method is a few kilobytes; whatever is this large is something else. */
const largestFile = 2_000_000;

const kinds = {
  papers: /\.md$/,
  methods: /\.(ya?ml|py)$/,
  symbols: /\.ya?ml$/,
  rules: /\.ya?ml$/,
  conversions: /\.ya?ml$/,
  recipes: /\.ya?ml$/,
  families: /\.ya?ml$/,
} as const;

/**
 * What lies under papers/, methods/<id>/, symbols/, rules/, conversions/, recipes/ and families/ of `folder`, which may
 * start with `~`. A file that cannot be read is a problem; rejects with a sentence that names the folder and the remedy where nothing can be read.
 */
export async function readCorpusFolder(folder: string): Promise<CorpusFolder> {
  const root = /^~(?=[\\/]|$)/.test(folder) ? join(homedir(), folder.slice(1)) : folder;
  if (!isAbsolute(root))
    throw new Error(
      `"${folder}" must be an absolute path or start with ~/; write the whole path of the folder.`,
    );
  await list(root);
  const papers = await filesOf(join(root, "papers"), kinds.papers);
  const symbols = await filesOf(join(root, "symbols"), kinds.symbols);
  const rules = await filesOf(join(root, "rules"), kinds.rules);
  const conversions = await filesOf(join(root, "conversions"), kinds.conversions);
  const recipes = await filesOf(join(root, "recipes"), kinds.recipes);
  const families = await filesOf(join(root, "families"), kinds.families);
  const methods = await foldersOf(join(root, "methods"));
  if ([papers, symbols, rules, conversions, recipes, families, methods].every((found) => found === undefined))
    throw new Error(
      `${root} has none of the folders papers, methods, symbols, rules, conversions, recipes and families; name the folder that holds them.`,
    );
  const ofMethods: string[] = [];
  for (const method of methods ?? []) ofMethods.push(...((await filesOf(method, kinds.methods)) ?? []));

  const files: SourceText[] = [];
  const problems: Problem[] = [];
  const others = [symbols, rules, conversions, recipes, families].flatMap((each) => each ?? []);
  for (const path of [...(papers ?? []), ...ofMethods, ...others]) {
    const shown = path.split(sep).join("/");
    const read = await readSource(path);
    if (read.text !== undefined) files.push({ path: shown, text: read.text });
    else problems.push({ file: shown, line: 1, field: "", message: read.reason });
  }
  return { files, problems };
}

type Read =
  { readonly text: string; readonly reason?: never } | { readonly text?: never; readonly reason: string };

async function readSource(path: string): Promise<Read> {
  try {
    const { size } = await files.stat(path);
    if (size > largestFile)
      return { reason: `is ${size} bytes, more than any corpus file needs: move it elsewhere` };
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(await files.readFile(path)) };
  } catch (error) {
    if (error instanceof TypeError) return { reason: "is not UTF-8 text: save it as UTF-8" };
    return { reason: `cannot be read (${codeOf(error)}): check that it is a file you may read` };
  }
}

async function list(folder: string) {
  try {
    return await files.readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = codeOf(error);
    const reason =
      code === "ENOENT"
        ? "does not exist"
        : code === "ENOTDIR"
          ? "is not a folder"
          : `cannot be read (${code})`;
    throw new Error(`${folder} ${reason}; put the path right, or take it out of the setting.`);
  }
}

/** Files of one folder by name; undefined where there is no such folder. */
async function filesOf(folder: string, wanted: RegExp): Promise<string[] | undefined> {
  if (!(await exists(folder))) return undefined;
  const entries = await list(folder);
  return entries
    .filter((entry) => !entry.isDirectory() && wanted.test(entry.name) && !entry.name.startsWith("."))
    .map(({ name }) => join(folder, name))
    .sort();
}

async function foldersOf(folder: string): Promise<string[] | undefined> {
  if (!(await exists(folder))) return undefined;
  const entries = await list(folder);
  return entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith(".") && entry.name !== "__pycache__")
    .map(({ name }) => join(folder, name))
    .sort();
}

async function exists(path: string): Promise<boolean> {
  return files.stat(path).then(
    () => true,
    (error: unknown) => codeOf(error) !== "ENOENT",
  );
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : String(error);
}
