import { fork, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root, temporaryFolder } from "../run/cli.ts";
import type { Order, Outcome } from "./child.ts";

/** The process that runs cases, begun anew when a case has ended it. */
export interface Cases {
  readonly targets: readonly string[];
  /** @returns what came out; a case that takes longer than the limit or ends the process is a problem too */
  run(order: Order): Promise<Outcome>;
  close(): void;
}

/** A hang, on a machine that others use too: cases take milliseconds. */
const LIMIT_MS = 20_000;

/** Compiles child.ts, which then reads the program as it was built. @returns its path */
async function compileChild(): Promise<string> {
  const outfile = join(await temporaryFolder(), "child.mjs");
  const modules = createRequire(import.meta.url);
  await build({
    entryPoints: [join(root, "tests/fuzz/child.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    plugins: [
      {
        name: "built",
        setup(building) {
          building.onResolve({ filter: /\/src\/.*\.ts$/ }, ({ path, resolveDir }) => ({
            path: pathToFileURL(
              resolve(resolveDir, path).replace(join(root, "src"), join(root, "dist")).replace(/ts$/, "js"),
            ).href,
            external: true,
          }));
          building.onResolve({ filter: /^sharp$/ }, ({ path }) => ({
            path: pathToFileURL(modules.resolve(path)).href,
            external: true,
          }));
        },
      },
    ],
  });
  return outfile;
}

export async function openCases(): Promise<Cases> {
  const path = await compileChild();
  let child: ChildProcess | undefined;
  let targets: readonly string[] = [];
  const begin = async (): Promise<ChildProcess> => {
    const begun = fork(path, [root], {
      execArgv: ["--max-old-space-size=1500"],
      serialization: "advanced",
    });
    begun.on("exit", () => (child = child === begun ? undefined : child));
    targets = await new Promise<string[]>((tell, fail) => {
      begun.once("message", (message: { targets: string[] }) => tell(message.targets));
      begun.once("exit", () => fail(new Error("the process for cases does not start")));
    });
    return begun;
  };
  child = await begin();
  return {
    targets,
    async run(order) {
      const running = (child ??= await begin());
      return new Promise<Outcome>((tell) => {
        const end = (outcome: Outcome) => {
          clearTimeout(timer);
          running.off("message", end).off("exit", ended);
          tell(outcome);
        };
        const failed = (problem: string) =>
          end({ what: "", problem, refused: false, seconds: LIMIT_MS / 1000, grownBytes: 0 });
        const ended = (code: number | null, signal: string | null) =>
          failed(`the process ended (${String(signal ?? code)})`);
        const timer = setTimeout(() => {
          child = undefined;
          running.kill("SIGKILL");
          failed(`no end within ${LIMIT_MS / 1000} s`);
        }, LIMIT_MS);
        running.on("message", end).on("exit", ended);
        running.send(order);
      });
    },
    close: () => child?.disconnect(),
  };
}
