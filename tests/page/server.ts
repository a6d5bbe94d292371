import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser } from "playwright-core";
import { root } from "../run/cli.ts";

/** `rpo ui` as its users start it, and the browser that visits it. */

export const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

export interface Served {
  /** With a / at its end. */
  readonly url: string;
  /** What is printed: with the token, where one is asked for. */
  readonly printed: string;
  /** What shows the token, once the printed address was opened. */
  readonly cookie: { readonly name: string; readonly value: string };
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts the server over folders of runs. */
export async function serve(folders: readonly string[], ...more: readonly string[]): Promise<Served> {
  const words = more.includes("--port") ? more : ["--port", "0", ...more];
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "ui", ...folders, ...words], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const printed = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`rpo ui ended with code ${code}`)));
  });
  const { origin, port, searchParams } = new URL(printed);
  return {
    url: `${origin}/`,
    printed,
    cookie: { name: `rpo-token-${port}`, value: searchParams.get("token") ?? "" },
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGINT");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-gpu"] });
}

/** What the page sends with whatever changes something. */
export const ACTION = { "x-rpo": "1", "content-type": "application/json" };
