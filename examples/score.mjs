// @ts-check
// Scores the photos of a dog as pictures of that dog, and of a teapot as the same: node examples/score.mjs
import { fileURLToPath } from "node:url";
import { loadReward } from "rpo";

const subjects = fileURLToPath(new URL("../models/tiny/subjects", import.meta.url));

const reward = await loadReward({ model: "tiny" });
try {
  const scores = await reward.score({
    references: `${subjects}/dog`,
    pictures: [`${subjects}/dog/01.png`, `${subjects}/teapot/01.png`],
    prompts: "a photo of a dog",
    lambda: 0.5,
  });
  for (const [i, name] of ["the dog", "the teapot"].entries()) {
    const score = scores[i];
    console.log(
      `${name}: reward ${score.reward.toFixed(3)}, ALIGN-I ${score.alignI.toFixed(3)}, ALIGN-T ${score.alignT.toFixed(3)}`,
    );
  }
} finally {
  await reward.release();
}
