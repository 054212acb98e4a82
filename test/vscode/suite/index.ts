/** Entry in a Node extension host, desktop or served. LITLENS_SUITE picks the tests, LITLENS_TEST_RESULT is where the result goes. */
import { writeFileSync } from "node:fs";
import { runTests } from "./harness";

const suites: Record<string, () => Promise<unknown>> = {
  trusted: async () => {
    await import("./activation.test");
    await import("./language.test");
    await import("./codeActions.test");
    await import("./insertAdapter.test");
    await import("./papers.test");
    await import("./robustness.test");
  },
  activation: () => import("./activation.test"),
  language: () => import("./language.test"),
  insertAdapter: () => import("./insertAdapter.test"),
  untrusted: () => import("./untrusted.test"),
};

export async function run(): Promise<void> {
  const name = process.env["LITLENS_SUITE"] ?? "trusted";
  const load = suites[name];
  if (!load) throw new Error(`LITLENS_SUITE=${name}: expected ${Object.keys(suites).join(" or ")}`);
  const result = await runTests(load);
  const file = process.env["LITLENS_TEST_RESULT"];
  if (file) writeFileSync(file, JSON.stringify(result));
  if (result.failed.length > 0) throw new Error(`${result.failed.length} tests failed`);
}
