/** The server itself, in a bundle of its own so that its compiled code can be kept. */
import { join } from "node:path";
import { createConnection } from "vscode-languageserver/node";
import { startServer, connectionStrategy } from "../server";
import { createService } from "../service";
import { nodeRuntime } from "./runtime";

const connection = createConnection({ connectionStrategy });
process.on("unhandledRejection", (reason) =>
  connection.console.error(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
);
startServer(connection, nodeRuntime(join(__dirname, "..")), createService);
