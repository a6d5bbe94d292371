import { CPU_DIALECT } from "../../graph/dialect.ts";
import { createOrtBackend } from "../ort/backend.ts";
import { packagedOrt } from "../ort/library.ts";
import type { Backend } from "./backend.ts";

/** The processor: graphs work on the host's own arrays. */
export const cpu: Backend = createOrtBackend({ dialect: CPU_DIALECT, library: packagedOrt });
