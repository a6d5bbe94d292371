import type { Context, Hono } from "hono";
import { z } from "zod";
import { writtenChoice } from "../../runs/best.ts";
import { removeCheckpoint } from "../../runs/checkpoints.ts";
import { stepNumber } from "../../runs/event-fields.ts";
import { RUN_LOCK } from "../../runs/repair.ts";
import { keepCheckpoint, selectCheckpoint } from "../../runs/selection.ts";
import { addVotes, roundSchema } from "../../runs/votes.ts";
import { insideOf } from "../../system/inside.ts";
import { lockFolder } from "../../system/lock.ts";
import { share } from "../../system/numbers.ts";
import { createTurnsOfEach } from "../../system/turns.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import { readBody } from "../body.ts";
import { Refusal } from "../refusal.ts";
import type { KnownRun, Registry } from "./registry.ts";

const keepSchema = z.strictObject({ step: stepNumber, lambda: share });
const selectSchema = z.strictObject({ lambda: share });
const removeSchema = z.strictObject({ steps: z.array(stepNumber).min(1).max(10_000) });

/** What is chosen of a run, and what is thrown away after it. */
export function addChooseRoutes(app: Hono, registry: Registry): void {
  const find = (c: Context) => registry.find(c.req.param("id") ?? "");
  // a checkpoint that is just being kept is not removed
  const inTurn = createTurnsOfEach();

  app.post("/api/runs/:id/keep", async (c) => {
    const { folder } = await find(c);
    const wish = await readBody(c, keepSchema);
    await inTurn(folder, () => keepCheckpoint(folder, wish));
    return c.json({});
  });

  app.post("/api/runs/:id/select", async (c) => {
    const { folder } = await find(c);
    const wish = await readBody(c, selectSchema);
    const { step, checkpoint } = await inTurn(folder, () => selectCheckpoint(folder, wish));
    return c.json({ step, checkpoint });
  });

  app.post("/api/runs/:id/votes", async (c) => {
    const { folder } = await find(c);
    await addVotes(folder, await readBody(c, roundSchema), new Date());
    return c.json({});
  });

  app.delete("/api/runs/:id/checkpoints", async (c) => {
    const run = await find(c);
    const { steps } = await readBody(c, removeSchema);
    await inTurn(run.folder, () => removeCheckpoints(run, steps));
    return c.json({});
  });
}

/** Removes checkpoints, but not the one that is drawn with, and none while a process trains. @throws Refusal, UsageError */
async function removeCheckpoints({ folder }: KnownRun, steps: readonly number[]): Promise<void> {
  insideOf(folder, CHECKPOINTS);
  const best = await writtenChoice(folder);
  if (best !== undefined && steps.includes(best.step))
    throw new Refusal(409, `step ${best.step} is what the run draws with; keep another one first`);
  const release = await lockFolder(folder, RUN_LOCK);
  try {
    for (const step of steps) await removeCheckpoint(folder, step);
  } finally {
    await release();
  }
}
