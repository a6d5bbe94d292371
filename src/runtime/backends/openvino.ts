import { CPU_DIALECT } from "../../graph/dialect.ts";
import { UsageError } from "../../system/errors.ts";
import { once } from "../../system/once.ts";
import { say, setting } from "../../system/message.ts";
import type { Precision } from "../device.ts";
import type { OpenvinoApi } from "../openvino/api.ts";
import { cacheFolder, trimCache } from "../openvino/cache.ts";
import { openOpenvino } from "../openvino/library.ts";
import { processorOf, type Processor } from "../openvino/processor.ts";
import { openSession } from "../openvino/session.ts";
import { HOST_MEMORY, type Backend } from "./backend.ts";

/** Models with more in them than nodes, which are weights: compiled, they would fill the cache. */
const MOST_CACHED_BYTES = 16e6;

/** The processor, by OpenVINO where it is installed: graphs work on the host's own arrays. */
export const openvino: Backend = {
  dialect: CPU_DIALECT,
  memory: HOST_MEMORY,
  version: () => `openvino ${opened().api.version}`,
  check({ precision, workspace }) {
    checkPrecision(precision);
    if (workspace === "returned")
      throw new UsageError(
        say`${setting("memory", "low")}: with ${setting("device", "openvino")} it takes more memory, not less, for each of its graphs keeps its own; ${setting("device", "cpu")} does it`,
      );
  },
  async open(model, { threads, precision: wanted }) {
    const precision = checkPrecision(wanted);
    const { api, processor } = opened();
    const cache =
      model.byteLength > MOST_CACHED_BYTES
        ? undefined
        : await cacheFolder({
            version: api.version,
            precision,
            processor: [processor.name, ...processor.capabilities].join(" "),
          });
    const session = await openSession(api, model, { threads, precision, cache });
    if (cache !== undefined) await trimCache();
    return session;
  },
};

const opened = once((): { readonly api: OpenvinoApi; readonly processor: Processor } => {
  const { api, ...why } = openOpenvino();
  if (api !== undefined) return { api, processor: processorOf(api) };
  const reason = "reason" in why ? why.reason : "";
  throw new UsageError(
    say`${setting("device", "openvino")}: ${reason}; RPO_OPENVINO names a folder that has it, ${setting("device", "cpu")} works everywhere`,
  );
});

/** @throws UsageError where there is no OpenVINO, or no processor for it */
function checkPrecision(precision: Precision = "float32"): "float32" | "bfloat16" {
  const { name, capabilities } = opened().processor;
  if (precision !== "bfloat16") return "float32";
  if (capabilities.includes("BF16")) return precision;
  throw new UsageError(
    say`${setting("precision", precision)}: this processor (${name}) does not compute in it, as those with AMX or AVX512_BF16 do; ${setting("precision", "float32")} works everywhere`,
  );
}
