import { env, UIKind, version, window, workspace } from "vscode";
import type { Status } from "../../../server/src/protocol";
import { reasonOf, type Session } from "../session";

/** Copies what a bug report needs: versions, settings and the server's state. No code and no folders of the user. */
export async function copyDebugInformation(session: Session): Promise<void> {
  await env.clipboard.writeText(await debugInformation(session));
  void window.showInformationMessage("Litlens: debug information copied to the clipboard.");
}

async function debugInformation({ context, server }: Session): Promise<string> {
  const manifest: unknown = context.extension.packageJSON;
  const extension: unknown = typeof manifest === "object" && manifest ? Reflect.get(manifest, "version") : "";
  const status: Status | { problem: string } = await server
    .request("status", {})
    .catch((error: unknown) => ({ problem: reasonOf(error) }));
  const information = {
    extension,
    vscode: version,
    host: env.uiKind === UIKind.Web ? "web" : "desktop",
    remote: env.remoteName ?? "none",
    trusted: workspace.isTrusted,
    server: status,
    settings: { ...workspace.getConfiguration("litlens"), corpus: undefined },
  };
  return ["```json", JSON.stringify(information, undefined, 2), "```", ""].join("\n");
}
