import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import { addAssets } from "./assets.ts";
import { guard, type GuardOptions } from "./guard.ts";
import { headers } from "./headers.ts";
import { createHelper } from "./helper/host.ts";
import { answerError, Refusal } from "./refusal.ts";
import { addBenchRoutes } from "./benches.ts";
import { openArchive } from "./runs/archive.ts";
import { addChooseRoutes } from "./runs/choose-routes.ts";
import { createFollowers } from "./runs/follow.ts";
import { createRegistry } from "./runs/registry.ts";
import { addUseRoutes } from "./runs/use-routes.ts";
import { addRunRoutes } from "./runs/routes.ts";
import { createQueueDoor } from "./trainings/door.ts";
import { addTrainingRoutes } from "./trainings/routes.ts";
import { createStreamLimit } from "./runs/stream.ts";

/** Loading a model, and drawing with it or a step of it, on a slow machine. */
const ENGINE_MS = 900_000;
/** Errands with a model: it and what it draws may take all of the memory. */
const ENGINE = { atOnce: 1, mostWaiting: 8, longestMs: ENGINE_MS };
/** Pictures to make smaller, photos to look at, reports. */
const PICTURES = { atOnce: 4, mostWaiting: 512 };

export interface PageServer {
  readonly app: Hono;
  /** Lines for whoever started it. */
  readonly notes: readonly string[];
  /** The folder of the page's own notes. */
  readonly home: string;
  close(): Promise<void>;
}

/** The server's answers. @param folders of runs, or runs themselves */
export async function createApp(folders: readonly string[], options: GuardOptions): Promise<PageServer> {
  const registry = await createRegistry(folders);
  const followers = createFollowers();
  const helper = createHelper(PICTURES);
  const engine = createHelper(ENGINE);
  const limit = createStreamLimit();
  const app = new Hono();
  app.use(headers);
  app.use(guard(options));
  app.onError(answerError);
  app.notFound((c) => answerError(new Refusal(404, "nothing here"), c));
  await addAssets(app);
  addRunRoutes(app, {
    ...{ registry, followers, helper, archive: openArchive(registry.home) },
    enterStream: (c, signal) => limit(getConnInfo(c).remote.address ?? "", signal),
  });
  addChooseRoutes(app, registry);
  addBenchRoutes(app, registry, helper);
  const door = createQueueDoor(registry.home);
  addTrainingRoutes(app, { registry, helper, door, engine });
  addUseRoutes(app, registry, engine);
  const missing = await door.problem();
  return {
    app,
    home: registry.home,
    notes: missing === undefined ? (await door.open()).problems() : [missing],
    async close() {
      followers.close();
      helper.close();
      engine.close();
      await door.close();
    },
  };
}
