import { CONFIGURED, jsonSchemaOf } from "../settings/json-schema.ts";
import { oneOf } from "../settings/kinds.ts";
import { UsageError } from "../system/errors.ts";
import { EXIT } from "./failure.ts";

const command = oneOf(Object.keys(CONFIGURED) as [keyof typeof CONFIGURED, ...(keyof typeof CONFIGURED)[]]);

/** `rpo schema`. @returns the exit code */
export function schemaCommand(given: string): number {
  const parsed = command.given.safeParse(given);
  if (!parsed.success) throw new UsageError(`rpo schema ${given}: ${parsed.error.issues[0].message}`);
  process.stdout.write(`${JSON.stringify(jsonSchemaOf(CONFIGURED[parsed.data]), null, 2)}\n`);
  return EXIT.done;
}
