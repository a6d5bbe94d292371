import { basename } from "node:path";
import { rowsOf } from "../settings/rows.ts";
import { TRAIN } from "../settings/train.ts";
import { bytesText } from "../system/bytes-text.ts";
import { printable } from "../system/printable.ts";
import { bucketText } from "../images/buckets.ts";
import type { TrainPlan } from "../training/plan.ts";
import { duration } from "./progress.ts";

/** What `rpo train --dry-run` prints: one screen or two, in groups. */
export function describePlan({
  settings,
  files,
  buckets,
  prompts,
  inputs,
  trained,
  cost,
  ...pictures
}: TrainPlan): string {
  const validations = cost.pictures - pictures.startingPictures - pictures.roundPictures;
  const isLora = settings.adapter === "lora";
  const checkpoint = 4 * trained.numbers;
  const groups: [string, readonly (readonly [string, string])[]][] = [
    ...[...rowsOf(TRAIN, settings)].map(([group, rows]): [string, (readonly [string, string])[]] => [
      group,
      rows.map(([label, value]) => [label, String(value)]),
    ]),
    ["Files", files.map(({ path, bytes }) => [bytesText(bytes), path])],
    ["Buckets of the photos", buckets.map(({ photo, ...bucket }) => [photo, bucketText(bucket)])],
    ["Training prompts", prompts.training.map((text) => ["", text])],
    ["Validation prompts", prompts.validation.map((text) => ["", text])],
    ["A step is fed", inputs.map(({ name, shape }) => [name, shape.length === 0 ? "a number" : shape.join(" x ")])],
    [
      "Cost",
      [
        ["trains", `${trained.numbers.toLocaleString("en")} numbers in ${trained.tensors} tensors`],
        ["steps", `${cost.steps} of ${cost.secondsPerStep.toFixed(2)} s`],
        [
          "pictures",
          `${cost.pictures}: ${pictures.startingPictures} of the starting model, ${pictures.roundPictures} in rounds, ${validations} in validations`,
        ],
        ["time", `at most ${duration(cost.seconds)}`],
        ["memory", `about ${bytesText(cost.peakBytes)}, so far`],
        ["disk", `${bytesText(checkpoint)} a checkpoint, ${bytesText((isLora ? 6 : 3) * checkpoint)} for resuming`],
        ["folder", settings.output],
      ],
    ],
  ];
  const lines = groups
    .filter(([, rows]) => rows.length > 0)
    .flatMap(([group, rows]) => {
      const width = Math.max(...rows.map(([label]) => label.length));
      return [
        group,
        ...rows.map(([label, value]) => `  ${label.padEnd(width)}${width > 0 ? "  " : ""}${printable(value)}`),
        "",
      ];
    });
  return `${lines.join("\n")}\nNothing was trained or written. Without --dry-run this begins in ${basename(settings.output)}.\n`;
}
