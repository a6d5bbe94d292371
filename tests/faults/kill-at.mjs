// Kills the process at its n-th change of a folder, to try what is left of it:
//
//     RPO_KILL_UNDER=FOLDER RPO_KILL_LIST=ops.jsonl          node --import ./tests/faults/kill-at.mjs dist/cli/main.js ...
//     RPO_KILL_UNDER=FOLDER RPO_KILL_AT=7 RPO_KILL_WHEN=half node --import ./tests/faults/kill-at.mjs dist/cli/main.js ...
//
// RPO_KILL_UNDER  only operations on paths in this folder count (both paths of a rename or link are looked at); default: all
// RPO_KILL_LIST   a file that gets a line of JSON for each operation that begins: its number, name, path, thread, and whether it has a half
// RPO_KILL_AT     the operation to die at, from 1; absent: none
// RPO_KILL_WHEN   before it (default), "after" it, or at its "half": half of the bytes are written, half of a folder's entries are removed,
//                 a folder's parents are made. An operation that has no half is not begun.
//
// Only what changes a disk counts, for a kill before a read leaves what a kill before the next change leaves. Seen are node:fs/promises with
// its file handles, and the synchronous functions of node:fs; not the functions with callbacks, streams, or native code.
// All threads of a process count together (workers inherit --import and share the counter); child processes that inherit NODE_OPTIONS
// count for themselves.
import fs from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";
import { getEnvironmentData, setEnvironmentData, threadId } from "node:worker_threads";

const under = process.env.RPO_KILL_UNDER === undefined ? undefined : resolve(process.env.RPO_KILL_UNDER);
const list = process.env.RPO_KILL_LIST;
const killAt = Number(process.env.RPO_KILL_AT ?? Infinity);
const when = process.env.RPO_KILL_WHEN ?? "before";
if (Number.isNaN(killAt) || !["before", "half", "after"].includes(when))
  throw new Error(
    `RPO_KILL_AT=${process.env.RPO_KILL_AT} RPO_KILL_WHEN=${when}: expected a number; before, half or after`,
  );

const COUNTER = "rpo-kill-at";
if (getEnvironmentData(COUNTER) === undefined) setEnvironmentData(COUNTER, new SharedArrayBuffer(4));
const counter = new Int32Array(getEnvironmentData(COUNTER));

const real = { ...fs };
/** Where open files are: by number, and by handle. */
const pathOfNumber = new Map();
const pathOfHandle = new WeakMap();

