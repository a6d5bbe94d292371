import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import sharp from "sharp";
import { rpo } from "../run/cli.ts";

const JUDGES = "tests/golden/parity/checkpoints";
const flags = ["--dino", join(JUDGES, "dino-tiny"), "--clip", join(JUDGES, "clip-tiny")];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-evaluate-"));
  for (const [i, colour] of ["red", "green", "blue"].entries())
    await sharp({ create: { width: 48, height: 40, channels: 3, background: colour } })
      .composite([{ input: { text: { text: `${i}`, width: 20, height: 20 } } }])
      .png()
      .toFile(join(folder, `0${i}-0.png`));
});
afterAll(() => rm(folder, { recursive: true }));

test("a photo among the pictures is its own nearest, and all files say the same", async () => {
  const prompts = Object.fromEntries([0, 1, 2].map((i) => [`0${i}-0.png`, `a [V] dog number ${i}`]));
  await writeFile(join(folder, "prompts.json"), JSON.stringify(prompts));
  const output = join(folder, "out");
  const args = ["--references", folder, "--images", folder, ...flags, "--output", output, "--json"];
  const { code, stdout } = await rpo(["evaluate", ...args]);
  expect(code).toBe(0);
  const printed = JSON.parse(stdout) as { pictures: { nearest: number; text: string }[]; copyRate: number };
  expect(JSON.parse(await readFile(join(output, "evaluation.json"), "utf8"))).toEqual(printed);
  expect(printed.pictures.map(({ text }) => text)).toEqual(["a dog number 0", "a dog number 1", "a dog number 2"]);
  for (const { nearest } of printed.pictures) expect(nearest).toBeCloseTo(1, 5);
  expect(printed.copyRate).toBe(1);
  const csv = (await readFile(join(output, "evaluation.csv"), "utf8")).trim().split("\n");
  expect(csv).toHaveLength(4);
  expect(csv[1]).toMatch(/^00-0\.png,a \[V\] dog number 0,/);
});

test.each([
  [["--references", "nowhere", "--images", "."], "--references nowhere: no such folder"],
  [["--references", ".", "--images", "."], "give --judges FOLDER"],
  [["--references", ".", "--images", ".", "--judges", "."], "--judges .: expected folders named dino, clip, align"],
])("%j exits 2 and says why", async (args, message) => {
  const { code, stderr } = await rpo(["evaluate", ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test("masks that do not fit are refused, those that do are used, and progress ends at its total", async () => {
  const [photos, masks] = [join(folder, "photos"), join(folder, "masks")];
  for (const each of [photos, masks]) await mkdir(each);
  const white = await sharp({ create: { width: 48, height: 40, channels: 3, background: "white" } })
    .png()
    .toBuffer();
  const mask = (name: string) => writeFile(join(masks, `${name}.png`), white);
  await copyFile(join(folder, "00-0.png"), join(photos, "photo.png"));
  const args = ["evaluate", "--references", photos, "--images", folder, "--masks", masks];
  const refused = async (...judges: string[]) => {
    const { code, stderr } = await rpo([...args, ...judges]);
    expect(code).toBe(2);
    return stderr;
  };
  await mask("other");
  expect(await refused(...flags)).toContain("but there is none for photo.png");
  await mask("photo");
  expect(await refused(...flags)).toContain(
    "expected a mask for some of the pictures, named as they are, such as 00-0.png",
  );
  expect(await refused(...flags.slice(2))).toContain("--masks: only DINO judges without the background");
  await mask("01-0");
  const { code, stdout, stderr } = await rpo([...args, ...flags, "--json"]);
  expect(code).toBe(0);
  const { pictures } = JSON.parse(stdout) as { pictures: { dino: number; dinoMasked?: number }[] };
  // a mask that is white everywhere takes nothing away
  expect(pictures.map(({ dinoMasked }) => dinoMasked)).toEqual([
    undefined,
    expect.closeTo(pictures[1].dino, 6),
    undefined,
  ]);
  const [, done, total] = [...stderr.matchAll(/(\d+)\/(\d+)/g)].at(-1) ?? [];
  expect([done, total]).toEqual([total, `${4 + 2 + 4}`]);
  await copyFile(join(folder, "00-0.png"), join(photos, "01-0.png"));
  expect(await refused(...flags)).toContain("01-0.png fits the photo 01-0.png and a picture alike");
});

test("a photo that is to be held out must be there", async () => {
  const args = ["--references", folder, "--images", folder, ...flags, "--hold-out", "x.png"];
  const { code, stderr } = await rpo(["evaluate", ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain("--hold-out x.png: no such photo (there are 00-0.png, 01-0.png, 02-0.png)");
});

test("a photo that is there twice, saved anew, counts once: the figures are those without it, and a note says so", async () => {
  const photos = await mkdtemp(join(tmpdir(), "rpo-again-"));
  for (const i of [0, 1, 2]) await copyFile(join(folder, `0${i}-0.png`), join(photos, `${i}.png`));
  await writeFile(join(folder, "prompts.json"), JSON.stringify(["a dog", "a dog", "a dog"]));
  const args = ["evaluate", "--references", photos, "--images", folder, ...flags, "--json"];
  const alone = await rpo(args);
  await sharp(join(photos, "0.png"))
    .jpeg({ quality: 95, chromaSubsampling: "4:4:4" })
    .toFile(join(photos, "0 (1).jpg"));
  await rm(join(photos, "0.png"));
  await copyFile(join(folder, "00-0.png"), join(photos, "0.png"));
  const twice = await rpo(args);
  expect(alone.stderr).not.toContain("twice");
  expect(twice.stderr).toContain("warning: photos that are there twice count once: 0.png is 0 (1).jpg again");
  const rates = [alone, twice].map(({ stdout }) => (JSON.parse(stdout) as { copyRate: number }).copyRate);
  expect(rates).toEqual([1, 1]);
  expect((JSON.parse(twice.stdout) as { references: string[] }).references).toHaveLength(3);
  const heldOut = await rpo([...args, "--hold-out", "0.png"]);
  expect(heldOut.stderr).toContain("the photo that is held out is among the others too: 0.png is 0 (1).jpg again");
});
