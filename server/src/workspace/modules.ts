/** Where in a workspace a module may be: Python's import rules, told by addresses alone. */

/** Folders above a file that lies in no workspace folder, which are searched too. */
const foldersAbove = 2;
/** Folders between a file and its workspace folder are searched up to this many. */
const maximumFolders = 8;

const folderOf = (uri: string): string => uri.slice(0, uri.lastIndexOf("/") + 1);

/** The address of a folder with the slash at its end. */
const asFolder = (uri: string): string => (uri.endsWith("/") ? uri : `${uri}/`);

function parentOf(folder: string): string | undefined {
  const parent = folderOf(folder.slice(0, -1));
  // Above the root is the scheme: `file:///`.
  return /^[\w+.-]+:(?:\/\/[^/]*)?\/.*$/.test(parent) && !parent.endsWith("://") ? parent : undefined;
}

/**
 * Addresses at which a module may be, likeliest first.
 * @param module as the file writes it: `gpt`, `..layers`, `pkg.config`
 * @param roots addresses of the workspace's folders
 */
export function candidates(module: string, importer: string, roots: readonly string[]): string[] {
  const [dots = ""] = /^\.*/.exec(module) ?? [];
  const path = module.slice(dots.length).split(".").filter(Boolean).map(encodeURIComponent).join("/");
  const own = folderOf(importer);
  const folders = dots === "" ? searched(own, roots) : [above(own, dots.length - 1)];
  return folders.flatMap((folder) => {
    if (folder === undefined || !folder.includes("/")) return [];
    return path === "" ? [`${folder}__init__.py`] : [`${folder}${path}.py`, `${folder}${path}/__init__.py`];
  });
}

function above(folder: string, levels: number): string | undefined {
  let found: string | undefined = folder;
  for (let level = 0; level < levels && found !== undefined; level++) found = parentOf(found);
  return found;
}

/** Folders that an absolute import is looked for in: the file's own, the workspace's, their `src`, and those between. */
function searched(own: string, roots: readonly string[]): string[] {
  const inRoots = roots.map(asFolder).flatMap((root) => [root, `${root}src/`]);
  return [...new Set([...foldersAround(own, roots), ...inRoots])];
}

/** The folder of a file and those above it, nearest first, up to its workspace folder. */
export function foldersAround(uri: string, roots: readonly string[]): string[] {
  const own = folderOf(uri);
  const home = roots
    .map(asFolder)
    .filter((root) => own.startsWith(root))
    .toSorted((a, b) => b.length - a.length)[0];
  const found = [own];
  const limit = home === undefined ? foldersAbove : maximumFolders;
  for (let folder = parentOf(own); folder !== undefined && found.length <= limit; folder = parentOf(folder)) {
    if (home !== undefined && !folder.startsWith(home)) break;
    found.push(folder);
  }
  return found;
}
