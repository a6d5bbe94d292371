import { join } from "node:path";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { ModelError } from "../../system/errors.ts";
import { readJson } from "../../system/files.ts";
import { openSafetensors } from "../../tensor/safetensors.ts";
import type { Float32Tensor, Tensor } from "../../tensor/tensor.ts";

/** What a case is about. */
export const kinds = ["tokenizer", "text", "unet", "vae", "schedule", "pipeline", "image", "rpo"] as const;
export type Kind = (typeof kinds)[number];

/** All kinds are answered on two threads, as PyTorch answered them. */
export const SESSION: SessionOptions = { threads: 2 };

/** One folder of inputs and the answers that PyTorch gives. */
export interface ParityCase {
  readonly name: string;
  readonly folder: string;
  readonly kind: Kind;
  /** The folder of the checkpoint that the case was made from. */
  readonly checkpoint: string;
  /** case.json: the kind's own settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly expected: ReadonlyMap<string, Tensor>;
}

/** A kind's answers, by the names of expected.safetensors. */
export type Solver = (parityCase: ParityCase) => Promise<ReadonlyMap<string, Tensor>>;

export async function readCase(folder: string, name: string, checkpoints: string): Promise<ParityCase> {
  const settings = (await readJson(join(folder, "case.json"))) as Record<string, unknown>;
  const kind = kinds.find((known) => known === settings["kind"]);
  if (kind === undefined)
    throw new ModelError(`${name}/case.json: kind is ${String(settings["kind"])}, expected one of ${kinds.join(", ")}`);
  return {
    name,
    folder,
    kind,
    checkpoint: join(checkpoints, String(settings["checkpoint"])),
    settings,
    inputs: await readAll(join(folder, "inputs.safetensors")),
    expected: await readAll(join(folder, "expected.safetensors")),
  };
}

export async function readAll(path: string): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(path);
  const out = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) out.set(name, await file.read(name));
  return out;
}

/** An input of the case. @throws Error when it is missing */
export function inputOf(parityCase: ParityCase, name: string): Tensor {
  const tensor = parityCase.inputs.get(name);
  if (tensor === undefined) throw new Error(`${parityCase.name}: inputs.safetensors lacks ${name}`);
  return tensor;
}

/** A float32 input. @throws Error when it is missing or holds integers */
export function floatsOf(parityCase: ParityCase, name: string): Float32Tensor {
  const tensor = inputOf(parityCase, name);
  if (tensor.dtype !== "float32") throw new Error(`${parityCase.name}: ${name} holds integers`);
  return tensor;
}

interface Types {
  readonly number: number;
  readonly string: string;
}

/** A setting in case.json. @throws Error when it is missing or of another type */
export function settingOf<T extends keyof Types>({ name, settings }: ParityCase, key: string, type: T): Types[T] {
  const value = settings[key];
  if (typeof value !== type) throw new Error(`${name}/case.json: ${key}: expected a ${type}`);
  return value as Types[T];
}

export function promptsOf({ name, settings }: ParityCase): string[] {
  const value = settings["prompts"];
  if (!Array.isArray(value)) throw new Error(`${name}/case.json: prompts: expected a list`);
  return value.map(String);
}
