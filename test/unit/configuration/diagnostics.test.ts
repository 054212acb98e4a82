/** Diagnostics of configuration files as settings and other texts have them; single rules are in test/fixtures/rules. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diagnoseConfiguration } from "../../../server/src/features/configuration/diagnostics";
import { quickFixesFor } from "../../../server/src/features/quickFixes";
import type { Settings } from "../../../server/src/protocol";
import { axolotl, context, mlx, open, swift } from "./check";

const wrong = `${axolotl}adapter: qlora\n`;

/** The rules that find something, with these settings. */
function findings(
  text: string,
  diagnostics: Settings["diagnostics"] = { enable: true, rules: {} },
): unknown[] {
  const settings = { ...context.settings, diagnostics };
  return diagnoseConfiguration({ ...context, settings }, open(text)).map(({ code }) => code);
}

describe("diagnostics of a configuration file", () => {
  it("follow the settings", () => {
    assert.deepEqual(findings(wrong), ["axolotl-qlora-without-4bit"]);
    assert.deepEqual(findings(wrong, { enable: false, rules: {} }), []);
    assert.deepEqual(findings(wrong, { enable: true, rules: { "axolotl-qlora-without-4bit": "off" } }), []);
  });

  it("check the arXiv ids of comments", () => {
    assert.deepEqual(findings(`# as in DoRA (arXiv:2106.09685)\n${axolotl}adapter: lora\n`), [
      "wrong-arxiv-id",
    ]);
    assert.deepEqual(findings(`# as in DoRA (arXiv:2402.09353)\n${axolotl}adapter: lora\n`), []);
    assert.deepEqual(
      findings(`${axolotl}adapter: lora\nchat_template_jinja: "# DoRA (arXiv:2106.09685)"\n`),
      [],
    );
  });

  it("take a key for misspelt only where all keys of the library are known", () => {
    const bare = mlx.replace("lora_parameters:\n", "lora_parameters: {rank: 8, scale: 2.0, dropout: 0.0}\n");
    assert.deepEqual(findings(`${bare}steps_per_evil: 100\n`), ["misspelt-key"]);
    assert.deepEqual(findings(`${bare}lora_layers: 4\n`), []);
    assert.deepEqual(findings(`${swift}lora_ranks: 8\n`), []);
  });

  it("say nothing while a key may be missing only because it cannot be read", () => {
    assert.deepEqual(findings(`${wrong}x: [\n`), []);
    assert.deepEqual(findings(`defaults: &d {load_in_4bit: true}\n<<: *d\n${wrong}`), []);
  });

  it("offer their fixes where quick fixes are asked for", () => {
    const document = open(wrong);
    const diagnostics = diagnoseConfiguration(context, document);
    const titles = (only?: string[]): string[] =>
      quickFixesFor(document, { diagnostics, ...(only && { only }) }).map(({ title }) => title);
    assert.deepEqual(titles(), ["Set `load_in_4bit: true`"]);
    assert.deepEqual(titles(["quickfix"]), ["Set `load_in_4bit: true`"]);
    assert.deepEqual(titles(["refactor.rewrite.adapter"]), []);
  });
});
