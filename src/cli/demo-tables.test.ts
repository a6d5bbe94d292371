import { expect, test } from "vitest";
import type { ExamFile } from "../runs/exam-file.ts";
import { examTable } from "./demo-tables.ts";

const value = (mean: number) => ({ mean, standardError: 0.05 });
const marks = (mean: number) => ({
  identity: value(mean),
  obedience: value(mean),
  colours: value(mean),
  good: value(mean),
});

test("under the models stands what each of RPO's has over the photos alone, with its sign; demos of before have no such rows", () => {
  const models: ExamFile["models"] = [
    { label: "starting model", step: 0, ...marks(0) },
    { label: "photos alone (L_sim)", step: 240, ...marks(0.75) },
    { label: "RPO", step: 160, ...marks(0.5), lessAlone: { ...marks(-0.25), obedience: value(0.25), step: 240 } },
  ];
  const rows = examTable({ pictures: 24, models });
  expect(rows.length).toBe(5);
  expect(rows[4].split(/ {2,}/)).toEqual([
    "RPO less photos alone at 240",
    "160",
    "-.25 ± .05",
    "+.25 ± .05",
    "-.25 ± .05",
    "-.25 ± .05",
  ]);
  expect(examTable({ pictures: 24, models: models.slice(0, 2) }).length).toBe(3);
});
