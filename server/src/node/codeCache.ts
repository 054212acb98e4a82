/**
 * A bundle with the code that V8 made of it last time: compiling takes a third of a start. The code lies beside the
 * bundle, is trusted as much as the bundle, and goes when that goes.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { wrap } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";
import * as zlib from "node:zlib";

/** Checksums of the bundle and of the code, before the code. */
const headerLength = 8;

/** Milliseconds after which a start is over: later V8 forgets the code that only a start runs. */
const startPause = 2000;

/** Runs a CommonJS bundle. Its code is written after the start, where there is none of this bundle and this Node. */
export function runKept(bundle: string, require: NodeJS.Require): void {
  const source = readFileSync(bundle);
  const kept = `${bundle}.cache`;
  const cachedData = readKept(kept, source);
  const script = new Script(wrap(source.toString()), { filename: bundle, ...(cachedData && { cachedData }) });
  if (cachedData === undefined || script.cachedDataRejected === true) {
    const write = (): void => {
      clearTimeout(timer);
      process.off("exit", write);
      keep(kept, source, script.createCachedData());
    };
    const timer = setTimeout(write, startPause).unref();
    process.on("exit", write);
  }
  const run: unknown = script.runInThisContext();
  const exports = {};
  if (typeof run === "function")
    Reflect.apply(run, exports, [exports, require, { exports }, bundle, dirname(bundle)]);
}

/** V8 itself looks at no more than its version and the length of the source: damaged code would end the process. */
function readKept(path: string, source: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const code = bytes.subarray(headerLength);
    return bytes.subarray(0, headerLength).equals(headerOf(source, code)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that another process finds all of it or nothing. */
function keep(path: string, source: Buffer, code: Buffer): void {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, Buffer.concat([headerOf(source, code), code]));
    renameSync(draft, path);
  } catch {
    // a folder that cannot be written to: every start compiles
    rmSync(draft, { force: true });
  }
}

function headerOf(source: Buffer, code: Buffer): Buffer {
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(zlib.crc32(source), 0);
  header.writeUInt32LE(zlib.crc32(code), 4);
  return header;
}
