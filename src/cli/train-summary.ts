import { readEvents } from "../runs/folder.ts";
import { rewardOf } from "../reward/choice.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import type { TrainResult } from "../training/train.ts";

/** Says on stderr how a training ended, and what to do next. */
export async function summarize({ output }: TrainRequest, { reason, step, best }: TrainResult): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  if (reason === "declined") {
    say("nothing was done");
    return;
  }
  if (reason === "interrupted") {
    say(`stopped at step ${step}; go on with: rpo train --resume --output ${output}`);
    return;
  }
  if (reason === "finished-before") say(`the run in ${output} is finished already`);
  else
    say(reason === "patience" ? `stopped at step ${step}: the reward no longer rises` : `all ${step} steps are done`);
  if (best !== undefined) {
    const start = await startingReward(output, best.lambda);
    const gain =
      start === undefined || best.step === 0 ? "" : ` (${signed(best.reward - start)} against the starting model)`;
    const name = best.step === 0 ? "the starting model" : `step ${best.step}`;
    say(`best at lambda ${best.lambda}: ${name}, reward ${best.reward.toFixed(3)}${gain}`);
  }
  say(`draw with it:  rpo generate --adapter ${output} --prompt "..." --output pictures`);
  say(`other lambda:  rpo select ${output} --lambda 0.3`);
}

/** The reward at step 0. */
async function startingReward(run: string, lambda: number): Promise<number | undefined> {
  for (const event of await readEvents(run))
    if (event.type === "validation" && event.step === 0) return rewardOf(event.images, lambda).mean;
  return undefined;
}

function signed(x: number): string {
  return `${x < 0 ? "-" : "+"}${Math.abs(x).toFixed(3)}`;
}
