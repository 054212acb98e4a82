import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fullCapabilities, serverPath, temporaryFolder, withServer } from "./client";

/** The server alone in a folder; `start` gives the name that it says it has. */
function installed() {
  const [from, folder] = [dirname(dirname(serverPath)), temporaryFolder()];
  mkdirSync(join(folder, "server"));
  for (const file of ["server/node.js", "server/serve.js", "corpus.json", "formulas.json", "index.json"])
    cpSync(join(from, file), join(folder, file));
  return {
    bundle: join(folder, "server/serve.js"),
    kept: join(folder, "server/serve.js.cache"),
    start: async (): Promise<string | undefined> => {
      let name: string | undefined;
      const server = join(folder, "server/node.js");
      await withServer({ capabilities: fullCapabilities, server }, async (_, { serverInfo }) => {
        name = serverInfo?.name;
        return Promise.resolve();
      });
      return name;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

test("compiled code is kept for the next start, and is of this very bundle", async () => {
  const { bundle, kept, start, remove } = installed();
  try {
    assert.equal(await start(), "litlens");
    const { mtimeMs } = statSync(kept);
    assert.equal(await start(), "litlens");
    assert.equal(statSync(kept).mtimeMs, mtimeMs, "what was kept was used");

    writeFileSync(bundle, readFileSync(bundle, "utf8").replace('name:"litlens"', 'name:"another"'));
    assert.equal(await start(), "another");
  } finally {
    remove();
  }
});

test("damaged code is not run", async () => {
  const { kept, start, remove } = installed();
  try {
    await start();
    const code = readFileSync(kept);
    const damaged = Buffer.from(code).fill(0x55, code.length >> 1, (code.length >> 1) + 50);
    for (const bytes of [damaged, code.subarray(0, code.length >> 1), Buffer.alloc(3)]) {
      writeFileSync(kept, bytes);
      assert.equal(await start(), "litlens");
      assert.notDeepEqual(readFileSync(kept), bytes, "kept anew");
    }
  } finally {
    remove();
  }
});
