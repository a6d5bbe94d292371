import { endInWords } from "../runs/end-words.ts";
import type { RunEvent } from "../runs/events.ts";
import { readEvents } from "../runs/folder.ts";
import type { Chosen } from "../reward/choice.ts";
import { difference, isNothing, isSignificant, LEAST_REWARD, rewardsAt } from "../reward/judged.ts";
import { scaleOfLog } from "../runs/scale.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import type { TrainResult } from "../training/train.ts";

/** Says on stderr how a training ended, and what to do next. */
export async function summarize({ output, steps }: TrainRequest, { reason, step, best }: TrainResult): Promise<void> {
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
  else say(endInWords(reason, step, steps));
  if (best !== undefined) {
    const events = await readEvents(output);
    const start = startingReward(events, best);
    const gain =
      start === undefined || best.step === 0 ? "" : ` (${signed(best.reward - start)} against the starting model)`;
    const name = best.step === 0 ? "the starting model" : `step ${best.step}`;
    say(`best at lambda ${best.lambda}: ${name}, reward ${best.reward.toFixed(3)}${gain}`);
    const last = lastBeside(events, best);
    if (last !== undefined) say(last);
  }
  say(`draw with it:  rpo generate --adapter ${output} --prompt "..." --output pictures`);
  say(`other lambda:  rpo select ${output} --lambda 0.3`);
}

/** The reward at step 0. */
function startingReward(events: readonly RunEvent[], { lambda, form }: Chosen): number | undefined {
  const validations = events.filter((event) => event.type === "validation");
  return rewardsAt(validations.slice(0, 1), lambda, scaleOfLog(form, events)).at(0);
}

/** What is to be said of the last checkpoint where another one was chosen; undefined where it is the chosen one. */
export function lastBeside(events: readonly RunEvent[], { step, lambda, form }: Chosen): string | undefined {
  const validations = events.filter((event) => event.type === "validation");
  const chosen = validations.findIndex((validation) => validation.step === step);
  const last = validations.length - 1;
  if (chosen < 0 || chosen === last) return undefined;
  const lead = difference(validations, [chosen, last], lambda, scaleOfLog(form, events));
  if (isNothing(lead)) return `the last, step ${validations[last].step}, is as good: less than ${LEAST_REWARD} behind`;
  const sure = isSignificant(lead) ? "more than chance" : "which may be chance: look at both";
  return `that is ${lead.mean.toFixed(3)} ± ${lead.standardError.toFixed(3)} better than the last, step ${validations[last].step}, ${sure}`;
}

function signed(x: number): string {
  return `${x < 0 ? "-" : "+"}${Math.abs(x).toFixed(3)}`;
}
