/** Files for a server that has none of its own: the user's library in the extension's folder, and what the user names. */
import { FileSystemError, FileType, Uri, workspace } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { requests } from "../../server/src/protocol";

/** A plain file name, so that nothing outside the folder can be meant. */
const plainName = /^[\w-]+(\.[\w-]+)*$/;

export function serveStorage(client: BaseLanguageClient, folder: Uri): void {
  const place = (name: string) => {
    if (!plainName.test(name)) throw new Error(`${name} is not a file name`);
    return Uri.joinPath(folder, name);
  };
  client.onRequest(requests.readStorage, async ({ name }: { name: string }) => ({
    text: await readText(place(name)),
  }));
  client.onRequest(requests.writeStorage, async ({ name, text }: { name: string; text: string }) => {
    const draft = place(`${name}.draft`);
    await workspace.fs.createDirectory(folder);
    await workspace.fs.writeFile(draft, new TextEncoder().encode(text));
    await workspace.fs.rename(draft, place(name), { overwrite: true });
    return null;
  });
  client.onRequest(requests.readFile, async ({ uri }: { uri: string }) => ({
    text: await readText(client.protocol2CodeConverter.asUri(uri)),
  }));
  client.onRequest(requests.listFolder, async ({ uri }: { uri: string }) => ({
    names: await listFolder(client.protocol2CodeConverter.asUri(uri)),
  }));
}

/** What cannot be listed holds nothing for us. */
async function listFolder(uri: Uri): Promise<string[]> {
  try {
    const entries = await workspace.fs.readDirectory(uri);
    return entries.map(([name, type]) => (type & FileType.Directory ? `${name}/` : name));
  } catch {
    return [];
  }
}

async function readText(uri: Uri): Promise<string | null> {
  try {
    return new TextDecoder().decode(await workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof FileSystemError && error.code === "FileNotFound") return null;
    throw error;
  }
}
