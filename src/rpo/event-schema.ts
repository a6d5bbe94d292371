import { z } from "zod";
import { staysInside } from "../tensor/inside.ts";
import type { RunEvent, ScoredImage } from "./events.ts";

const step = z.int().min(0);
/** A picture of the run; reports show it, and are handed on. */
const image = z.string().refine(staysInside, "expected a path in the run's folder");

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256");

const scoredImage = z.object({
  prompt: z.string(),
  seed: z.int(),
  alignI: z.number(),
  alignT: z.number(),
  image,
  sha256: sha256.optional(),
}) satisfies z.ZodType<ScoredImage>;

/** A line of events.jsonl. */
export const eventSchema = z.discriminatedUnion(
  "type",
  [
    z.object({
      type: z.literal("start"),
      time: z.string(),
      version: z.string(),
      photos: z.array(z.object({ image, sha256 })).optional(),
    }),
    z.object({
      type: z.literal("negative"),
      prompt: z.string(),
      seed: z.int(),
      alignT: z.number(),
      image,
      sha256: sha256.optional(),
    }),
    z.object({
      type: z.literal("step"),
      step,
      sim: z.number(),
      pref: z.number(),
      margin: z.number(),
      label: z.number(),
      gradNorm: z.number(),
      seconds: z.number(),
    }),
    z.object({
      type: z.literal("validation"),
      step,
      lambda: z.number(),
      reward: z.number(),
      standardError: z.number(),
      images: z.array(scoredImage).min(1),
    }),
    z.object({ type: z.literal("best"), step, reward: z.number() }),
    z.object({ type: z.literal("stop"), step, reason: z.enum(["patience", "steps", "interrupted"]) }),
    z.object({ type: z.literal("error"), step, message: z.string() }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "no event of a run" : undefined) },
) satisfies z.ZodType<RunEvent>;
