/** A program by itself, as `engine-probe.ts` is, which prints `CudaFacts`: a broken driver may end the process that asks it. */

const { gatherCudaFacts } = await import("./cuda-facts.ts");

process.stdout.write(JSON.stringify(gatherCudaFacts()));

export {};
