/** Entry in the worker extension host of VS Code for the Web. The result leaves through the console: there is no file system. */
import { runTests } from "./harness";

export async function run(): Promise<void> {
  const result = await runTests(() => import("./web.test"));
  console.log(`LITLENS_TEST_RESULT ${JSON.stringify(result)}`);
  if (result.failed.length > 0) throw new Error(`${result.failed.length} tests failed`);
}
