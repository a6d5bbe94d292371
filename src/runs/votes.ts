import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { exists, readJson, writeJson } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import { parseAs } from "../system/json.ts";
import { createTurnsOfEach } from "../system/turns.ts";
import { stepNumber } from "./event-fields.ts";

/**
 * votes.json: what somebody preferred who did not know which step a picture was of. A round for each time of looking; a vote for each prompt
 * and noise, the step whose picture was liked best among the round's candidates, or null for none.
 */
export const VOTES_FILE = "votes.json";

/** More than anybody casts. */
const MOST_ROUNDS = 1000;
const MOST_VOTES = 10_000;

export const roundSchema = z
  .strictObject({
    candidates: z.array(stepNumber).min(2).max(100),
    votes: z
      .array(z.strictObject({ picture: z.int().min(0).max(1_000_000), step: stepNumber.nullable() }))
      .min(1)
      .max(MOST_VOTES),
  })
  .refine(
    ({ candidates, votes }) => votes.every(({ step }) => step === null || candidates.includes(step)),
    "a vote for a step that was not shown",
  );

const fileSchema = z.object({
  rounds: z.array(z.object({ time: z.iso.datetime(), ...roundSchema.shape })).max(MOST_ROUNDS),
});

/** What was seen at one time, by the indices of a validation's pictures. */
export type VoteRound = z.output<typeof roundSchema>;
export type WrittenRound = z.output<typeof fileSchema>["rounds"][number];

/** Empty where nobody voted. @throws UsageError when the file is damaged or leads out of the folder */
export async function readVotes(run: string): Promise<readonly WrittenRound[]> {
  const path = insideOf(run, VOTES_FILE);
  if (path === undefined || !(await exists(path))) return [];
  return parseAs(fileSchema, await readJson(path, UsageError), path, UsageError).rounds;
}

const inTurn = createTurnsOfEach();

/** Adds a round to those that are there; two that are added at once are both kept. */
export function addVotes(run: string, round: VoteRound, now: Date): Promise<void> {
  return inTurn(run, async () => {
    const rounds = await readVotes(run);
    if (rounds.length >= MOST_ROUNDS)
      throw new UsageError(`${join(run, VOTES_FILE)}: holds ${MOST_ROUNDS} rounds already`);
    await writeJson(join(run, VOTES_FILE), { rounds: [...rounds, { time: now.toISOString(), ...round }] });
  });
}

/** How often each step was liked best, the most liked first. */
export function countVotes(rounds: readonly VoteRound[]): { readonly step: number; readonly votes: number }[] {
  const counts = new Map<number, number>();
  for (const { votes } of rounds)
    for (const { step } of votes) if (step !== null) counts.set(step, (counts.get(step) ?? 0) + 1);
  return [...counts].map(([step, votes]) => ({ step, votes })).sort((a, b) => b.votes - a.votes || a.step - b.step);
}
