import type { Interaction } from "./interaction.ts";
import { workspaceOf } from "../runtime/session-options.ts";
import { PRECISIONS_OF, type Device, type Precision } from "../runtime/device.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { fastestDevice } from "../runtime/trial/fastest.ts";

/** Where work is done, and how exactly. */
export interface Machine {
  readonly device: Device;
  readonly precision: Precision;
}

/** What was asked for; what was not is found. */
export interface WantedMachine {
  readonly threads: number;
  readonly device?: Device | "auto" | undefined;
  readonly precision?: Precision | undefined;
  /** Of a training. */
  readonly memory?: "normal" | "low" | undefined;
}

/**
 * Decides where work is done: where it was asked for, else on a GPU that works and is faster than the processor, which is said.
 * @throws UsageError when the device is not installed, or cannot compute so
 */
export async function chooseMachine(
  { device: wanted = "auto", precision, threads, memory }: WantedMachine,
  interaction: Pick<Interaction, "warn">,
): Promise<Machine> {
  const device = wanted === "auto" ? await fastestDevice({ threads, tell: interaction.warn }) : wanted;
  const able: readonly Precision[] = PRECISIONS_OF[device];
  if (precision !== undefined && !able.includes(precision))
    throw new UsageError(
      say`${setting("precision", precision)}: ${setting("device", device)} computes in ${able.join(" or ")}`,
    );
  const machine = { device, precision: precision ?? able[0] };
  // the processor is always there; of the others, loading the engines takes as long as most checks of a command
  if (device !== "cpu") {
    const { BACKENDS } = await import("../runtime/backends/index.ts");
    BACKENDS[device].check({ precision: machine.precision, workspace: workspaceOf(memory) });
  }
  return machine;
}
