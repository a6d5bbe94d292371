import { readdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic, makeFolder } from "../../system/files.ts";
import { parseJson } from "../../system/json.ts";
import { MOST_BYTES, readText } from "../../system/regular-files.ts";
import { VERSION } from "../../system/version.ts";
import { gpuHome, inspectInstallation } from "../cuda/installation.ts";
import { DEVICES, type Device } from "../device.ts";
import { tryDevice, type Attempt, type Trial } from "./try.ts";

/** Chooses the device for those who did not: a GPU that works and is faster than the processor. */

const DAY_MS = 86_400_000;
/** A driver may have changed since, or a card. */
const GOOD_FOR_MS = 7 * DAY_MS;

const trialSchema = z.object({
  /** What it depends on. */
  of: z.string(),
  time: z.number(),
  device: z.enum(DEVICES),
  /** Of that device and of the processor. */
  gigaflops: z.number(),
  processor: z.number(),
});
type Outcome = z.output<typeof trialSchema>;

export interface FastestOptions {
  /** Of the processor. */
  readonly threads: number;
  /** Told which device was chosen, where it is not the processor. */
  readonly tell: (line: string) => void;
  /** GPUs that may be there, the best first. Default: as the system says. */
  readonly candidates?: readonly Device[];
  /** Tries a device out. A test may give another. */
  readonly attempt?: (device: Device, threads: number) => Promise<Attempt<Trial>>;
  /** Where the outcome is kept. */
  readonly folder?: string;
}

/**
 * The device that is fastest on this machine. Without a GPU there is nothing to try; with one, it and the processor compute for two seconds
 * each, and what came of it is good for a week.
 */
export async function fastestDevice(options: FastestOptions): Promise<Device> {
  const { threads, tell, candidates = gpusThatMayBeThere(), folder = gpuHome() } = options;
  if (candidates.length === 0) return "cpu";
  const file = join(folder, "trial.json");
  const of = `${VERSION}, ${candidates.join(" ")}, ${threads} threads`;
  const known = await readOutcome(file);
  const isGood = known?.of === of && Math.abs(Date.now() - known.time) < GOOD_FOR_MS;
  if (!isGood) {
    const { failures, ...compared } = await compare(candidates, options);
    for (const [device, reason] of failures) tell(`${device} is not used: ${reason}; rpo doctor says more`);
    // what failed may work the next time
    if (failures.length > 0) return compared.device;
    await keep(file, { ...compared, of, time: Date.now() });
    return chosen(compared, tell);
  }
  return chosen(known, tell);
}

/** Says which device it is, where it is not the processor. */
function chosen(
  { device, gigaflops, processor }: Pick<Outcome, "device" | "gigaflops" | "processor">,
  tell: FastestOptions["tell"],
): Device {
  if (device !== "cpu")
    tell(`computing on ${device}, about ${timesAsFast(gigaflops / processor)} as fast as the processor here`);
  return device;
}

function timesAsFast(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

interface Comparison extends Pick<Outcome, "device" | "gigaflops" | "processor"> {
  /** Devices that did not work, and why. */
  readonly failures: readonly (readonly [Device, string])[];
}

async function compare(
  candidates: readonly Device[],
  { threads, attempt = tryDevice }: FastestOptions,
): Promise<Comparison> {
  const failures: [Device, string][] = [];
  const speedOf = async (device: Device): Promise<number> => {
    const trial = await attempt(device, threads);
    if (!("error" in trial) && trial.works) return trial.gigaflops;
    const reason = "error" in trial ? trial.error : "it computes a sum wrongly";
    // many a machine has a GPU that WebGPU cannot use; whoever has installed CUDA wants to know
    if (device !== "webgpu") failures.push([device, reason]);
    return 0;
  };
  let processor = 0;
  for (const device of candidates) {
    const gigaflops = await speedOf(device);
    if (gigaflops === 0) continue;
    processor ||= await speedOf("cpu");
    // without the processor's speed there is nothing to compare with
    if (processor > 0 && gigaflops > processor) return { device, gigaflops, processor, failures };
  }
  return { device: "cpu", gigaflops: processor, processor, failures };
}

/** Looks for what a GPU leaves in the system, without loading a driver. */
function gpusThatMayBeThere(): readonly Device[] {
  const hasCuda = inspectInstallation().state === "whole";
  return [...(hasCuda ? ["cuda" as const] : []), ...(mayHaveGpu() ? ["webgpu" as const] : [])];
}

function mayHaveGpu(): boolean {
  if (process.platform !== "linux") return true;
  return namesIn("/dev/dri").some((name) => name.startsWith("renderD")) || existsSync("/dev/dxg");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or not for us
  }
}

async function readOutcome(file: string): Promise<Outcome | undefined> {
  try {
    return trialSchema.parse(parseJson(await readText(file, { atMost: MOST_BYTES.word })));
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written is no reason to stop. */
async function keep(file: string, outcome: Outcome): Promise<void> {
  try {
    await makeFolder(join(file, ".."));
    await writeFileAtomic(file, JSON.stringify(outcome));
  } catch {
    // tried again the next time
  }
}
