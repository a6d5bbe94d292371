import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Libraries that tests compile, in the place of drivers and cards that no test machine has. */

const run = promisify(execFile);
const compiler = process.env["CC"] ?? "cc";

/** Why there can be none here; undefined where they can be made. */
export const NO_COMPILER = await run(compiler, ["--version"]).then(
  () => (process.platform === "linux" ? undefined : "libraries are made for Linux alone"),
  () => `no C compiler (${compiler})`,
);

/** Compiles a library. @returns its path, in a folder of its own */
export async function makeLibrary(name: string, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-library-"));
  const [source, library] = [join(folder, "source.c"), join(folder, name)];
  await writeFile(source, code);
  await run(compiler, ["-shared", "-fPIC", "-o", library, source]);
  return library;
}

export interface FakeCard {
  readonly name: string;
  readonly capability: readonly [major: number, minor: number];
  readonly memoryBytes: number;
}

export interface FakeDriver {
  /** 13000 is CUDA 13.0. */
  readonly cuda?: number;
  readonly cards?: readonly FakeCard[];
  /** What it answers when it is started; by default that all is well, or that there is no card. */
  readonly cuInit?: number;
}

/** A driver that knows these cards. @returns its path */
export function makeDriver({ cuda = 13000, cards = [], cuInit }: FakeDriver = {}): Promise<string> {
  const list = <T>(of: (card: FakeCard) => T) => [...cards.map(of), 0].join(", ");
  return makeLibrary(
    "libcuda.so.1",
    `#include <stddef.h>
#include <string.h>
static const char *names[] = {${list(({ name }) => JSON.stringify(name))}};
static const int majors[] = {${list(({ capability }) => capability[0])}};
static const int minors[] = {${list(({ capability }) => capability[1])}};
static const size_t memories[] = {${list(({ memoryBytes }) => `${memoryBytes}ull`)}};
int cuInit(unsigned int flags) { return ${cuInit ?? (cards.length > 0 ? 0 : 100)}; }
int cuDriverGetVersion(int *version) { *version = ${cuda}; return 0; }
int cuDeviceGetCount(int *count) { *count = ${cards.length}; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, names[device], length); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = memories[device]; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? majors[device] : attribute == 76 ? minors[device] : 0;
  return 0;
}
`,
  );
}
