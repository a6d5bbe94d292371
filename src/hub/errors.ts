import { UsageError } from "../system/errors.ts";

/** The hub does not know a model, a revision or a file, or not for strangers; or, offline, the cache does not. */
export class NotOnHub extends UsageError {}

/** No answer: no network, no such host, a server that is down. What is in the cache may do. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** A download that the user stopped; what has come so far is kept. Exit code 130. */
export class DownloadStopped extends Error {
  override readonly name = "DownloadStopped";
  constructor() {
    super("stopped; the same command goes on with what has been fetched");
  }
}

/** @throws DownloadStopped once the user wants no more */
export function checkStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new DownloadStopped();
}
