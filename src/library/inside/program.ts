import { DownloadStopped } from "../../hub/errors.ts";
import { fetchModels } from "../../hub/fetch-models.ts";
import { readHubSettings } from "../../hub/settings.ts";
import type { Interaction } from "../../commands/interaction.ts";
import { textOf } from "../../system/message.ts";
import { forbidTelemetry } from "../../runtime/telemetry.ts";
import type { Control } from "../control.ts";

/** A program, which is told by events. */
export function programOf({ onEvent, signal }: Control): Interaction {
  const say = (text: string) => onEvent?.({ type: "warning", text });
  return {
    async fetch(wanted) {
      // where the engine will not run, nothing is fetched for it
      forbidTelemetry();
      try {
        return await fetchModels(wanted, {
          settings: await readHubSettings(),
          signal,
          say,
          onProgress: (done, total) => onEvent?.({ type: "progress", phase: "downloading", done, total }),
        });
      } catch (error) {
        if (error instanceof DownloadStopped) signal?.throwIfAborted();
        throw error;
      }
    },
    warn: (line) => say(textOf(line)),
  };
}
