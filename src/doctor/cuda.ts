import type { DriverReport, GraphicsCard } from "../runtime/cuda/driver.ts";
import type { InstallationReport } from "../runtime/cuda/installation.ts";
import { CUDA, hasCodeFor } from "../runtime/cuda/requirements.ts";
import type { Trial } from "../runtime/trial/try.ts";
import { note, ok, type Finding } from "./findings.ts";

/** What can be learnt of CUDA without using it. */
export interface CudaFacts {
  readonly driver: DriverReport;
  readonly installation: {
    readonly state: InstallationReport["state"];
    readonly folder: string;
    /** What is wrong, in a line with what to do. */
    readonly problem?: string | undefined;
    /** "nvidia-cublas 13.10.0.20" */
    readonly packages: readonly string[];
  };
}

/** Where `--device cuda` was tried: not without a card, and not where something is missing. */
export interface CudaReport extends CudaFacts {
  readonly session?: Trial | { readonly error: string };
}

/** Whether there is any sense in a session. */
export function mayUseCuda({ driver, installation }: CudaFacts): boolean {
  return driver.state === "works" && driver.cards.some(isServed) && installation.state === "whole";
}

const DRIVER_ADVICE = `install NVIDIA's driver ${CUDA.leastDriver} or newer (https://www.nvidia.com/drivers)`;

/** What there is for `--device cuda`. Nobody needs a card of NVIDIA's, so nothing of it fails. */
export function judgeCuda(report: CudaReport | { readonly error: string }): Finding[] {
  if ("error" in report) return [note("NVIDIA", report.error, `${DRIVER_ADVICE}; this one does not bear being asked`)];
  const { driver, installation } = report;
  const isWanted = installation.state !== "none";
  switch (driver.state) {
    case "none":
      return isWanted
        ? [note("NVIDIA", "no driver, and rpo gpu install has been here", DRIVER_ADVICE), ...judgeDamage(report)]
        : [ok("NVIDIA", "no driver: no card, or none that is set up")];
    case "fails":
      return [note("NVIDIA", `the driver does not work: ${driver.reason}`, DRIVER_ADVICE), ...judgeDamage(report)];
    case "works":
      if (driver.cards.length === 0) return [ok("NVIDIA", `driver for CUDA ${driver.cuda}, and no card`)];
      return [
        judgeDriver(driver.cuda),
        ...driver.cards.map(judgeCard),
        // libraries are of no use to cards that they have no machine code for
        ...(driver.cards.some(isServed) ? judgeProvider(report) : []),
      ];
  }
}

function isServed({ capability }: GraphicsCard): boolean {
  return hasCodeFor(capability);
}

function judgeDriver(cuda: string): Finding {
  const value = `driver for CUDA ${cuda}`;
  return Number(cuda.split(".")[0]) < CUDA.major ? note("NVIDIA", value, DRIVER_ADVICE) : ok("NVIDIA", value);
}

function judgeCard({ name, capability, memoryBytes }: GraphicsCard): Finding {
  const value = `${name}, ${Math.round(memoryBytes / 2 ** 30)} GiB, compute capability ${capability}`;
  if (hasCodeFor(capability)) return ok("Card", value);
  return note(
    "Card",
    value,
    `ONNX Runtime has machine code for ${CUDA.capabilities.join(", ")} alone: take --device webgpu`,
  );
}

/** What is installed and will not do, whatever becomes of the driver. */
function judgeDamage(report: CudaReport): Finding[] {
  const { state } = report.installation;
  return state === "damaged" || state === "other" ? judgeProvider(report) : [];
}

function judgeProvider({ installation: { state, problem = "", packages }, session }: CudaReport): Finding[] {
  if (state === "none") return [note("CUDA", "its libraries are not installed", "rpo gpu install fetches them")];
  if (state !== "whole") {
    const [what, advice = ""] = problem.split("; ");
    return [note("CUDA", what, advice)];
  }
  const libraries = ok("CUDA", packages.join(", "));
  if (session === undefined) return [libraries];
  if ("error" in session) return [libraries, note("--device cuda", "does not work", session.error)];
  if (!session.works)
    return [libraries, note("--device cuda", "computes a sum wrongly", "do not use it; a newer driver may help")];
  return [libraries, ok("--device cuda", `works, ${inWords(session.gigaflops)}`)];
}

/** "9.8 TFLOP/s" */
export function inWords(gigaflops: number): string {
  return gigaflops >= 1000 ? `${(gigaflops / 1000).toFixed(1)} TFLOP/s` : `${Math.round(gigaflops)} GFLOP/s`;
}
