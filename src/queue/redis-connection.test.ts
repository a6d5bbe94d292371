import { expect, test } from "vitest";
import { isOutage } from "./redis-connection.ts";

const error = (message: string, code?: string) => Object.assign(new Error(message), { code });

test("an outage is an error of the connection, and none of the program", () => {
  for (const code of ["ECONNREFUSED", "EPIPE", "EAI_AGAIN", "ENOTFOUND"]) expect(isOutage(error("x", code))).toBe(true);
  for (const text of ["Connection is closed.", "LOADING Redis is loading the dataset in memory"])
    expect(isOutage(error(text))).toBe(true);
  for (const code of ["ERR_INVALID_ARG_TYPE", "ERR_OUT_OF_RANGE"]) expect(isOutage(error("x", code))).toBe(false);
  expect(isOutage(error("WRONGTYPE Operation against a key holding the wrong kind of value"))).toBe(false);
});
