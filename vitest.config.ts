import { defineConfig } from "vitest/config";

/** Of a file that needs a process of its own: it replaces a module that others load too, or has numbers so small that a session makes them zero. */
const ALONE = "src/**/*.alone.test.ts";
/** Of a file that takes more than five seconds. */
const SLOW = "src/**/*.slow.test.ts";

export default defineConfig({
  test: {
    // ONNX Runtime's threads and memory belong to a process, and so do the environment and what a test replaces: test files get processes of
    // their own, but for the many small ones beside what they test, which would spend more time on loading than on testing. One process more
    // than two cores would run at once, for many wait: for a program that starts, for a page, for a server.
    pool: "forks",
    maxWorkers: 3,
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], exclude: [ALONE, SLOW], isolate: false } },
      { extends: true, test: { name: "slow", include: [ALONE, SLOW] } },
      // These start the program as it was built.
      { extends: true, test: { name: "e2e", include: ["tests/**/*.test.ts"], globalSetup: "tests/fresh-build.ts" } },
    ],
  },
});
