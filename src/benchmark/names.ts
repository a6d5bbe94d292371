/** The benchmarks that `rpo bench` knows. */
export const BENCHMARKS = ["dreambench", "tinybench"] as const;
export type BenchmarkName = (typeof BENCHMARKS)[number];
