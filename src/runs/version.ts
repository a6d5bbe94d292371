import { UsageError } from "../system/errors.ts";

/**
 * The version of a run's folder (docs/run-folder.md), which config.json begins with. It counts up when a reader of the old form would go
 * wrong; a folder without one was written before there was one and is of version 1.
 */
export const RUN_VERSION = 2;

/** What this program reads, and goes on with in the form that a run has. */
const KNOWN = [1, 2] as const;
export type RunVersion = (typeof KNOWN)[number];

/**
 * The version that a config.json says.
 * @param path of the file, for the message
 * @throws UsageError when it is an unknown one
 */
export function versionOf(config: Readonly<Record<string, unknown>>, path: string): RunVersion {
  const { version = 1, versions } = config;
  const known = KNOWN.find((each) => each === version);
  if (known !== undefined) return known;
  const { rpo } = { ...(versions as { readonly rpo?: unknown } | undefined) };
  const writer = typeof rpo === "string" ? ` by rpo ${rpo}` : "";
  throw new UsageError(
    `${path}: version ${JSON.stringify(version)} of a run's folder, written${writer}, but this rpo reads versions ${KNOWN.join(" and ")}; use the rpo that wrote it`,
  );
}
