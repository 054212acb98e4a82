/** The requests beyond LSP, each also a command `litlens.server.<name>` for editors that only know commands. */
import { CancellationToken, ErrorCodes, ResponseError, type Connection } from "vscode-languageserver";
import { requests, type ImportParams, type ImportResult, type Status } from "../protocol";
import type { Runtime } from "../runtime";
import type { Service } from "../service";
import type { Client } from "./capabilities";
import { acting, quietly } from "./guard";
import { checked, schemas } from "./params";

type Act = (params: unknown) => unknown;

/** `litlens/<name>` and `litlens.server.<name>` for each of these. */
const names = [
  "searchPapers",
  "paper",
  "adapterChoices",
  "insertAdapter",
  "importPapers",
  "bibliography",
  "status",
] as const;

const commandPrefix = "litlens.server.";

export const commands = names.map((name) => commandPrefix + name);

export function provideRequests(
  connection: Connection,
  service: Service,
  runtime: Runtime,
  client: Client,
): void {
  const acts: Record<(typeof names)[number], Act> = {
    searchPapers: (params) => service.search(checked(schemas.searchPapers, params, requests.searchPapers)),
    paper: (params) => service.paper(checked(schemas.paper, params, requests.paper).id),
    adapterChoices: (params) =>
      service.adapterChoices(checked(schemas.adapterChoices, params, requests.adapterChoices)),
    insertAdapter: (params) =>
      service.insertAdapter(checked(schemas.insertAdapter, params, requests.insertAdapter)),
    importPapers: (params) =>
      importPapers(
        connection,
        service,
        runtime,
        client,
        checked(schemas.importPapers, params, requests.importPapers),
      ),
    bibliography: (params) => ({
      text: service.bibliography(checked(schemas.bibliography, params, requests.bibliography)),
    }),
    status: () => status(service, runtime),
  };
  for (const name of names) {
    const handle = acting<unknown, unknown>(connection.console, name, acts[name]);
    // Without params the token comes first.
    connection.onRequest(requests[name], (first: unknown, second?: CancellationToken) =>
      CancellationToken.is(first) ? handle({}, first) : handle(first, second ?? CancellationToken.None),
    );
  }
  connection.onExecuteCommand((params, token) => execute(connection, service, acts, params, token));
  connection.onNotification(
    requests.theme,
    quietly(connection.console, requests.theme, (params: unknown) =>
      service.setTheme(checked(schemas.theme, params, requests.theme).theme),
    ),
  );
}

function execute(
  connection: Connection,
  service: Service,
  acts: Record<(typeof names)[number], Act>,
  { command, arguments: [params] = [] }: { command: string; arguments?: unknown[] },
  token: CancellationToken,
): Promise<unknown> {
  const name = names.find((known) => commandPrefix + known === command);
  const run: Act = async () => {
    if (!name) throw new ResponseError(ErrorCodes.InvalidParams, `There is no command ${command}.`);
    if (name !== "insertAdapter") return acts[name](params ?? {});
    const edit = await service.insertAdapter(checked(schemas.insertAdapter, params, command));
    const { applied, failureReason } = await connection.workspace.applyEdit(edit);
    if (!applied) throw new Error(failureReason ?? "The editor refused the edit.");
    return null;
  };
  return acting<unknown, unknown>(connection.console, command, run)(params, token);
}

async function importPapers(
  connection: Connection,
  service: Service,
  runtime: Runtime,
  client: Client,
  params: ImportParams,
): Promise<ImportResult> {
  const progress = client.showsProgress ? await connection.window.createWorkDoneProgress() : undefined;
  progress?.begin("Litlens: importing papers", undefined, params.uri);
  try {
    if (params.text === undefined && params.uri === undefined)
      throw new ResponseError(ErrorCodes.InvalidParams, `${requests.importPapers}: give text or uri`);
    const text = params.text ?? (await runtime.readFile(params.uri ?? ""));
    return await service.importPapers({ ...params, text });
  } finally {
    progress?.done();
  }
}

function status(service: Service, runtime: Runtime): Status {
  const memory = runtime.memory?.();
  return {
    version: runtime.version,
    ...service.status(),
    ...(memory !== undefined && { memory }),
  };
}
