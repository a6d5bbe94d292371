import type { WantedModel } from "../hub/fetch-models.ts";
import { readHubSettings } from "../hub/settings.ts";
import type { Interaction } from "../commands/interaction.ts";
import { messageInFlags } from "../settings/flag-name.ts";
import { createProgress } from "./progress.ts";

/** The person at the terminal. */
export const terminal: Interaction = {
  fetch: fetchShown,
  warn: (line) => void process.stderr.write(`rpo: ${messageInFlags(line)}\n`),
};

/** Fetches with a progress bar; Ctrl-C stops it. */
async function fetchShown(wanted: readonly WantedModel[]): Promise<string[]> {
  // most commands fetch nothing, and need no client
  const { fetchModels } = await import("../hub/fetch-models.ts");
  const progress = createProgress();
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await fetchModels(wanted, {
      settings: await readHubSettings(),
      signal: controller.signal,
      say: (line) => progress.log(line),
      onProgress: (done, total, path) => progress.update("megabytes", toMegabytes(done), toMegabytes(total), path),
    });
  } finally {
    progress.stop();
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

export function toMegabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
