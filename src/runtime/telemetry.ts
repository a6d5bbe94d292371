import { isMainThread } from "node:worker_threads";
import { UsageError } from "../system/errors.ts";

/**
 * ONNX Runtime for Linux and macOS sends what it is used for to its makers, unless this variable forbids it before the process makes its first
 * session; its JavaScript offers no other way. It would also leave an id, a queue of events and a log under guessable names
 * (onnxruntime 1.30, docs/Privacy.md, "Disabling Telemetry").
 */
const VARIABLE = "ORT_DISABLE_TELEMETRY";

let forbidden = false;

/**
 * Keeps ONNX Runtime from sending anything: to be called before it is loaded, and before a thread starts that loads it.
 * @throws UsageError in a thread of a program whose main thread has not forbidden it: a thread's `process.env` is a copy, which the library does not see
 */
export function forbidTelemetry(): void {
  if (forbidden) return;
  if (!isMainThread && environmentOfProcess()[VARIABLE] !== "1")
    throw new UsageError(
      `rpo in a worker thread: start the program with ${VARIABLE}=1, or set process.env.${VARIABLE} = "1" in its main thread; a worker thread cannot do so itself, and ONNX Runtime would send telemetry`,
    );
  process.env[VARIABLE] = "1";
  forbidden = true;
}

/** The environment that native code sees: only a diagnostic report tells a worker thread of it. */
function environmentOfProcess(): Readonly<Record<string, string | undefined>> {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean; excludeEnv?: boolean };
  const { excludeNetwork, excludeEnv } = report;
  // a report would look up the names of the hosts that the process is connected to
  if (excludeNetwork !== undefined) report.excludeNetwork = true;
  if (excludeEnv !== undefined) report.excludeEnv = false;
  try {
    const { environmentVariables = {} } = report.getReport() as { environmentVariables?: Record<string, string> };
    return environmentVariables;
  } finally {
    if (excludeNetwork !== undefined) report.excludeNetwork = excludeNetwork;
    if (excludeEnv !== undefined) report.excludeEnv = excludeEnv;
  }
}
