import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // ONNX Runtime's threads and memory belong to a process: test files get processes of their own. One more than two cores would run at
    // once, for many wait: for a program that starts, for a page, for a server.
    pool: "forks",
    maxWorkers: 3,
    testTimeout: 60_000,
    projects: [
      // Beside what they test; a file that takes more than five seconds is called NAME.slow.test.ts.
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], exclude: ["src/**/*.slow.test.ts"] } },
      { extends: true, test: { name: "slow", include: ["src/**/*.slow.test.ts"] } },
      // These start the program as it was built.
      { extends: true, test: { name: "e2e", include: ["tests/**/*.test.ts"], globalSetup: "tests/fresh-build.ts" } },
    ],
  },
});
