import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    // ONNX Runtime's threads and memory belong to a process: test files get processes of their own, one a core.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
