// @ts-check
// Chooses the checkpoint of a run again, for another lambda: node examples/select.mjs [RUN] [LAMBDA]
// examples/train.mjs makes a run.
import { select, UsageError } from "rpo";

const [run = "runs/example", lambda = "0.3"] = process.argv.slice(2);

try {
  const { step, reward, checkpoint, candidates } = await select({ run, lambda: Number(lambda) });
  for (const each of candidates)
    console.log(`step ${each.step}: ${each.mean.toFixed(4)} ± ${each.standardError.toFixed(4)}`);
  console.log(`lambda ${lambda}: step ${step}, reward ${reward.toFixed(4)}, ${checkpoint ?? "the starting model"}`);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
