/** Runs Mocha inside an extension host and gives a result that can leave it. */
import "mocha/mocha.js";

export interface SuiteResult {
  readonly passed: readonly { readonly title: string; readonly milliseconds: number }[];
  readonly failed: readonly { readonly title: string; readonly error: string }[];
  /** Figures that tests recorded, such as the time of activate(). */
  readonly figures: Readonly<Record<string, number>>;
}

const figures: Record<string, number> = {};

/** Keeps a figure for the benchmark; tests never assert on time. */
export function record(name: string, value: number): void {
  figures[name] = value;
}

/** The result file is the report. */
class Silent extends Mocha.reporters.Base {
  override done(_failures: number, end: (failures: number) => void): void {
    end(_failures);
  }
}

/** Runs the tests that `load` defines. */
export async function runTests(load: () => Promise<unknown>): Promise<SuiteResult> {
  const mocha = new Mocha({ ui: "bdd", timeout: 60_000, reporter: Silent });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  await load();
  const passed: { title: string; milliseconds: number }[] = [];
  const failed: { title: string; error: string }[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on("pass", (test) => passed.push({ title: test.fullTitle(), milliseconds: test.duration ?? 0 }));
    runner.on("fail", (test, error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failed.push({ title: test.fullTitle(), error: text });
    });
  });
  return { passed, failed, figures };
}

/** Fails with both values in the message. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

/** Fails with the lines that differ. */
export function sameText(actual: string, expected: string, what: string): void {
  if (actual === expected) return;
  const [left, right] = [actual.split("\n"), expected.split("\n")];
  const first = left.findIndex((line, index) => line !== right[index]);
  const at = first < 0 ? left.length : first;
  const part = (lines: readonly string[]) => lines.slice(Math.max(0, at - 2), at + 6).join("\n");
  throw new Error(`${what}: line ${at + 1}: expected\n${part(right)}\ngot\n${part(left)}`);
}

/** Fails where a text lacks a part. */
export function includes(text: string, part: string | RegExp, what: string): void {
  const found = typeof part === "string" ? text.includes(part) : part.test(text);
  if (!found) throw new Error(`${what}: expected ${String(part)} in:\n${text}`);
}

export function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}
