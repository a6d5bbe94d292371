import { openOpenvino } from "../library.ts";

/** Whether tests can use OpenVINO; where they cannot, it says why they are skipped. */
export function isOpenvinoHere(): boolean {
  const { api, ...why } = openOpenvino();
  if ("reason" in why) process.stderr.write(`skipped: ${why.reason}\n`);
  return api !== undefined;
}
