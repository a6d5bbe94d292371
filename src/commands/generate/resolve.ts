import { z } from "zod";
import { fields } from "../options.ts";

const { integer } = fields;

/** How pictures are drawn. */
export const drawingFields = {
  negative: z.string("expected text").optional(),
  seed: integer(0).default(0),
  sampler: fields.sampler.default("dpm"),
  steps: integer(1, 1000).default(20),
  /** Default: the found model's. */
  guidance: fields.guidance.optional(),
  height: integer(8, 4096).optional(),
  width: integer(8, 4096).optional(),
};
