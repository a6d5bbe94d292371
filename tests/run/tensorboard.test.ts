import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readEventFolder } from "../../src/tensorboard/testing/read.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";

const sorted = (lines: readonly string[]) => [...lines].sort();

test(
  "--log tensorboard: a run that was killed and resumed shows each of its events once",
  { timeout: 300_000 },
  async () => {
    const run = join(await temporaryFolder(), "run");
    const args = ["--model", MODEL, "--reward", REWARD, "--images", await makePhotos(), "--class", "dog", "--yes"];
    const few = ["--steps", "6", "--validate-every", "3", "--validation-images", "1", "--validation-steps", "2"];
    const all = ["train", ...args, ...few, "--negatives", "1", "--threads", "1", "--output", run];
    const killed = await rpo([...all, "--log", "tensorboard", "--json"], { kill: { afterLines: 13, afterMs: 0 } });
    expect(killed.code, killed.stderr).toBe(null);
    const resumed = await rpo(["train", "--resume", "--output", run]);
    expect(resumed.code, resumed.stderr).toBe(0);

    expect(await readdir(join(run, "tensorboard"))).toHaveLength(2);
    const shown = await readEventFolder(join(run, "tensorboard"));
    const events = await readEvents(run);
    const losses = events.flatMap((event) =>
      event.type === "step" ? [`${event.step} ${Math.fround(event.curves["sim"] ?? NaN)}`] : [],
    );
    expect(losses).toHaveLength(6);
    expect(shown.flatMap((e) => (e.tag === "loss/sim" ? [`${e.step} ${e.scalar}`] : []))).toEqual(losses);
    const pictures = events.flatMap((event) =>
      event.type === "validation"
        ? event.images.map(({ prompt }) => `${event.step} ${prompt}`)
        : event.type === "starting-picture"
          ? [`0 ${event.prompt}`]
          : [],
    );
    expect(
      sorted(shown.flatMap((e) => (e.image ? [`${e.step} ${e.tag?.slice(e.tag.indexOf(" ") + 1)}`] : []))),
    ).toEqual(sorted(pictures));
  },
);
