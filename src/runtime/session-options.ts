import type { OpenOptions } from "./backends/backend.ts";
import type { Device } from "./device.ts";

/** Where and how a task's graphs run. */
export interface SessionOptions extends OpenOptions {
  /** Default: the CPU. */
  readonly device?: Device | undefined;
}

/** How graphs hold memory in a training that was told how to. */
export function workspaceOf(memory: "normal" | "low" = "normal"): "kept" | "returned" {
  return memory === "low" ? "returned" : "kept";
}

/** The session of graphs that run in turn: kept workspaces of several would lie beside each other. */
export function inTurn<S extends SessionOptions>(session: S, graphs: number): S {
  return graphs > 1 ? { ...session, workspace: "fresh" } : session;
}

/** As the session, but as exact as float32: for sums over many steps, and for what is compared with others' numbers. */
export function inFloat32<S extends SessionOptions>(session: S): S {
  return { ...session, precision: "float32" };
}
