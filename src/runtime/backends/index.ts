import type { Backend } from "./backend.ts";
import { cpu } from "./cpu.ts";
import type { Device } from "../device.ts";
import { cuda } from "./cuda.ts";
import { openvino } from "./openvino.ts";
import { webgpu } from "./webgpu.ts";

/** Every device's engine. */
export const BACKENDS = { cpu, cuda, openvino, webgpu } satisfies Record<Device, Backend>;
