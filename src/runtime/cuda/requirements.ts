/** What ONNX Runtime's CUDA provider, as it comes in the Python package onnxruntime-gpu, asks of a machine. */
export const CUDA = {
  /** The toolkit that it is built with; NVIDIA's libraries are of the same. */
  major: 13,
  /** NVIDIA's first driver for it. */
  leastDriver: 580,
  /** What it has machine code for, of cards that may be asked for; it has none that a driver could translate for others (PTX). */
  capabilities: ["7.5", "8.0", "8.6", "8.9", "9.0", "12.0"],
} as const;

/** "8.6" */
export type Capability = `${number}.${number}`;

/** Whether the provider has machine code for a card: code runs on the capability that it is for, and on later ones with the same first number. */
export function hasCodeFor(capability: Capability): boolean {
  const [major, minor] = numbersOf(capability);
  return CUDA.capabilities.some((each) => {
    const [its, from] = numbersOf(each);
    return its === major && from <= minor;
  });
}

function numbersOf(capability: Capability): readonly [major: number, minor: number] {
  const [major, minor] = capability.split(".").map(Number);
  return [major, minor];
}
