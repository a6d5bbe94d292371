import { between, text, whole } from "./kinds.ts";
import type { SettingsTable, Values } from "./setting.ts";

/** Settings of the methods that go on learning the starting model's own pictures of the class: the same in all of them. */
export const PRIOR = {
  /** As diffusers' script of DreamBooth has it. */
  classPictures: {
    ...whole([1, 1000]),
    default: 100,
    takes: "<n>",
    group: "Prior",
    help: "pictures of the class that the starting model draws",
    row: { label: "class pictures" },
  },
  /** Absent: the starting model draws them. */
  classFolder: {
    ...text,
    absent: "none",
    isUsers: true,
    isPlace: true,
    inBench: "decided",
    takes: "<folder>",
    defaultText: "they are drawn",
    group: "Prior",
    help: "pictures of the class to take instead, photos of other dogs for a dog",
    row: { label: "class pictures from" },
  },
  priorWeight: {
    ...between(0, 1000),
    default: 1,
    takes: "<x>",
    group: "Prior",
    help: "how much the loss on them counts; 0 trains on the photos alone",
    row: { label: "weight" },
  },
} as const satisfies SettingsTable;

/** What class pictures are to a run, for its report. */
export function classPicturesShown({ classFolder, concepts }: Values): {
  readonly title: string;
  readonly text: string;
} {
  if (concepts !== undefined)
    return {
      title: "Class pictures",
      text: "Pictures of each subject's class, the starting model's or given ones. Every step trains on one of them beside a photo, so that the model keeps what it knew of the classes.",
    };
  const [whose, end] =
    classFolder === undefined
      ? ["The starting model's pictures", "so that the model keeps drawing the class as it did"]
      : ["Given pictures", "so that the model goes on knowing others of the class"];
  return {
    title: "Class pictures",
    text: `${whose} of the class. Every step trains on one of them beside a photo, ${end}.`,
  };
}
