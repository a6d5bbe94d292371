import { expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { toHalf } from "../tensor/half.ts";
import { float32, int32, sizeOf, zeros, type Tensor } from "../tensor/tensor.ts";
import { loadHalved, loadParameters, type LoadOptions } from "./parameters.ts";
import type { Weights } from "./weights.ts";

function weightsOf(tensors: Record<string, Tensor>): Weights {
  const map = new Map(Object.entries(tensors));
  return {
    folder: "vae",
    names: [...map.keys()],
    files: [],
    shapeOf: (name) => map.get(name)?.shape,
    read: (name) => Promise.resolve(map.get(name) ?? zeros([0])),
    readHalf: (name) => {
      const tensor = map.get(name);
      return Promise.resolve(toHalf(tensor?.dtype === "float32" ? tensor : zeros([0])));
    },
  };
}

/** What was loaded, as plain values, and the warnings. */
async function load(tensors: Record<string, Tensor>, expected: Record<string, number[]>, options: LoadOptions = {}) {
  const warnings: string[] = [];
  const wanted = Object.entries(expected).map(([name, shape]) => ({ name, shape }));
  const loaded = await loadParameters(weightsOf(tensors), wanted, { warn: (line) => warnings.push(line), ...options });
  return { loaded, warnings };
}
const counting = (...shape: number[]) =>
  float32(
    Array.from({ length: sizeOf(shape) }, (_, i) => i),
    shape,
  );

test("legacy names and 1x1 kernels of a VAE's attention become matrices", async () => {
  const path = "decoder.mid_block.attentions.0";
  const { loaded, warnings } = await load(
    {
      [`${path}.query.weight`]: counting(2, 2, 1, 1),
      [`${path}.key.bias`]: counting(2),
      [`${path}.value.weight`]: counting(2, 2),
      [`${path}.proj_attn.weight`]: counting(2, 2),
    },
    {
      [`${path}.to_q.weight`]: [2, 2],
      [`${path}.to_k.bias`]: [2],
      [`${path}.to_v.weight`]: [2, 2],
      [`${path}.to_out.0.weight`]: [2, 2],
    },
  );
  expect(loaded.get(`${path}.to_q.weight`)).toEqual(counting(2, 2));
  expect([...loaded.keys()]).toHaveLength(4);
  expect(warnings).toEqual([]);
});

test("names of other models that look legacy are left alone", async () => {
  const name = "encoder.layer.0.attention.attention.query.weight";
  const { loaded } = await load({ [name]: counting(2, 2) }, { [name]: [2, 2] });
  expect(loaded.get(name)).toEqual(counting(2, 2));
});

test("a matrix passes for a 1x1 convolution's kernel, not for another shape of the same size", async () => {
  const { loaded } = await load({ "proj_in.weight": counting(2, 3) }, { "proj_in.weight": [2, 3, 1, 1] });
  expect(loaded.get("proj_in.weight")).toEqual(counting(2, 3, 1, 1));
  await expect(load({ w: counting(2, 3) }, { w: [3, 2] })).rejects.toThrow(
    new ModelError("vae: 1 tensor of a shape that config.json does not imply: w has shape [2, 3], expected [3, 2]"),
  );
});

test("the prefix text_model. may be there or not", async () => {
  const with_ = await load({ "text_model.final_layer_norm.bias": counting(2) }, { "final_layer_norm.bias": [2] });
  expect(with_.loaded.get("final_layer_norm.bias")).toEqual(counting(2));
  const without = await load({ "final_layer_norm.bias": counting(2) }, { "text_model.final_layer_norm.bias": [2] });
  expect(without.loaded.get("text_model.final_layer_norm.bias")).toEqual(counting(2));
  expect([...with_.warnings, ...without.warnings]).toEqual([]);
});

test("missing tensors are named, the first few and how many", async () => {
  const names = Array.from({ length: 15 }, (_, i) => String.fromCharCode(97 + i));
  const expected = Object.fromEntries(names.map((name) => [name, [1]]));
  const held = (found: readonly string[], size = 1) => Object.fromEntries(found.map((name) => [name, counting(size)]));
  await expect(load(held(["b", ...names.slice(6)]), expected)).rejects.toThrow(
    new ModelError("vae: 5 tensors missing: a, c, d, e, ..."),
  );
  await expect(load(held(names.slice(10), 2), expected)).rejects.toThrow(
    new ModelError(
      "vae: 10 tensors missing: a, ...; 5 tensors of a shape that config.json does not imply: k has shape [2], expected [1], ...; are these weights of another model?",
    ),
  );
});

test("surplus tensors are one warning, but counters and what the caller ignores", async () => {
  const { warnings } = await load(
    {
      w: counting(1),
      "text_model.embeddings.position_ids": int32([0, 1]),
      "bn.num_batches_tracked": int32([3], []),
      logit_scale: counting(),
      extra: counting(1),
    },
    { w: [1] },
    { ignore: [/^logit_scale$/] },
  );
  expect(warnings).toEqual(["vae: 2 tensors not used: text_model.embeddings.position_ids, extra"]);
});

test("the caller may rename and drop tensors", async () => {
  const rename = (name: string) => (name.startsWith("ema.") ? name.slice(4) : undefined);
  const { loaded, warnings } = await load({ "ema.w": counting(1), w: counting(2) }, { w: [1] }, { rename });
  expect(loaded.get("w")).toEqual(counting(1));
  expect(warnings).toEqual(["vae: 1 tensor not used: w"]);
});

test("integers where numbers belong are an error", async () => {
  await expect(load({ w: int32([1]) }, { w: [1] })).rejects.toThrow("w holds integers");
});

test("matrices and kernels are kept in half precision where that is wanted, what is small in float32", async () => {
  const weights = weightsOf({ "a.weight": counting(2, 2), "a.bias": counting(2), "b.weight": counting(2, 2, 1, 1) });
  const expected = [
    { name: "a.weight", shape: [2, 2] },
    { name: "a.bias", shape: [2] },
    { name: "b.weight", shape: [2, 2] },
  ];
  const loaded = await loadHalved(weights, expected);
  expect([...loaded.values()]).toEqual([toHalf(counting(2, 2)), counting(2), toHalf(counting(2, 2))]);
});

test("a number that float16 cannot hold is refused by name", async () => {
  const weights = weightsOf({ w: float32([65504, 65536], [1, 2]) });
  await expect(loadHalved(weights, [{ name: "w", shape: [1, 2] }])).rejects.toThrow(
    "vae: w holds numbers above 65504, which float16 cannot",
  );
});
