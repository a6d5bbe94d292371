import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { embeddedFolder } from "../../src/checkpoints/embedded.ts";
import {
  createZeroShotJudge,
  examineAlign,
  examineAutoencoder,
  examineClip,
  examineDino,
} from "../../src/pretraining/judges/exams.ts";
import { drawPictures } from "../../src/pretraining/judges/generation.ts";
import { heldOutScenes } from "../../src/pretraining/judges/held-out.ts";
import { rpo, temporaryFolder } from "../run/cli.ts";
import { IS_THOROUGH } from "../thorough.ts";

/** What the package carries, on a small scale; `npm run pretrain -- check` measures all of it against its bars. */

const session = { threads: 1 };
const PICTURES = 48;

test("the embedded model draws what its prompts say, as a judge that never saw a drawn picture sees it", async () => {
  const scenes = heldOutScenes(PICTURES);
  const pictures = await drawPictures(embeddedFolder("sd"), {
    prompts: scenes.map(({ caption }) => caption),
    steps: 10,
    guidance: 4,
    batch: 16,
    session,
  });
  const judge = await createZeroShotJudge(embeddedFolder("clip"), session);
  const right = await judge.rightAnswers(
    scenes.map(({ scene }) => scene),
    pictures,
  );
  await judge.release();
  // by chance a twelfth, a twelfth and a tenth
  expect(right.class).toBeGreaterThan(0.5);
  expect(right.place).toBeGreaterThan(0.5);
  expect(right.colour).toBeGreaterThan(0.5);
});

test.each([
  ["sd", examineAutoencoder],
  ["align", examineAlign],
  ["dino", examineDino],
  ["clip", examineClip],
] as const)("the embedded %s reaches its bars on instances that it has never seen", async (name, examine) => {
  for (const { what, value, bar = -Infinity } of await examine(embeddedFolder(name), session))
    expect(value, what).toBeGreaterThanOrEqual(bar);
});

/** The whole demo takes its exam too, and trains on the photos alone. */
const how = IS_THOROUGH ? "rpo demo" : "rpo train";

test(
  `the demo's method learns: few steps of ${how} on a bundled subject raise likeness`,
  { timeout: 300_000 },
  async () => {
    const folder = await temporaryFolder();
    const [config, output] = [join(folder, "settings.json"), join(folder, "demo")];
    await writeFile(
      config,
      JSON.stringify({ validateEvery: 40, validationImages: 1, validationSteps: 10, negatives: 1, threads: 1 }),
    );
    const photos = ["--images", join(embeddedFolder("subjects"), "backpack"), "--class", "backpack", "--yes"];
    const command = IS_THOROUGH ? ["demo"] : ["train", ...photos];
    const { code, stderr } = await rpo([...command, "--config", config, "--steps", "40", "--output", output]);
    expect(code, stderr).toBe(0);
    const events = (await readFile(join(output, "events.jsonl"), "utf8")).trim().split("\n");
    const likeness = events
      .map((line) => JSON.parse(line) as { type: string; images: { alignI: number }[] })
      .filter(({ type }) => type === "validation")
      .map(({ images }) => images.reduce((sum, { alignI }) => sum + alignI, 0) / images.length);
    expect(likeness).toHaveLength(2);
    expect(likeness[1]).toBeGreaterThan(likeness[0] + 0.03);

    // the calibrated reward is the embedded model's own, and the paper's is there beside it
    const selected = async (...form: readonly string[]) => {
      const { code: selects, stdout, stderr: said } = await rpo(["select", output, "--json", ...form]);
      expect(selects, said).toBe(0);
      return JSON.parse(stdout) as {
        form: string;
        candidates: { mean: number; likeness: number; obedience: number }[];
      };
    };
    const own = await selected();
    expect(own.form).toBe("calibrated");
    expect(own.candidates[0]).toMatchObject({ likeness: 0, obedience: 1 });
    expect(own.candidates[0].mean).toBeLessThan(0.05);
    expect(own.candidates[1].likeness).toBeGreaterThan(0.2);
    const harmonic = await selected("--reward-form", "harmonic");
    expect(harmonic.form).toBe("harmonic");
    expect(harmonic.candidates[0].mean).toBeGreaterThan(0.5);
    if (!IS_THOROUGH) return;
    const exam = JSON.parse(await readFile(join(output, "exam.json"), "utf8")) as { models: { label: string }[] };
    expect(exam.models[0].label).toBe("starting model");
  },
);
