import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Traces {
  readonly code: number | null;
  readonly output: string;
  /** What was left in the user's home, cache or temporary folder, by its path there. */
  readonly files: readonly string[];
  /** Internet sockets that were seen, of the program and its children. Linux only. */
  readonly sockets: readonly string[];
}

/** Runs a Node program whose home, cache and temporary folders are empty, outside of any CI (where ONNX Runtime keeps quiet by itself). */
export async function watch(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Traces> {
  await mkdir(folder);
  const places = { HOME: join(folder, "home"), XDG_CACHE_HOME: join(folder, "cache"), TMPDIR: join(folder, "tmp") };
  for (const place of Object.values(places)) await mkdir(place);
  // a file and no pipe: Node's pipes are sockets too
  const log = await open(join(folder, "log"), "w+");
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...places, ...env },
    stdio: ["ignore", log.fd, log.fd],
  });
  const exit = once(child, "exit") as Promise<[number | null]>;
  const sockets = new Set<string>();
  let running = true;
  void exit.finally(() => (running = false));
  while (running) {
    if (child.pid !== undefined) for (const socket of await socketsOf(child.pid)) sockets.add(socket);
    await sleep(20);
  }
  const [code] = await exit;
  const files: string[] = [];
  for (const place of ["home", "cache", "tmp"])
    files.push(...(await readdir(join(folder, place), { recursive: true })).map((name) => join(place, name)));
  const output = await readFile(join(folder, "log"), "utf8");
  await log.close();
  return { code, output, files, sockets: [...sockets] };
}

/** The open internet sockets of a process and its children, as the kernel lists them; none where there is no /proc. */
async function socketsOf(pid: number): Promise<string[]> {
  const held = new Set<string>();
  const collect = async (process: number): Promise<void> => {
    const names = await readdir(`/proc/${process}/fd`).catch((): string[] => []);
    for (const name of names) {
      const target = await readlink(`/proc/${process}/fd/${name}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) held.add(inode);
    }
    const tasks = await readdir(`/proc/${process}/task`).catch((): string[] => []);
    for (const task of tasks) {
      const children = await readFile(`/proc/${process}/task/${task}/children`, "utf8").catch(() => "");
      for (const one of children.split(" ").filter((part) => part.trim() !== "")) await collect(Number(one));
    }
  };
  await collect(pid);
  if (held.size === 0) return [];
  const found: string[] = [];
  for (const kind of ["tcp", "tcp6", "udp", "udp6"]) {
    const table = await readFile(`/proc/${pid}/net/${kind}`, "utf8").catch(() => "");
    for (const line of table.split("\n").slice(1)) {
      const [, , remote, , , , , , , inode] = line.trim().split(/\s+/);
      if (held.has(inode ?? "")) found.push(`${kind} to ${remote}`);
    }
  }
  return found;
}
