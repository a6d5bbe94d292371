import { readRunConfig } from "../../runs/config.ts";
import { writeRequest, type RunRequest } from "../../runs/requests.ts";
import { Refusal } from "../refusal.ts";
import { workerOf } from "./facts.ts";
import type { KnownRun } from "./registry.ts";

/** Asks the process that trains a run for something. @throws Refusal where none does */
export async function askRun({ folder, name }: KnownRun, ask: RunRequest): Promise<void> {
  const isLive = (await workerOf(folder)) !== undefined;
  if ((await readRunConfig(folder)).judging !== undefined)
    throw new Refusal(
      409,
      isLive
        ? `${name}: rpo judge works on it; stop that where it was started`
        : `${name}: rpo judge made it, and nothing trains`,
    );
  if (!isLive) throw new Refusal(409, `${name}: nothing trains it now`);
  await writeRequest(folder, ask);
}
