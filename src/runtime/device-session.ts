import type { Float32Tensor, Tensor } from "../tensor/tensor.ts";
import { copyOf, hold, letGo, replaceCopy } from "./device-copies.ts";
import type { Device } from "./device.ts";
import { openSource } from "./device-source.ts";
import { fromOrt, toOrt, type GraphOptions } from "./ort.ts";
import type { Runner } from "./runner.ts";

/**
 * A session on another device than the CPU. Weights are held there; inputs that somebody holds are read there, others are sent with
 * the run; outputs come back but for those that stay.
 */
export async function openOnDevice(
  model: Uint8Array,
  weights: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
  options: GraphOptions & { readonly device: Device },
): Promise<Runner> {
  const { onDevice = [] } = options;
  const stays = new Set(onDevice);
  const held = Object.values(weights);
  await hold(held, options.device);
  const source = await openSource(model, { ...options, onDevice }).catch((error: unknown) => {
    letGo(held);
    throw error;
  });
  return {
    async run(feeds, into) {
      const given = Object.fromEntries(
        Object.entries({ ...weights, ...feeds }).map(([name, tensor]) => [name, copyOf(tensor) ?? toOrt(tensor)]),
      );
      const computed = await source.run(given);
      const results: Record<string, Tensor> = {};
      for (const name of outputs) {
        const buffer = into[name];
        if (!stays.has(name)) results[name] = receive(fromOrt(computed[name]), buffer);
        else if (buffer?.dtype === "float32") replaceCopy((results[name] = buffer), { tensor: computed[name], source });
        else throw new Error(`output ${name} stays on the device, but no buffer was given for it`);
      }
      return results;
    },
    async release() {
      letGo(held);
      await source.release();
    },
  };
}

function receive(result: Tensor, buffer: Tensor | undefined): Tensor {
  if (buffer === undefined) return result;
  (buffer as Float32Tensor).data.set(result.data);
  return buffer;
}
