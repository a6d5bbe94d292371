import type { EngineReport } from "./engine.ts";
import { saidBy } from "../system/said-by.ts";

/** A program by itself, as `engine-probe.ts` is, which prints what OpenVINO is here: it is loaded from wherever somebody has put it. */

const { openOpenvino } = await import("../runtime/openvino/library.ts");
const { processorOf } = await import("../runtime/openvino/processor.ts");

function look(): EngineReport["openvino"] {
  const { api, ...why } = openOpenvino();
  if (api === undefined) return { error: "reason" in why ? why.reason : "" };
  return { version: api.version, bfloat16: processorOf(api).capabilities.includes("BF16") };
}

function withoutFailing(): EngineReport["openvino"] {
  try {
    return look();
  } catch (error) {
    return { error: saidBy(error).split("\n")[0] };
  }
}

process.stdout.write(JSON.stringify(withoutFailing()));
