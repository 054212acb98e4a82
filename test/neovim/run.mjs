// Drives Neovim against the bundled server; the last line is `N passed, N failed`. Needs dist/ and nvim.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "litlens-neovim-"));
const file = join(scratch, "model.py");
cpSync(join(here, "model.py"), file);
const configuration = join(scratch, "axolotl.yaml");
cpSync(join(here, "../../examples/axolotl.yaml"), configuration);
const { status, error, stdout, stderr } = spawnSync(
  "nvim",
  ["--headless", "-u", "NONE", "-n", "-S", join(here, "session.lua")],
  {
    cwd: scratch,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 120_000,
    env: {
      ...process.env,
      XDG_CONFIG_HOME: scratch,
      XDG_CACHE_HOME: scratch,
      XDG_DATA_HOME: scratch,
      XDG_STATE_HOME: scratch,
      LITLENS_NODE: process.execPath,
      LITLENS_SERVER: join(here, "../../dist/server/node.js"),
      LITLENS_FILE: file,
      LITLENS_CONFIGURATION: configuration,
    },
  },
);
rmSync(scratch, { recursive: true, force: true });
if (stderr) console.error(stderr.trimEnd());
console.log(stdout.trimEnd());
if (status === null)
  console.error(`Neovim ended without a status: ${error?.message ?? "killed"}\n0 passed, 1 failed`);
process.exit(status ?? 1);
