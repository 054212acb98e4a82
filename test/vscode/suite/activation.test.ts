import { createRequire } from "node:module";
import { join } from "node:path";
import * as vscode from "vscode";
import { closeAll, litlens } from "./editor";
import { holds, record, same } from "./harness";

describe("activation", () => {
  after(closeAll);

  it("activates", async () => {
    const extension = litlens();
    const wasActive = extension.isActive;
    const start = performance.now();
    // Loading is measured apart: require keeps the module, activate() then finds it
    createRequire(join(extension.extensionPath, "package.json"))(mainOf(extension));
    const loaded = performance.now();
    await extension.activate();
    if (!wasActive) {
      record("load", loaded - start);
      record("activate", performance.now() - loaded);
    }
    holds(extension.isActive, "the extension is not active after activate()");
  });

  it("registers every command that it contributes", async () => {
    const contributed = property(property(litlens().packageJSON, "contributes"), "commands");
    const names = (Array.isArray(contributed) ? contributed : []).map((entry: unknown) =>
      String(property(entry, "command")),
    );
    for (const name of [
      "searchPapers",
      "showPaper",
      "insertAdapter",
      "compareAdapters",
      "restartServer",
      "showLogs",
    ])
      holds(names.includes(`litlens.${name}`), `the manifest lacks litlens.${name}`);
    const registered = await vscode.commands.getCommands(true);
    same(
      names.filter((name) => !registered.includes(name)),
      [],
      "commands that nothing answers",
    );
  });

  it("has no keybindings and at most 15 described settings", () => {
    const manifest: unknown = litlens().packageJSON;
    const contributes = property(manifest, "contributes");
    same(property(contributes, "keybindings"), undefined, "keybindings");
    const properties = property(property(contributes, "configuration"), "properties");
    const settings = Object.entries(properties ?? {});
    holds(settings.length > 0 && settings.length <= 15, `${settings.length} settings`);
    const incomplete = settings.filter(
      ([, setting]) =>
        (property(setting, "description") ?? property(setting, "markdownDescription")) === undefined ||
        property(setting, "default") === undefined ||
        property(setting, "scope") === undefined,
    );
    same(
      incomplete.map(([name]) => name),
      [],
      "settings without a description, a default or a scope",
    );
  });
});

/** Path of the bundle that VS Code loads. */
function mainOf(extension: vscode.Extension<unknown>): string {
  const main = property(extension.packageJSON, "main");
  holds(typeof main === "string", "the manifest has no main");
  return join(extension.extensionPath, main);
}

/** A property of a JSON value; undefined where it is no object. */
function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
