import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { parsePromptsAndClasses } from "../../src/benchmark/subjects/dreambench.ts";
import { renderBench } from "../../src/benchmark/results/page.ts";
import { readRows } from "../../src/benchmark/results/results.ts";
import { summarizeRows } from "../../src/benchmark/results/summary.ts";
import { tablesOf, tablesToText } from "../../src/benchmark/results/tables.ts";
import { readBenchView } from "../../src/benchmark/results/view.ts";
import { compareModels } from "../../src/evaluation/comparison.ts";
import { readPictures } from "../../src/evaluation/pictures.ts";
import { readReport } from "../../src/report/read.ts";
import { renderReport } from "../../src/report/render.ts";
import type { HubClient } from "../../src/hub/http.ts";
import { fetchListing } from "../../src/hub/listing.ts";
import { listImages } from "../../src/images/folder.ts";
import { readImage } from "../../src/images/read.ts";
import { readResult } from "../../src/benchmark/folder.ts";
import { readStatus } from "../../src/benchmark/status.ts";
import { parseReference, RESULTS } from "../../src/benchmark/tasks/tasks.ts";
import { valuesOf } from "../../src/tensorboard/values.ts";
import { readResumePoint } from "../../src/runs/resume-point.ts";
import { scaleOfLog } from "../../src/runs/scale.ts";
import { readPrompts } from "../../src/training/prompts.ts";
import { readRunConfig } from "../../src/runs/config.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { readBest } from "../../src/runs/best.ts";
import { selectCheckpoint } from "../../src/runs/selection.ts";
import { UsageError } from "../../src/system/errors.ts";
import { parseAs, parseJson } from "../../src/system/json.ts";
import { filesOf, type Target } from "./target.ts";

/** Readers of runs, benchmarks, pictures, prompts, jobs and the hub's answers. */

const ASSETS = { style: "", script: "" };

export function runTargets(root: string): Readonly<Record<string, Target>> {
  const frozen = join(root, "tests/frozen/before-trust");
  const text = (files: Readonly<Record<string, string>>) => () =>
    Promise.resolve(new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])));
  return {
    run: {
      files: async () =>
        new Map([
          ...(await filesOf(join(frozen, "lora"), "", /^(config|best)\.json|^events|^state|^images|000006/)),
          ...(await filesOf(join(frozen, "lora"), "photos-alone", /photos-alone\/(config\.json|events)/)),
        ]),
      read: wholeRun,
      kept: /\.png$|^checkpoints/,
    },
    events: {
      files: () => filesOf(join(frozen, "lora"), "", /^config\.json|^events/),
      read: async (run) => [await selected(run), await page(run)],
      kept: /config/,
    },
    benchmark: {
      files: () =>
        filesOf(
          join(frozen, "bench"),
          "",
          /^[^/]*\.jsonl?$|^(train|score|photos|draw)\/[^/]*\/(result|prompts)\.json$|^draw\/.*00-0\.png$/,
        ),
      read: wholeBenchmark,
    },
    picture: {
      files: pictures,
      async read(folder) {
        const images = [];
        for (const path of await listImages(folder)) images.push(await readImage(path));
        return images.map(({ width, height, data }) => [width, height, data.length]);
      },
    },
    prompts: {
      files: text({
        "lines.txt": "a {token} {class} on the Moon\na green {token} {class}\n",
        "list.json": '["a {token} {class} on the Moon", "a green {token} {class}"]',
        "sections.json":
          '{"plain": "a {class}", "training": ["a {token} {class} on the Moon"], "validation": ["a {token} {class} in the snow"]}',
      }),
      async read(folder) {
        const read = [];
        for (const name of ["lines.txt", "list.json", "sections.json"])
          read.push(await readPrompts(join(folder, name)));
        return read;
      },
    },
    "pictures to judge": {
      files: async () => new Map([...(await filesOf(join(frozen, "bench/draw/3e54d91f0fbd87d6"), "", /png|prompts/))]),
      kept: /png$/,
      read: (folder) => readPictures({ folder, token: "[V]", class: "dog" }),
    },
    "prompts and classes": {
      files: text({
        "prompts_and_classes.txt": `Classes\n\nsubject_name,class\nbackpack,backpack\ndog,dog\n\nPrompts\n\nObject Prompts\nprompt_list = [\n'a {0} {1} in the jungle'.format(unique_token, class_token),\n"a {0} {1} in Milan".format(unique_token, class_token)\n]\n\nLive Subject Prompts\nprompt_list = [\n'a {0} {1} in the snow'.format(unique_token, class_token)\n]\n`,
      }),
      async read(folder) {
        const path = join(folder, "prompts_and_classes.txt");
        return parsePromptsAndClasses(await readFile(path, "utf8"), path);
      },
    },
    job: {
      files: text({
        "job.json":
          '{"kind": "photos", "folder": "/out/photos/0123456789abcdef", "settings": {"references": "/photos", "judges": {"dino": "/d"}}}',
      }),
      says: "the job",
      read: async (folder) => parseReference(parsedOr(await readFile(join(folder, "job.json"), "utf8"))),
    },
    "the hub's listing": {
      files: text({
        "page1.json": JSON.stringify([
          entry("model_index.json"),
          { ...entry("unet/model.safetensors"), lfs: { oid: "0".repeat(64), size: 12 } },
        ]),
        "page2.json": JSON.stringify([entry("vae/config.json"), { type: "directory", path: "vae", oid: "0" }]),
      }),
      says: "owner/name",
      async read(folder) {
        const json = async (url: string | URL): ReturnType<HubClient["json"]> => {
          const first = typeof url === "string";
          const text = await readFile(join(folder, first ? "page1.json" : "page2.json"), "utf8");
          return {
            value: parsedOr(text),
            bytes: text.length,
            next: first ? new URL("http://hub.invalid/2") : undefined,
          };
        };
        return fetchListing({ json } as unknown as HubClient, { repo: "owner/name", revision: "main" }, "0".repeat(40));
      },
    },
  };
}