function die() {
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Whether a counted function is being called, whose own calls are a part of it. */
let inside = false;
function uncounted(call) {
  const outer = inside;
  inside = true;
  try {
    return call();
  } finally {
    inside = outer;
  }
}

/** A path, URL, Buffer, file's number or handle as an absolute path. */
function pathOf(place) {
  if (typeof place === "number") return pathOfNumber.get(place);
  if (pathOfHandle.has(place)) return pathOfHandle.get(place);
  if (place instanceof URL) return fileURLToPath(place);
  return typeof place === "string" || place instanceof Uint8Array ? resolve(String(place)) : undefined;
}

function counts(paths) {
  return paths.some(
    (path) => path !== undefined && (under === undefined || path === under || path.startsWith(under + sep)),
  );
}

/** Puts a counting function in the place of another. `half` is synchronous: nothing comes after it. */
function patch(object, name, { paths = (args) => [args[0]], half, isChange = () => true, then = (result) => result }) {
  const call = object[name];
  object[name] = function (...args) {
    const run = () => uncounted(() => then(call.apply(this, args), ...args));
    const touched = paths.call(this, args).map(pathOf);
    if (inside || !isChange(...args) || !counts(touched)) return run();
    const n = Atomics.add(counter, 0, 1) + 1;
    const [path, to] = touched;
    const line = JSON.stringify({ n, name, path, to, half: half !== undefined, thread: threadId });
    if (list !== undefined) uncounted(() => real.appendFileSync(list, `${line}\n`));
    if (n !== killAt) return run();
    if (when === "before") die();
    if (when === "half") {
      uncounted(() => half?.apply(this, args));
      die();
    }
    const result = run();
    if (!(result instanceof Promise)) die();
    return result.finally(die);
  };
}

const bytesOf = (data) => (typeof data === "string" ? Buffer.from(data) : data);

/** write(bytes, offset, length, position), write(bytes, { offset, length, position }), write(text, position) */
function writeHalf(file, data, second, third, position) {
  const bytes = bytesOf(data);
  const at =
    typeof data === "string"
      ? { position: second }
      : typeof second === "object" && second !== null
        ? second
        : { offset: second, length: third, position };
  const { offset = 0, length = bytes.byteLength - offset } = at;
  real.writeSync(file, bytes, offset, Math.floor(length / 2), at.position ?? null);
}

function writeHalfFile(flags, place, data, options) {
  const flag = (typeof options === "object" ? options?.flag : undefined) ?? flags;
  const open = typeof place === "number" || pathOfHandle.has(place);
  const file = open ? (place.fd ?? place) : real.openSync(place, flag);
  const bytes = bytesOf(data);
  if (!(bytes instanceof Uint8Array)) return; // from a stream: nothing has come
  real.writeSync(file, bytes, 0, Math.floor(bytes.byteLength / 2));
}

function copyHalf(from, to) {
  const bytes = real.readFileSync(from);
  real.writeFileSync(to, bytes.subarray(0, Math.floor(bytes.byteLength / 2)));
}

function removeHalf(path) {
  if (!real.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const names = real.readdirSync(path).sort();
  for (const name of names.slice(0, Math.ceil(names.length / 2))) real.rmSync(join(path, name), { recursive: true });
}

function makeHalf(path, options) {
  if (options?.recursive === true) real.mkdirSync(dirname(path), { recursive: true });
}

/** Whether opening makes or empties a file. */
const opensForWriting = (path, flags = "r") =>
  typeof flags === "number" ? (flags & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0 : /[wa]/.test(flags);

const both = { paths: ([from, to]) => [from, to] };
const changes = {
  mkdir: { half: makeHalf },
  mkdtemp: {},
  writeFile: { half: (...args) => writeHalfFile("w", ...args) },
  appendFile: { half: (...args) => writeHalfFile("a", ...args) },
  copyFile: { paths: ([, to]) => [to], half: copyHalf },
  cp: { paths: ([, to]) => [to] },
  rename: both,
  link: both,
  symlink: { paths: ([, path]) => [path] },
  unlink: {},
  rm: { half: removeHalf },
  rmdir: {},
  truncate: {},
  utimes: {},
  chmod: {},
};
for (const [name, change] of Object.entries(changes)) {
  patch(fs.promises, name, change);
  patch(fs, `${name}Sync`, change);
}
patch(fs.promises, "open", {
  isChange: opensForWriting,
  then: async (opening, path) => {
    const handle = await opening;
    pathOfHandle.set(handle, pathOf(path));
    return handle;
  },
});
patch(fs, "openSync", {
  isChange: opensForWriting,
  then: (file, path) => {
    pathOfNumber.set(file, pathOf(path));
    return file;
  },
});
patch(fs, "writeSync", { half: writeHalf });
patch(fs, "ftruncateSync", {});
patch(fs, "fsyncSync", {});

const handle = await fs.promises.open(fileURLToPath(import.meta.url));
const FileHandle = Object.getPrototypeOf(handle);
await handle.close();
function ofHandle(half) {
  return {
    paths() {
      return [this];
    },
    ...(half && {
      half(...args) {
        half(this.fd, ...args);
      },
    }),
  };
}
patch(FileHandle, "write", ofHandle(writeHalf));
patch(
  FileHandle,
  "writev",
  ofHandle((file, buffers, position) => writeHalf(file, Buffer.concat(buffers), { position })),
);
patch(
  FileHandle,
  "writeFile",
  ofHandle((file, data) => writeHalf(file, data)),
);
patch(
  FileHandle,
  "appendFile",
  ofHandle((file, data) => writeHalf(file, data)),
);
for (const name of ["truncate", "sync", "datasync", "utimes", "chmod"]) patch(FileHandle, name, ofHandle());

syncBuiltinESMExports();
