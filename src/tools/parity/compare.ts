import { sameShape, type Tensor } from "../../tensor/tensor.ts";
import type { ParityCase } from "./case.ts";

/** The worst of a case's tensors, as a multiple of its tolerance: up to 1 is a pass. */
export interface Comparison {
  readonly worst: string;
  readonly error: number;
  readonly tolerance: number;
}

/** Compares all answers with what PyTorch gave, by the rules of the case's kind. */
export function compareCase(parityCase: ParityCase, actual: ReadonlyMap<string, Tensor>): Comparison {
  const surplus = [...actual.keys()].find((name) => !parityCase.expected.has(name));
  if (surplus !== undefined) return { worst: `${surplus} (not asked for)`, error: Infinity, tolerance: 0 };
  let worst: Comparison = { worst: "none", error: 0, tolerance: 1 };
  for (const [name, expected] of parityCase.expected) {
    const answer = actual.get(name);
    if (answer === undefined) return { worst: `${name} (no answer)`, error: Infinity, tolerance: 0 };
    if (!sameShape(answer.shape, expected.shape) || answer.dtype !== expected.dtype)
      return { worst: `${name} (shape [${answer.shape.join(", ")}])`, error: Infinity, tolerance: 0 };
    const { error, tolerance } =
      parityCase.kind === "rpo" ? compareRpo(parityCase, name, answer, expected) : compareTensor(answer, expected);
    if (!(error / tolerance <= worst.error / worst.tolerance)) worst = { worst: name, error, tolerance };
  }
  return worst;
}

/** Integers are exact; floats may be off by 1e-4 of the tensor's largest magnitude. */
function compareTensor(actual: Tensor, expected: Tensor): { error: number; tolerance: number } {
  const difference = largestDifference(actual, expected);
  if (expected.dtype === "int32") return { error: difference, tolerance: 0.5 };
  return { error: difference / Math.max(largest(expected), Number.MIN_VALUE), tolerance: 1e-4 };
}

/** Losses, margins and gradients within 1e-3 of themselves, with floors; parameters by the RMS of their change. */
function compareRpo(
  { settings, inputs, expected: all }: ParityCase,
  name: string,
  actual: Tensor,
  expected: Tensor,
): { error: number; tolerance: number } {
  const difference = largestDifference(actual, expected);
  const relative = (floor: number) => ({ error: difference / Math.max(largest(expected), floor), tolerance: 1e-3 });
  if (name.endsWith(".margin")) return relative(1e-2);
  if (name.endsWith(".pref")) return relative(Math.max(0.1, 0.01 * (settings["beta"] as number)));
  if (name.startsWith("grad.")) {
    const gradients = [...all].filter(([other]) => other.startsWith("grad.")).map(([, tensor]) => largest(tensor));
    return relative(1e-4 * Math.max(...gradients));
  }
  if (!name.startsWith("param.")) return relative(0);
  const start = inputs.get(name);
  const moved = start === undefined ? undefined : rms(expected, start);
  return { error: rms(actual, expected) / Math.max(moved ?? largest(expected), Number.MIN_VALUE), tolerance: 5e-3 };
}

function largest({ data }: Tensor): number {
  let max = 0;
  for (const x of data) max = Math.max(max, Math.abs(x));
  return max;
}

/** Infinity when an answer is no number. */
function largestDifference(a: Tensor, b: Tensor): number {
  let max = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs(a.data[i] - b.data[i]);
    if (Number.isNaN(difference)) return Infinity;
    max = Math.max(max, difference);
  }
  return max;
}

function rms(a: Tensor, b: Tensor): number {
  let total = 0;
  for (let i = 0; i < a.data.length; i++) total += (a.data[i] - b.data[i]) ** 2;
  return Math.sqrt(total / a.data.length);
}
