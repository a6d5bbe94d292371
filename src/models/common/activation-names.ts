import { z } from "zod";

/** Activations by the names that configs give them: transformers' ACT2FN. */
const names = ["gelu", "quick_gelu", "silu", "swish", "relu"] as const;

export type Activation = (typeof names)[number];

export const activation = z.enum(names, { error: `this activation is not supported, only ${names.join(", ")}` });
