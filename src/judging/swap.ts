import type { LayerUpdate } from "../checkpoints/lora-files/updates.ts";
import { mergeUpdates } from "../checkpoints/lora-files/merge.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Weight } from "../tensor/tensor.ts";

/** A model's weights as graphs read them, changed in place and changed back: what is compiled stays, and so does what is loaded. */
export interface Swap {
  /** The starting weights with updates in them; none: the starting weights. */
  update(updates: readonly LayerUpdate[]): Promise<void>;
  /** Other weights altogether. @param load reads them */
  replace(load: () => Promise<ReadonlyMap<string, Weight>>): Promise<void>;
  /** How often the starting weights were read. */
  readonly loads: number;
}

/**
 * @param weights the starting weights, which graphs were compiled with
 * @param reload reads them again, after they were replaced
 */
export function createSwap(
  weights: ReadonlyMap<string, Weight>,
  reload: () => Promise<ReadonlyMap<string, Weight>>,
  session: SessionOptions,
): Swap {
  const { memory } = BACKENDS[session.device ?? "cpu"];
  /** Copies of the starting weights that are changed, or were before: the layers of a LoRA, which are the same in all of a training's. */
  let starting = new Map<string, Weight>();
  let isReplaced = false;
  let loads = 1;
  const put = async (changed: ReadonlyMap<string, Weight>): Promise<void> => {
    const touched: Weight[] = [];
    for (const [name, value] of changed) {
      const weight = weights.get(name);
      if (weight === undefined) throw new Error(`no weight ${name} to change`);
      weight.data.set(value.data);
      touched.push(weight);
    }
    await memory.send(touched);
  };
  return {
    get loads() {
      return loads;
    },
    async update(updates) {
      if (isReplaced) {
        await put(await reload());
        loads++;
        isReplaced = false;
      }
      const base = new Map([...weights, ...starting]);
      const merged = await mergeUpdates(base, updates, 1, session);
      const changed = new Map([...merged].filter(([name, weight]) => weight !== base.get(name)));
      for (const name of changed.keys()) {
        const weight = weights.get(name);
        if (weight !== undefined && !starting.has(name)) starting.set(name, copyOf(weight));
      }
      await put(new Map([...starting, ...changed]));
    },
    async replace(load) {
      starting = new Map();
      isReplaced = true;
      await put(await load());
    },
  };
}

function copyOf(weight: Weight): Weight {
  return weight.dtype === "float16"
    ? { ...weight, data: weight.data.slice() }
    : { ...weight, data: weight.data.slice() };
}
