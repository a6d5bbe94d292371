import { compileTextModel } from "../../diffusion/text-encoding.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { withResources } from "../../runtime/resources.ts";
import { int32, stack, type Float32Tensor, type Tensor } from "../../tensor/tensor.ts";
import { inputOf, promptsOf, SESSION, type Solver } from "./case.ts";

/** Prompts to the first tokenizer's ids. */
export const solveTokenizer: Solver = async (parityCase) => {
  const [{ tokenizer }] = (await openStableDiffusion(parityCase.checkpoint)).textEncoders;
  return new Map(promptsOf(parityCase).map((prompt, i) => [`ids.${i}`, int32(tokenizer.encode(prompt).ids)]));
};

/** Ids to the states that the U-Net reads: "last" of SD's encoder; "penultimate", "penultimate_2" and "pooled" of SDXL's two. */
export const solveText: Solver = async (parityCase) => {
  const ids = inputOf(parityCase, "ids");
  const [count, length] = ids.shape;
  const answers = new Map<string, Tensor>();
  const { textEncoders } = await openStableDiffusion(parityCase.checkpoint);
  for (const [index, encoder] of textEncoders.entries()) {
    const weights = await encoder.load();
    const states: Float32Tensor[] = [];
    const pooled: Float32Tensor[] = [];
    await withResources(async (own) => {
      const model = own(await compileTextModel({ ...encoder, weights }, length, SESSION));
      for (let text = 0; text < count; text++) {
        const embedding = await model.run(Int32Array.from(ids.data.slice(text * length, (text + 1) * length)));
        states.push(embedding.states);
        if (embedding.pooled !== undefined) pooled.push(embedding.pooled);
      }
    });
    answers.set(`${encoder.layer}${index === 0 ? "" : `_${index + 1}`}`, stack(states));
    if (pooled.length > 0) answers.set("pooled", stack(pooled));
  }
  return answers;
};
