/** The one wrapper around every handler: cancellation before and after, a throw becomes a logged error and a neutral answer. */
import { LSPErrorCodes, ResponseError, type CancellationToken } from "vscode-languageserver";
import { requestArrived } from "../slices";

/** What a guarded handler needs of the connection. */
export interface Log {
  info(message: string): void;
  error(message: string): void;
}

type Handler<P, R> = (params: P, token: CancellationToken) => Promise<R | ResponseError<never>>;
type Compute<P, R> = (params: P, token: CancellationToken) => R | Promise<R>;

/** A call, because the answer changes while a handler waits. */
const isCancelled = (token: CancellationToken) => token.isCancellationRequested;
const cancelled = () =>
  new ResponseError<never>(LSPErrorCodes.RequestCancelled, "The request was cancelled.");

/** What an error says to a person, without its stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function record(log: Log, name: string, error: unknown): void {
  try {
    log.error(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } catch {
    // The connection is gone, and with it whoever would have read this.
  }
}

/** Computes an answer unless nobody waits for it; `failed` says what is given instead of an error. */
function guarded<P, R>(
  compute: Compute<P, R>,
  failed: (error: unknown, params: P) => R | ResponseError<never>,
): Handler<P, R> {
  return async (params, token) => {
    requestArrived();
    if (isCancelled(token)) return cancelled();
    try {
      const result = await compute(params, token);
      return isCancelled(token) ? cancelled() : result;
    } catch (error) {
      return failed(error, params);
    }
  };
}

/** For what an editor asks by itself: the user sees `neutral()` instead of an error. */
export function answering<P, R>(
  log: Log,
  name: string,
  neutral: (params: P) => NoInfer<R>,
  compute: Compute<P, R>,
): Handler<P, R> {
  return guarded(compute, (error, params) => {
    record(log, name, error);
    return neutral(params);
  });
}

/** For what a user asked for: the reason goes back to be shown. */
export function acting<P, R>(log: Log, name: string, compute: Compute<P, R>): Handler<P, R> {
  return guarded(compute, (error) => {
    if (error instanceof ResponseError) return new ResponseError<never>(error.code, error.message);
    record(log, name, error);
    return new ResponseError<never>(LSPErrorCodes.RequestFailed, reasonOf(error));
  });
}

/** For notifications and timers, where nobody waits for an answer. */
export function quietly<P extends readonly unknown[]>(
  log: Log,
  name: string,
  handle: (...params: P) => void | Promise<void>,
): (...params: P) => Promise<void> {
  return async (...params) => {
    try {
      await handle(...params);
    } catch (error) {
      record(log, name, error);
    }
  };
}
