import { oneLine } from "../system/printable.ts";
import { sep } from "node:path";
import { unreadNote } from "../images/folder.ts";
import { PRODIGY_LEARNING_RATE } from "../settings/optimizer.ts";
import { subjectNames, subjectsOf } from "../settings/subjects.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { say, setting } from "../system/message.ts";
import type { Message } from "../system/named-setting.ts";
import { droppedNote } from "../text/parts.ts";
import { classNotes, oddityNotes, withoutTokenNote } from "../text/prompt-notes.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Cutting } from "./cutting.ts";
import { isLive } from "./live-words.ts";
import { photoNotes } from "./photo-notes.ts";
import type { Photo } from "./photos.ts";
import { plainPrompts, type RunPrompts } from "./prompts.ts";

/** What people should know before a new run begins, and nothing stops it: lines for a warning each. */
export async function startingNotes(
  settings: Pick<
    TrainSettings,
    | "images"
    | "resolution"
    | "token"
    | "class"
    | "subject"
    | "prompts"
    | "model"
    | "captions"
    | "optimizer"
    | "learningRate"
    | "concepts"
  >,
  {
    pictures,
    prompts,
    captions,
    cutting,
  }: {
    readonly pictures: readonly Photo[];
    readonly prompts: RunPrompts;
    /** What the model reads of those that are beside photos. */
    readonly captions: readonly string[];
    readonly cutting: Cutting;
  },
  reward: Tokenizer,
): Promise<Message[]> {
  const plain = plainPrompts(prompts);
  const all = [...plain, ...prompts.training, ...prompts.validation];
  const textsOf = (i: number) => all.flatMap(({ text, subject = 0 }) => (subject === i ? text : []));
  const subjects = subjectsOf(settings);
  /** Of each subject, by its name where there are several. */
  const ofEach = (notesOf: (own: (typeof subjects)[number], subject: number) => readonly (Message | undefined)[]) =>
    subjects.flatMap((own, i) =>
      notesOf(own, i).map((note) =>
        note === undefined || subjects.length === 1 ? note : say`${subjectNames([own])}: ${note}`,
      ),
    );
  const unread: (Message | undefined)[] = [];
  for (const { images, captions: use } of subjects)
    unread.push(
      await unreadNote(images, { captions: use !== "off", hint: say`${setting("captions", "auto")} reads them` }),
    );
  const notes = [
    ...ofEach((own) => [
      hasDefaultPrompts(own) ? defaultPromptsNote(own) : subjects.length > 1 ? undefined : idleSubjectNote(own),
    ]),
    ...unread,
    rateNote(settings),
    ...ofEach((_, i) =>
      photoNotes(
        pictures.filter(({ subject }) => subject === i),
        { resolution: settings.resolution, cutting },
      ),
    ),
    ...ofEach(({ token, class: className }, i) => classNotes({ token, class: className, prompt: plain[i].text })),
    ...ofEach(({ token }, i) => [withoutTokenNote(textsOf(i), token)]),
    ...ofEach(({ token }, i) => oddityNotes([...textsOf(i), ...captions], { token, isFilled: true })),
    droppedNote(
      reward,
      all.map(({ rewardText }) => rewardText),
      "the reward",
    ),
  ];
  return notes.filter((note) => note !== undefined);
}

/** Whether nobody gave prompts: they are the authors', or came with the model. */
function hasDefaultPrompts({ prompts, model }: Pick<TrainSettings, "prompts" | "model">): boolean {
  return prompts === undefined || prompts.startsWith(model + sep);
}

/** Prodigy's rate is what it finds. */
function rateNote({ optimizer, learningRate }: Pick<TrainSettings, "optimizer" | "learningRate">): Message | undefined {
  return optimizer !== "prodigy" || learningRate === PRODIGY_LEARNING_RATE
    ? undefined
    : say`${setting("lr", learningRate)}: Prodigy finds the rate by itself and is meant for ${PRODIGY_LEARNING_RATE}; ${setting("dCoef")} is how it is told to learn more or less`;
}

/** The kind of subject decides on the default prompts alone. */
function idleSubjectNote({ subject }: Pick<TrainSettings, "subject">): Message | undefined {
  return subject === undefined
    ? undefined
    : say`${setting("subject", subject)} changes nothing: it chooses between the default prompts, and you gave your own`;
}

/** Which prompts the subject got, where nobody gave any and nobody said what kind of subject it is. */
function defaultPromptsNote({
  class: name,
  subject,
  concepts,
}: Pick<TrainSettings, "class" | "subject" | "concepts">): Message | undefined {
  if (subject !== undefined) return undefined;
  const [is, other] = isLive(name) ? ["a living subject", "object"] : ["an object", "live"];
  const choice =
    concepts === undefined ? say`${setting("subject", other)}` : say`"subject": "${other}" in ${setting("concepts")}`;
  return say`"${oneLine(name, 60)}" gets the default prompts for ${is}; with ${choice} it gets the others`;
}
