import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where WebGPU's engine ran nodes, as its own profile says. */

export interface Profile {
  /** Nodes that were run on the device, by operator. */
  readonly device: Readonly<Record<string, number>>;
  /** Nodes that were run on the CPU, and copies between the two. */
  readonly elsewhere: Readonly<Record<string, number>>;
}

/** One of a trace's events, as far as it is read here. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/** Does work with sessions that it makes. @returns its result, and where the nodes ran */
export async function profile<T>(work: () => Promise<T>): Promise<[result: T, places: Profile]> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-profile-"));
  process.env["RPO_PROFILE"] = join(folder, "profile");
  const result = await work();
  delete process.env["RPO_PROFILE"];
  const device: Record<string, number> = {};
  const elsewhere: Record<string, number> = {};
  for (const file of await readdir(folder))
    for (const { cat, name, args } of JSON.parse(await readFile(join(folder, file), "utf8")) as TraceEvent[]) {
      if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
      const { op_name: op = "", provider = "" } = args ?? {};
      const counts = provider === "WebGpuExecutionProvider" && !op.startsWith("Memcpy") ? device : elsewhere;
      counts[op] = (counts[op] ?? 0) + 1;
    }
  await rm(folder, { recursive: true });
  return [result, { device, elsewhere }];
}
