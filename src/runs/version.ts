import { UsageError } from "../system/errors.ts";

/**
 * The version of a run's folder (docs/run-folder.md), which config.json begins with. It counts up when a reader of the old form would go
 * wrong; a folder without one was written before there was one and is of version 1.
 */
export const RUN_VERSION = 1;

/**
 * What config.json holds besides the version.
 * @param path of the file, for the message
 * @throws UsageError when the version is another
 */
export function checkVersion(config: unknown, path: string): unknown {
  if (typeof config !== "object" || config === null) return config;
  const { version = RUN_VERSION, ...rest } = config as { readonly version?: unknown };
  if (version === RUN_VERSION) return rest;
  const { versions } = rest as { readonly versions?: { readonly rpo?: unknown } };
  const writer = typeof versions?.rpo === "string" ? ` by rpo ${versions.rpo}` : "";
  throw new UsageError(
    `${path}: version ${JSON.stringify(version)} of a run's folder, written${writer}, but this rpo reads version ${RUN_VERSION}; use the rpo that wrote it`,
  );
}
