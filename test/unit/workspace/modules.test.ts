import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates } from "../../../server/src/workspace/modules";

const check = (
  module: string,
  importer: string,
  expected: readonly string[],
  roots: readonly string[] = ["file:///project"],
): void => assert.deepEqual(candidates(module, importer, roots), expected);

test("a relative module is looked for in one folder", () => {
  const importer = "file:///project/pkg/sub/model.py";
  check(".layers", importer, [
    "file:///project/pkg/sub/layers.py",
    "file:///project/pkg/sub/layers/__init__.py",
  ]);
  check("..a.b", importer, ["file:///project/pkg/a/b.py", "file:///project/pkg/a/b/__init__.py"]);
  check(".", importer, ["file:///project/pkg/sub/__init__.py"]);
  check("......a", importer, []);
});

test("an absolute module is looked for beside the file, up to the workspace's folder, there and in src", () => {
  check("config", "file:///project/pkg/model.py", [
    "file:///project/pkg/config.py",
    "file:///project/pkg/config/__init__.py",
    "file:///project/config.py",
    "file:///project/config/__init__.py",
    "file:///project/src/config.py",
    "file:///project/src/config/__init__.py",
  ]);
});

test("a file outside the workspace has two folders above it searched", () => {
  check(
    "a.b",
    "file:///x/y/z/w/model.py",
    ["x/y/z/w", "x/y/z", "x/y"].flatMap((folder) => [
      `file:///${folder}/a/b.py`,
      `file:///${folder}/a/b/__init__.py`,
    ]),
    [],
  );
});

test("addresses of other schemes and names of other scripts keep their form", () => {
  const root = "vscode-vfs://github/a/b";
  const places = [root, `${root}/src`].flatMap((folder) => [
    `${folder}/gr%C3%B6%C3%9Fe.py`,
    `${folder}/gr%C3%B6%C3%9Fe/__init__.py`,
  ]);
  check("größe", `${root}/model.py`, places, [root]);
  check("config", "untitled:Untitled-1", [], []);
  check(".config", "untitled:Untitled-1", []);
});
