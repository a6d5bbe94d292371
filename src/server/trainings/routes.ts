import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, Hono } from "hono";
import { z } from "zod";
import { freeOutput } from "../../commands/paths.ts";
import { modelsInCache } from "../../hub/in-cache.ts";
import { readHubSettings } from "../../hub/settings.ts";
import { inFlags } from "../../settings/flag-name.ts";
import { WHOLE } from "../../settings/limits.ts";
import { readRunConfig } from "../../runs/config.ts";
import { insideOf } from "../../system/inside.ts";
import { createTurns } from "../../system/turns.ts";
import type { ModelList, PhotoList, QueueView } from "../api.ts";
import { readBody } from "../body.ts";
import { briefly } from "../briefly.ts";
import type { Helper } from "../helper/host.ts";
import type { HowCut } from "../helper/messages.ts";
import { Refusal } from "../refusal.ts";
import { workerOf } from "../runs/facts.ts";
import type { Registry } from "../runs/registry.ts";
import { checkTraining, NeedsDownload } from "./check.ts";
import type { QueueDoor } from "./door.ts";
import { trainingForm } from "./form.ts";
import { newJob } from "./jobs.ts";
import { batchFolder, dropPhoto, newBatch, photoPath, takePhoto } from "./photos.ts";
import type { TrainingQueue } from "./queue.ts";

const value = z.union([z.string().max(4096), z.number(), z.boolean()]);
const settingsSchema = z.record(z.string().max(64), value);
const newSchema = z.strictObject({ settings: settingsSchema });
const resumeSchema = z.strictObject({ steps: z.int().min(WHOLE.steps[0]).max(WHOLE.steps[1]).optional() });

export interface TrainingServices {
  readonly registry: Registry;
  readonly helper: Helper;
  readonly door: QueueDoor;
  /** For what loads a model. */
  readonly engine: Helper;
}

