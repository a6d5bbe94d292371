import type { Dialect } from "../../graph/dialect.ts";
import { DATA_TYPES, encodeOnnx } from "../../graph/onnx.ts";
import { once } from "../../system/once.ts";
import { toHalf } from "../../tensor/half.ts";
import { zeros } from "../../tensor/tensor.ts";
import { HOST_MEMORY, type Backend, type OpenOptions, type Session } from "../backends/backend.ts";
import type { Ort } from "./api.ts";
import { createDevice, type DeviceMemorySettings } from "./device.ts";
import { createDeviceMemory } from "./memory.ts";
import { sessionOf, type ProviderSettings } from "./options.ts";
import { createCapturingSession, GRAPH_ID, NOT_CAPTURED, type CaptureRoom } from "./capture.ts";
import { createSession } from "./session.ts";
import { memoryInfo } from "./values.ts";

/** A device in ONNX Runtime's words. */
export interface OrtDevice extends ProviderSettings {
  readonly dialect: Dialect;
  /** Loads the library that has the provider. @throws UsageError that says what is missing */
  library(): Ort;
  /** What a run records of the engine, where more than ONNX Runtime's version matters. */
  version?(ort: string): string;
  /** {@link Backend.check}. Absent: nothing is seen without trying. */
  readonly check?: () => void;
  /** The device's own memory; absent where graphs work on the host's. */
  readonly memory?: DeviceMemorySettings;
  /** A plain sentence for an error of the provider's; the error itself where there is none. */
  explain?(error: unknown): unknown;
  /** The provider's options with which runs can be captured; absent where it cannot do so. */
  readonly capture?: Readonly<Record<string, string>>;
  /** Whether only some of these devices compute with 16 bits: then that is tried before weights in half precision are. */
  readonly mayLackHalves?: boolean;
}

/** Nothing is loaded before it is needed. */
export function createOrtBackend(settings: OrtDevice): Backend {
  const host = once(() => {
    const ort = settings.library();
    return { ort, hostMemory: memoryInfo(ort, "Cpu") };
  });
  const { dialect, check = () => undefined } = settings;
  const version = () => settings.version?.(host().ort.version) ?? host().ort.version;
  if (settings.memory === undefined)
    return {
      dialect,
      version,
      check,
      memory: HOST_MEMORY,
      open(model, options) {
        const { ort, hostMemory } = host();
        return Promise.resolve(createSession({ ort, hostMemory, session: sessionOf(ort, model, options, settings) }));
      },
    };

  const { memory: place } = settings;
  const device = once(() => createDevice(host(), place, settings));
  const memory = createDeviceMemory(device, place.canSlice);
  const room: CaptureRoom = { hasFailed: false };
  const openHere = (model: Uint8Array, options: OpenOptions): Session => {
    const { ort, hostMemory, memory: deviceMemory, enter } = device();
    const visit = enter();
    const { leave } = visit;
    try {
      const runConfig = settings.runConfig?.(options);
      const plain = { ort, hostMemory, memory, runConfig, after: leave };
      const session = mayCapture(settings, options, room) && capturingSessionOf(ort, model, options, settings);
      if (session === false || session === undefined)
        return createSession({ ...plain, session: sessionOf(ort, model, options, settings) });
      const uncaptured = { ...plain, session, runConfig: { ...runConfig, [GRAPH_ID]: NOT_CAPTURED } };
      return createCapturingSession(createSession(uncaptured), {
        ...{ ort, session, hostMemory, deviceMemory, memory, visit, room, after: options.capturedAfter },
      });
    } catch (error) {
      leave();
      throw error;
    }
  };
  let halves: Promise<void> | undefined;
  return {
    dialect,
    version,
    check,
    memory,
    captures: () => captures(settings),
    async open(model, options) {
      if (settings.mayLackHalves === true && options.halves === true)
        await (halves ??= castOne(openHere(CAST, options))).catch((error: unknown) => {
          throw settings.explain?.(error) ?? error;
        });
      return openHere(model, options);
    },
  };
}

/** Only where it is asked for: no GPU has been seen doing it. */
function captures({ capture }: OrtDevice): boolean {
  return capture !== undefined && process.env["RPO_GRAPH_CAPTURE"] === "on";
}

/** A workspace that is given back is not there for a replay. */
function mayCapture(
  settings: OrtDevice,
  { capturedAfter, workspace = "kept" }: OpenOptions,
  room: CaptureRoom,
): boolean {
  return captures(settings) && capturedAfter !== undefined && workspace === "kept" && !room.hasFailed;
}

/** Undefined where the provider says that it cannot capture the model, as one with nodes on the processor. */
function capturingSessionOf(ort: Ort, model: Uint8Array, options: OpenOptions, settings: OrtDevice) {
  const { capture } = settings;
  try {
    return sessionOf(ort, model, options, {
      ...settings,
      options: (wanted) => ({ ...settings.options?.(wanted), ...capture }),
    });
  } catch (error) {
    if (error instanceof Error && error.message.includes("graph capture")) return undefined;
    throw error;
  }
}

/** y = x in float32. */
const CAST = encodeOnnx({
  nodes: [{ type: "Cast", domain: "", inputs: ["x"], outputs: ["y"], attributes: { to: DATA_TYPES.float32 } }],
  inputs: [{ name: "x", dtype: "float16", shape: [2] }],
  outputs: [{ name: "y", dtype: "float32", shape: [2] }],
  initializers: [],
});

/** Casts two numbers and releases the session. */
async function castOne(session: Session): Promise<void> {
  try {
    session.input("x", toHalf(zeros([2])));
    session.output("y", zeros([2]));
    await session.run();
  } finally {
    await session.release();
  }
}
