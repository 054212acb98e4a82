import * as vscode from "vscode";
import { closeAll, litlens } from "./editor";
import { holds, record, same } from "./harness";

describe("activation", () => {
  after(closeAll);

  it("contributes its commands before it is active", async () => {
    const commands = await vscode.commands.getCommands(true);
    const expected = [
      "searchPapers",
      "showPaper",
      "insertAdapter",
      "insertCitation",
      "importPapers",
      "restartServer",
      "showLogs",
      "copyDebugInformation",
    ].map((name) => `litlens.${name}`);
    same(
      expected.filter((command) => !commands.includes(command)),
      [],
      "missing commands",
    );
  });

  it("activates", async () => {
    const extension = litlens();
    const wasActive = extension.isActive;
    const start = performance.now();
    await extension.activate();
    if (!wasActive) record("activate", performance.now() - start);
    holds(extension.isActive, "the extension is not active after activate()");
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

/** A property of a JSON value; undefined where it is no object. */
function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
