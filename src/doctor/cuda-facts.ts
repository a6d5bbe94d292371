import { askDriver } from "../runtime/cuda/driver.ts";
import { inspectInstallation, installationFolder, problemOf } from "../runtime/cuda/installation.ts";
import { textOf } from "../system/message.ts";
import type { CudaFacts } from "./cuda.ts";

/**
 * Asks the driver, and looks at what `rpo gpu install` has installed.
 * @param driver the driver's library, by default where the system has it
 */
export function gatherCudaFacts({
  driver,
  folder = installationFolder(),
}: { readonly driver?: string; readonly folder?: string } = {}): CudaFacts {
  const report = inspectInstallation(folder);
  const problem = problemOf(report);
  const packages = report.state === "whole" ? report.manifest.packages : [];
  return {
    driver: askDriver(driver),
    installation: {
      state: report.state,
      folder,
      problem: problem && textOf(problem),
      packages: packages.map(({ name, version }) => `${name} ${version}`),
    },
  };
}
