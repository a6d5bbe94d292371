import { expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { answers, type Lora } from "./answers.ts";
import { difference, FAMILIES, golden, numbers, readCase, type Family } from "./golden.ts";
import type { Message } from "../../src/system/named-setting.ts";

/** What the issue asks for; what is seen is 1e-6. */
const TOLERANCE = 1e-4;

async function compare(family: Family, kind: string, loras: readonly Lora[] = []): Promise<void> {
  const expected = await readCase(family);
  const warnings: Message[] = [];
  const model = await openStableDiffusion(golden(`${family}.safetensors`), { warn: (line) => warnings.push(line) });
  const actual = await answers(model, expected, loras);
  const names = [...expected.keys()].filter((name) => name.startsWith(`${kind}.`));
  expect(names.length).toBeGreaterThan(1);
  const errors = names.map((name) => {
    const own = actual.get(name.slice(kind.length + 1));
    return [name, own === undefined ? Infinity : difference(own, numbers(expected, name))] as const;
  });
  for (const [name, error] of errors) expect(error, name).toBeLessThan(TOLERANCE);
  expect(warnings).toEqual([]);
}

test.each(FAMILIES)("a file in the original layout gives what its models give in diffusers: %s", (family) =>
  compare(family, "plain"),
);

const lora = (name: string, weight: number): Lora => ({ path: golden(`${name}.safetensors`), weight });

test("diffusers' LoRA of U-Net and text encoder, with ranks and alphas of some layers' own, at a weight", () =>
  compare("sd1", "diffusers", [lora("sd1-lora-diffusers", 0.7)]));

test("kohya's LoRA of U-Net and text encoder, convolutions too, at a weight", () =>
  compare("sd1", "kohya", [lora("sd1-lora-kohya", 0.7)]));

test("two LoRA files at once, one of them against its direction", () =>
  compare("sd1", "both", [lora("sd1-lora-diffusers", -0.4), lora("sd1-lora-kohya", 0.7)]));

test("kohya's LoRA of an SDXL, with the original's names and both text encoders", () =>
  compare("sdxl", "kohya", [lora("sdxl-lora-kohya", 0.7)]));
