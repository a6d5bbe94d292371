import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const MODEL = join(root, "tests/golden/tiny/checkpoints/sd15-tiny");
export const SDXL = join(root, "tests/golden/parity/checkpoints/sdxl-tiny");
export const REWARD = join(root, "tests/golden/tiny/checkpoints/align-tiny");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** When to send a signal (SIGKILL by default): so long after the program has written so many lines to stdout. */
export interface Kill {
  readonly signal?: NodeJS.Signals;
  readonly afterLines: number;
  readonly afterMs: number;
}

export interface Running {
  readonly kill?: Kill | undefined;
  /** Sends SIGINT as soon as stderr says so. */
  readonly interruptWhen?: RegExp;
  /** Variables besides our own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the built command line; offline and with an empty cache of the hub, unless the variables say otherwise. */
export async function rpo(args: readonly string[], { kill, interruptWhen, env }: Running = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), ...args], {
    env: {
      ...process.env,
      HF_HOME: join(tmpdir(), "rpo-empty"),
      HF_HUB_CACHE: "",
      HF_TOKEN: "",
      HF_HUB_OFFLINE: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const timers: NodeJS.Timeout[] = [];
  let armed = kill;
  const killWhenDue = () => {
    if (armed === undefined || stdout.split("\n").length - 1 < armed.afterLines) return;
    const { signal = "SIGKILL", afterMs } = armed;
    timers.push(setTimeout(() => child.kill(signal), afterMs));
    armed = undefined;
  };
  killWhenDue();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    killWhenDue();
  });
  let interrupted = false;
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    if (interrupted || interruptWhen?.test(stderr) !== true) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  const [code] = (await once(child, "close")) as [number | null];
  timers.forEach(clearTimeout);
  return { code, stdout, stderr };
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "rpo-"));
}

/** A folder with a few photos of nothing in particular. */
export async function makePhotos(count = 3): Promise<string> {
  const folder = join(await temporaryFolder(), "photos");
  await mkdir(folder);
  for (let i = 0; i < count; i++) {
    const background = { r: 60 * i + 20, g: 200 - 50 * i, b: 90 };
    const spot = Buffer.from(
      `<svg width="40" height="48"><circle cx="20" cy="${16 + 6 * i}" r="12" fill="#c82"/></svg>`,
    );
    await sharp({ create: { width: 40, height: 48, channels: 3, background } })
      .composite([{ input: spot }])
      .jpeg()
      .toFile(join(folder, `${i}.jpg`));
  }
  return folder;
}

/** A training of the tiny models. */
export function trainingArgs(photos: string): string[] {
  return [
    "train",
    "--model",
    MODEL,
    "--reward",
    REWARD,
    "--images",
    photos,
    "--class",
    "dog",
    "--yes",
    "--threads",
    "1",
  ];
}

/** Few steps and pictures, so that a training is fast. */
export function few(steps: number): string[] {
  return `--steps ${steps} --validate-every 2 --validation-images 1 --sampler-steps 2`.split(" ");
}

/** The events of a run without times, which are all that may differ between equal runs. */
export async function eventsOf(run: string): Promise<unknown[]> {
  const text = await readFile(join(run, "events.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const event = Object.entries(JSON.parse(line) as object);
      return Object.fromEntries(event.filter(([key]) => key !== "time" && key !== "seconds"));
    });
}

/** The checkpoints of a run, by step and file. */
export async function checkpointBytes(run: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const step of await readdir(join(run, "checkpoints")))
    for (const file of await readdir(join(run, "checkpoints", step)))
      out[`${step}/${file}`] = (await readFile(join(run, "checkpoints", step, file))).toString("base64");
  return out;
}