const entry = (path: string) => ({ type: "file", path, size: 12, oid: "0".repeat(40) });

/** What a queue or the hub gives is JSON already. */
function parsedOr(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

async function wholeRun(run: string): Promise<unknown> {
  const events = await readEvents(run);
  const values = events.map((event) => valuesOf(event, () => new Uint8Array()));
  const validations = events.filter((event) => event.type === "validation");
  return [
    await readRunConfig(run),
    await readBest(run),
    await readResumePoint(run, { emit: () => undefined }),
    values,
    compareModels(validations, validations, { lambdas: [0.3, 0.5], scale: scaleOfLog("calibrated", events) }),
    await selected(run),
    await page(run, [{ run: join(run, "photos-alone"), label: "photos alone" }]),
  ];
}

/** Of every lambda's choice, where its checkpoint may be gone: the case keeps few. */
async function selected(run: string): Promise<unknown> {
  const outcomes = [];
  for (const lambda of [0, 0.3, 1])
    outcomes.push(
      await selectCheckpoint(run, { lambda }).catch((error: unknown) => {
        if (error instanceof UsageError && error.message.includes("the checkpoint is gone or not whole"))
          return error.message;
        throw error;
      }),
    );
  return outcomes;
}

async function page(run: string, companions: readonly { run: string; label: string }[] = []): Promise<string> {
  return renderReport(await readReport(run, { companions, now: new Date(0) }), ASSETS);
}

async function wholeBenchmark(output: string): Promise<unknown> {
  const { rows } = await readRows(join(output, "results.jsonl"));
  const lines = summarizeRows(rows);
  const view = await readBenchView(output, rows, { now: new Date(0) });
  const results = [];
  for (const kind of ["train", "draw", "score", "photos"] as const)
    for (const path of (await filesOf(join(output, kind), "", /result\.json$/)).keys()) {
      const folder = join(output, kind, path.split("/")[0]);
      results.push(parseAs<unknown>(RESULTS[kind], await readResult(folder), folder, UsageError));
    }
  return [
    lines,
    tablesToText(tablesOf(lines, { intervals: true, name: view.name })),
    renderBench(view, ""),
    await readStatus(output),
    results,
  ];
}

/** A small picture of each kind that is read. */
async function pictures(): Promise<Map<string, Buffer>> {
  const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
  const picture = sharp({ create: { width: 24, height: 18, channels: 3, background: "black", noise } });
  const files = new Map<string, Buffer>();
  for (const kind of ["png", "jpeg", "webp", "gif", "tiff", "avif"] as const)
    files.set(`${kind}.${kind}`, await picture.clone().toFormat(kind).toBuffer());
  return files;
}
