import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { lstat, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { html, Html } from "../report/html.ts";

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** How long a browser may take to start. */
const FORGET_MS = 60_000;

const NAME = /^\.rpo-open-[0-9a-f]{12}\.html$/;

/** Removes such files that a killed server left in a folder; their tokens ended with it. */
export async function sweepOpened(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    if (!NAME.test(name)) continue;
    const path = join(folder, name);
    const info = await lstat(path).catch(() => undefined);
    // a younger one may be another server's, whose browser is starting
    if (info?.isFile() === true && Date.now() - info.mtimeMs > FORGET_MS)
      await rm(path, { force: true }).catch(() => undefined);
  }
}

/**
 * Opens an address as well as the system can; where it cannot, the address stands on the terminal. Every account of a machine may see the words
 * of a command, and the address has a token in it: so the browser is given a file that leads there and that only its owner can read; on Windows
 * whoever can read the folder can.
 * @param folder where that file goes for a minute: browsers in containers of their own see no temporary folder, but what is below the home folder
 * @returns removes it
 */
export async function openInBrowser(url: string, folder: string): Promise<() => Promise<void>> {
  const name = `.rpo-open-${randomBytes(6).toString("hex")}.html`;
  const page = html`${new Html("<!doctype html>")}
    <meta charset="utf-8" />
    <title>rpo</title>
    <meta http-equiv="refresh" content="0; url=${url}" />
    <a href="${url}">Open rpo</a>`.text;
  const write = async (path: string): Promise<string> => {
    await writeFile(path, page, { mode: 0o600, flag: "wx" });
    return path;
  };
  const file = await write(resolve(folder, name)).catch(() => write(join(tmpdir(), name)));
  const [command, ...words] = OPENERS[process.platform] ?? ["xdg-open"];
  spawn(command, [...words, pathToFileURL(file).href], { stdio: "ignore", detached: true })
    .on("error", () => process.stderr.write("rpo: no browser could be opened; open the address by hand\n"))
    .unref();
  const forget = (): Promise<void> => rm(file, { force: true });
  setTimeout(() => void forget(), FORGET_MS).unref();
  return forget;
}
