import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { flagName } from "../../src/settings/flag-name.ts";
import { namesOf } from "../../src/settings/setting.ts";
import { TRAIN } from "../../src/settings/train.ts";
import { eventsOf, makePhotos, MODEL, REWARD, root, rpo, temporaryFolder } from "./cli.ts";

let run = "";
let page = "";
beforeAll(async () => {
  run = join(await temporaryFolder(), "run");
  page = await readFile(join(root, "docs/run-folder.md"), "utf8");
  const inputs = ["--model", MODEL, "--reward", REWARD, "--images", await makePhotos(2), "--class", "dog", "--yes"];
  const few = ["--steps", "2", "--validate-every", "2", "--validation-images", "1", "--validation-steps", "1"];
  const { code, stderr } = await rpo([
    "train",
    ...inputs,
    ...few,
    "--negatives",
    "1",
    "--threads",
    "1",
    "--output",
    run,
  ]);
  expect(code, stderr).toBe(0);
}, 120_000);

/** Names of an object's fields, in order, without those that eventsOf leaves out, and those of its pictures. */
function fieldsOf(event: unknown): string[] {
  const { images, ...rest } = event as Record<string, unknown>;
  const names = Object.keys(rest).filter((key) => key !== "time" && key !== "seconds");
  return Array.isArray(images) ? [...names, ...fieldsOf(images[0])] : names;
}

test("every event has the fields of its line in docs/run-folder.md", async () => {
  const lines = page.split("\n").filter((line) => line.startsWith('{"type":'));
  const documented = new Map(lines.map((line) => JSON.parse(line) as { type: string }).map((e) => [e.type, e]));
  const events = (await eventsOf(run)) as { type: string }[];
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(["start", "anchors", "starting-picture", "step", "validation", "best", "stop"]),
  );
  // a reward with random weights tells no ends apart: what is measured between them is absent
  const measured = "form" in (events.find(({ type }) => type === "validation") ?? {});
  const left = measured ? [] : ["form", "otherReward", "likeness", "obedience"];
  for (const event of events)
    expect(fieldsOf(event)).toEqual(fieldsOf(documented.get(event.type)).filter((name) => !left.includes(name)));
});

test("every file of a run is on docs/run-folder.md", async () => {
  const names = (await readdir(run, { recursive: true, withFileTypes: true })).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(run.length + 1)] : [],
  );
  expect(names.length).toBeGreaterThan(10);
  const pattern = (name: string) => name.replace(/[0-9]+/g, "0");
  const known = pattern(page);
  for (const name of names) expect(known).toContain(`${pattern(name.replace(/^checkpoints\/\d+\//, ""))}\``);
});

test("config.json has each of the settings that the page leaves to rpo train --help", async () => {
  const { version, versions, hashes, learningRate, ...settings } = JSON.parse(
    await readFile(join(run, "config.json"), "utf8"),
  ) as Record<string, unknown>;
  expect([version, typeof versions, typeof hashes, typeof learningRate]).toEqual([2, "object", "object", "number"]);
  const { stdout } = await rpo(["train", "--help"]);
  for (const key of Object.keys(settings)) {
    const [name] = namesOf(TRAIN, key);
    expect(stdout).toMatch(new RegExp(`--(no-)?${flagName(name).slice(2)}\\b`));
  }
});
