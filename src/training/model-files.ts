import type { TrainSettings } from "../settings/train-settings.ts";
import { ModelError } from "../system/errors.ts";
import { changedFile } from "../system/mapped-files.ts";

/**
 * To be asked before a step or a validation is put down: weights are the file's own memory, and what is computed with others is no part of the run.
 * @throws ModelError when a file of the models has been overwritten since
 */
export function checkModelFiles({ output }: Pick<TrainSettings, "output">): void {
  const changed = changedFile();
  if (changed !== undefined)
    throw new ModelError(
      `${changed}: the file has been overwritten while it was in use; put it back as it was, and rpo train --resume --output ${output} goes on from the last saved state`,
    );
}
