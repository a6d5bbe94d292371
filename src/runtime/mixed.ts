import { inHalves, type Dialect } from "../graph/dialect.ts";
import { BACKENDS } from "./backends/index.ts";
import type { SessionOptions } from "./session-options.ts";

/**
 * How a U-Net's graphs are said: in a session of mixed precision with values in float16 where that is enough. Models beside it are said as
 * the device has it: a VAE may overflow in float16, and judges are compared with others' numbers.
 */
export function dialectOfUnet({ device = "cpu", precision }: SessionOptions): Dialect {
  const { dialect } = BACKENDS[device];
  return precision === "mixed-float16" ? inHalves(dialect) : dialect;
}
