/** The server as a Web Worker: the corpus is part of the bundle, the library is kept by the client. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import type { Connection } from "vscode-languageserver";
import corpus from "litlens:corpus.json";
import formulas from "litlens:formulas.json";
import index from "litlens:index.json";
import { version } from "../../../package.json";
import { requests } from "../protocol";
import type { Asset, TextStorage } from "../runtime";
import { connectionStrategy, startServer } from "../server";
import { createService } from "../service";

const assets: Record<Asset, string> = {
  "corpus.json": corpus,
  "formulas.json": formulas,
  "index.json": index,
};

function clientStorage(connection: Connection): TextStorage {
  return {
    async read(name) {
      const { text } = await connection.sendRequest<{ text: string | null }>(requests.readStorage, { name });
      return text;
    },
    async write(name, text) {
      await connection.sendRequest<null>(requests.writeStorage, { name, text });
    },
  };
}

const connection = createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self), {
  connectionStrategy,
});
startServer(
  connection,
  {
    version,
    readAsset: (name) => Promise.resolve(assets[name]),
    storage: () => clientStorage(connection),
    async readFile(uri) {
      const { text } = await connection.sendRequest<{ text: string | null }>(requests.readFile, { uri });
      if (text === null) throw new Error(`${uri} cannot be read; check that it is a file you may read.`);
      return text;
    },
    async listFolder(uri) {
      const { names } = await connection.sendRequest<{ names: string[] }>(requests.listFolder, { uri });
      return names;
    },
  },
  createService,
);
