/** What is offered and not disabled can be had, before and after the files that a document imports from are read. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import type { Service } from "../../../server/src/service";
import { serviceWith, uri } from "../adapters/check";

const offeredIn = (service: Service, text: string): CodeAction[] =>
  service
    .codeActions(
      uri,
      {
        start: { line: 0, character: 0 },
        end: TextDocument.create(uri, "python", 1, text).positionAt(text.length),
      },
      { diagnostics: [], only: ["refactor.rewrite.adapter"] },
    )
    .filter(({ disabled, kind }) => disabled === undefined && kind?.endsWith(".remove") !== true);

function siteOf({ data }: CodeAction): string {
  const known: unknown = data;
  return typeof known === "object" && known !== null && "site" in known ? String(known.site) : "";
}

/** The first and the last method of each place. */
function ofEachPlace(actions: readonly CodeAction[]): CodeAction[] {
  const places = new Map<string, CodeAction[]>();
  for (const action of actions) {
    // helpers for free code are the same at every gap
    const place = siteOf(action)
      .replace(/^\w+@/, "")
      .replace(/^free:.*/, "free");
    places.set(place, [...(places.get(place) ?? []), action]);
  }
  return [...places.values()].flatMap((each) => [...new Set([...each.slice(0, 1), ...each.slice(-1)])]);
}

async function checkEach(service: Service, actions: readonly CodeAction[], file: string): Promise<void> {
  for (const action of actions) {
    const { edit } = await service.resolveCodeAction(action);
    assert.ok((edit?.documentChanges?.length ?? 0) > 0, `${file}: ${siteOf(action)} changes nothing`);
  }
}

test("every place of every fixture takes what is offered there", async () => {
  const folders = ["test/fixtures/patterns", "test/fixtures/python", "examples"];
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
  for (const file of files.filter((name) => name.endsWith(".py"))) {
    const text = readFileSync(file, "utf8");
    const service = serviceWith(text);
    await checkEach(service, ofEachPlace(offeredIn(service, text)), file);
  }
});

const package_ = {
  "file:///project/parts/__init__.py": "from .block import WideBlock\n",
  "file:///project/parts/block.py": `from torch import nn


class WideBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.fc2(self.fc1(x))
`,
};
const model = `from parts import WideBlock as Block
from torch import nn


class Encoder(nn.Module):
    def __init__(self, width=64, depth=2):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def small():
    model = Encoder(32)
    return model
`;

test("layers of a class that a package hands on are adapted, as they are offered", async () => {
  const service = serviceWith(model, { files: package_ });
  const early = offeredIn(service, model);
  const isSettled = (actions: readonly CodeAction[]): boolean =>
    actions.some(({ title }) => title.startsWith("Adapt `fc1`, `fc2` across `model` with LoRA"));
  let late = early;
  for (let attempt = 0; attempt < 200 && !isSettled(late); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    late = offeredIn(service, model);
  }
  assert.ok(isSettled(late), "the layers of the package's class are not offered");
  await checkEach(service, ofEachPlace(early), "offered before the package is read");
  await checkEach(service, ofEachPlace(late), "offered when the package is read");
});
