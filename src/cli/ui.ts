import { stat } from "node:fs/promises";
import { startServer } from "../server/start.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { UI } from "../settings/ui.ts";
import { UsageError } from "../system/errors.ts";
import { makeFolder } from "../system/files.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { openInBrowser, sweepOpened } from "./open-in-browser.ts";

/** Where runs go and are looked for unless told otherwise. */
const DEFAULT_FOLDER = "runs";

/** `rpo ui`: serves the page until it is interrupted. @returns the exit code */
export async function uiCommand(
  words: readonly string[],
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const { host, port, open, token } = parseTable(UI, given);
  if (words.length === 0) await makeFolder(DEFAULT_FOLDER);
  for (const folder of words)
    if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true)
      throw new UsageError(`${folder}: no such folder (expected one that holds runs, or a run)`);
  const folders = words.length === 0 ? [DEFAULT_FOLDER] : words;
  const server = await startServer({ folders, host, port, asksForToken: token });
  process.stdout.write(json ? `${JSON.stringify({ type: "ui", url: server.url })}\n` : `${server.url}\n`);
  await sweepOpened(server.home);
  const forget = open ? await openInBrowser(server.url, server.home) : undefined;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  for (const note of server.notes) say(`rpo: ${note}`);
  say("Ctrl-C ends it");
  const interrupt = onInterrupt(
    () => undefined,
    () => undefined,
  );
  try {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
    await forget?.();
    await server.close();
  } finally {
    interrupt.release();
  }
  return EXIT.done;
}
