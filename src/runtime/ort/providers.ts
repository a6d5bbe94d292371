import { ffi, POINTER_BYTES } from "../../system/native.ts";
import type { Ort } from "./api.ts";

/** What the library can run graphs on as it is built: "cpu", "webgpu"; a driver may still be missing. */
export function providersOf(ort: Ort): string[] {
  const [list, count] = [new BigUint64Array(1), new Int32Array(1)];
  ort.call("GetAvailableProviders", list, count);
  const names = Array.from({ length: count[0] }, (_, i) => {
    const name = ffi().decode(list[0] + BigInt(i * POINTER_BYTES), "const char *") as string;
    return name.replace(/ExecutionProvider$/, "").toLowerCase();
  });
  ort.call("ReleaseAvailableProviders", list[0], count[0]);
  return names.toReversed(); // it begins with the most special
}
