import { Graph } from "../../../graph/graph.ts";
import { CPU_DIALECT } from "../../../graph/dialect.ts";
import { encodeGraph } from "../../../graph/encode.ts";
import { add, mul } from "../../../graph/ops/index.ts";
import { createOrtBackend } from "../../ort/backend.ts";
import type { DeviceMemorySettings } from "../../ort/device.ts";
import { packagedOrt } from "../../ort/library.ts";
import { isOpenvinoHere } from "../../openvino/testing/installed.ts";
import type { Backend, OpenOptions, Session } from "../backend.ts";
import { BACKENDS } from "../index.ts";

/**
 * The devices of the suites that every device passes: the processor, by OpenVINO too where it is installed. `RPO_TEST_DEVICE` names one more
 * that is there: tests/engine/webgpu.test.ts runs the suites on a driver in software.
 */

/** A device whose memory is the host's, but is treated as if it were its own: what runs on a GPU, without one. */
const apart = (memory: Omit<DeviceMemorySettings, "name">) =>
  createOrtBackend({ dialect: CPU_DIALECT, library: packagedOrt, memory: { name: "Cpu", ...memory } });

const asked = process.env["RPO_TEST_DEVICE"];
const installed = ["cpu", ...(isOpenvinoHere() ? ["openvino"] : [])];
const named = Object.entries<Backend>(BACKENDS).filter(([name]) => name === asked || installed.includes(name));
export const backends: readonly [string, Backend][] = [
  ...named,
  ["memory apart", apart({ canSlice: true })],
  ["memory apart, in pieces, copied by a session", apart({ canSlice: false, copiesBy: "session" })],
];

export const plain = { threads: 1 };

/** y = 2 x + w, of four elements. */
export async function openLinear(backend: Backend, options: OpenOptions = plain): Promise<Session> {
  const graph = new Graph();
  const y = add(mul(graph.input("x", [4]), 2), graph.parameter("w", [4]));
  return backend.open(encodeGraph({ y }).model, options);
}

export const [X, W] = ["input:x", "parameter:w"];