/** New runs, runs that go on, and their queue. */
export function addTrainingRoutes(app: Hono, { registry, helper, door, engine }: TrainingServices): void {
  const root = registry.home;
  // two that are asked for at once get folders of their own, and one run does not go on twice
  const inTurn = createTurns();
  const placed = async (settings: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> => {
    const className = typeof settings["class"] === "string" ? settings["class"] : "";
    const queue = await door.open().catch(() => undefined);
    const isTaken = (folder: string): boolean => queue?.list().jobs.some(({ output }) => output === folder) ?? false;
    return { ...settings, output: settings["output"] ?? (await freeOutput(className, root, isTaken)) };
  };

  app.get("/api/training/form", (c) => c.json({ groups: trainingForm() }));

  const cached = briefly(modelsInCache);
  app.get("/api/models", async (c) => {
    const { cache } = await readHubSettings();
    return c.json({ cache, models: await cached(cache) } satisfies ModelList);
  });

  app.post("/api/training/check", async (c) => {
    const { settings } = await readBody(c, newSchema);
    return c.json(await checkTraining(await placed(settings)).catch(refuse));
  });

  app.post("/api/training/estimate", async (c) => {
    const { settings } = await readBody(c, newSchema);
    return c.json(await engine.ask({ kind: "estimate", settings: await placed(settings) }, c.req.raw.signal));
  });

  app.post("/api/training/start", async (c) => {
    const { settings } = await readBody(c, newSchema);
    const queue = await door.open();
    await inTurn(async () => {
      const complete = await placed(settings);
      await checkTraining(complete).catch((error: unknown) => {
        if (!(error instanceof NeedsDownload)) refuse(error);
      });
      const { output: named, ...rest } = complete;
      const output = resolve(String(named));
      await queue.add(newJob({ label: `train ${basename(output)}`, output, settings: rest, steps: undefined }));
    });
    return c.json({});
  });

  app.post("/api/runs/:id/resume", async (c) => {
    const run = await registry.find(c.req.param("id"));
    const { steps } = await readBody(c, resumeSchema);
    if ((await readRunConfig(run.folder)).judging !== undefined)
      throw new Refusal(
        409,
        `${run.name}: rpo judge made it, and nothing trains; give rpo judge the same command again`,
      );
    const queue = await door.open();
    await inTurn(async () => {
      if (await goesOn(queue, run.folder)) throw new Refusal(409, `${run.name}: it goes on already`);
      const label = steps === undefined ? `go on with ${run.name}` : `${run.name} to step ${steps}`;
      await queue.add(newJob({ label, output: run.folder, settings: undefined, steps }));
    });
    return c.json({});
  });

  addQueueRoutes(app, door, registry);
  addPhotoRoutes(app, root, helper);
}

/** How long a training that has let its run go may take to end. */
const ENDING_MS = 5000;

/** Whether a run waits or trains. */
async function goesOn(queue: TrainingQueue, run: string): Promise<boolean> {
  const begun = performance.now();
  for (;;) {
    if ((await workerOf(run)) !== undefined) return true;
    const states = queue.list().jobs.flatMap(({ output, state }) => (output === run ? [state] : []));
    if (states.includes("waiting")) return true;
    if (!states.includes("running")) return false;
    if (performance.now() - begun > ENDING_MS) return true;
    await sleep(100);
  }
}

function addQueueRoutes(app: Hono, door: QueueDoor, registry: Registry): void {
  app.get("/api/queue", async (c) => {
    const missing = await door.problem();
    if (missing !== undefined)
      return c.json({ isKept: false, paused: false, jobs: [], problems: [missing] } satisfies QueueView);
    const queue = await door.open();
    const { paused, jobs } = queue.list();
    const runs = new Map((await registry.list()).map(({ folder, id }) => [folder, id]));
    const shown = jobs.map(({ id, label, state, output, message }) => {
      const run = runs.get(output);
      return { id, label, state, output, message, ...(run !== undefined && { run }) };
    });
    return c.json({ isKept: true, paused, jobs: shown, problems: queue.problems() } satisfies QueueView);
  });
  app.post("/api/queue", async (c) => {
    const { paused } = await readBody(c, z.strictObject({ paused: z.boolean() }));
    await (await door.open()).pause(paused);
    return c.json({});
  });
  app.post("/api/queue/:id/move", async (c) => {
    const { by } = await readBody(c, z.strictObject({ by: z.union([z.literal(1), z.literal(-1)]) }));
    await (await door.open()).move(c.req.param("id"), by);
    return c.json({});
  });
  app.delete("/api/queue/:id", async (c) => {
    await (await door.open()).remove(c.req.param("id"));
    return c.json({});
  });
}

function addPhotoRoutes(app: Hono, root: string, helper: Helper): void {
  const list = async (folder: string, c: Context): Promise<PhotoList> => {
    return { folder, ...(await helper.ask({ kind: "photos", folder, ...howCut(c) }, c.req.raw.signal)) };
  };
  app.post("/api/photos", (c) => c.json({ batch: newBatch(new Date()) }));
  app.put("/api/photos/:batch/:name", async (c) => {
    await takePhoto(c, root, c.req.param("batch"), c.req.param("name"));
    return c.json({});
  });
  app.delete("/api/photos/:batch/:name", async (c) => {
    await dropPhoto(root, c.req.param("batch"), c.req.param("name"));
    return c.json({});
  });
  app.get("/api/photos/:batch", async (c) => c.json(await list(batchFolder(root, c.req.param("batch")), c)));
  app.get("/api/photos/:batch/:name/cut", async (c) => {
    const file = photoPath(root, c.req.param("batch"), c.req.param("name"));
    if (insideOf(join(root), file.slice(root.length)) === undefined) throw new Refusal(404, "no such photo");
    c.header("content-type", "image/png");
    return c.body(new Uint8Array(await helper.ask({ kind: "cut", file, ...howCut(c) }, c.req.raw.signal)));
  });
}

/** What the form says of how photos are cut. */
function howCut(c: Context): HowCut {
  const { crop, resolution, model = "" } = c.req.query();
  return {
    crop: crop === "none" || crop === "bucket" ? crop : "center",
    resolution: Math.max(8, Math.min(4096, Math.floor(Number(resolution)) || 512)),
    model: model.slice(0, MOST_LETTERS),
  };
}

/** Of a model's name or path. */
const MOST_LETTERS = 4096;

/** What is wrong, with settings by the names that they have in the form. */
function refuse(error: unknown): never {
  throw new Refusal(422, inFlags(error));
}
