import { z } from "zod";
import { strayCharacter } from "../system/characters.ts";
import { numberAbove, numberFrom, wholeFrom } from "../system/numbers.ts";
import type { Limits } from "./limits.ts";

/** A kind of value that settings have: as people give it, and as the program writes it down. */
export interface Kind<T> {
  /** Of a flag's text, of a config file's JSON or of a program's option. Its messages follow the setting's name and value. */
  readonly given: z.ZodType<T>;
  /** Of a JSON file that the program wrote. */
  readonly stored: z.ZodType<T>;
}

/** Decimal, with or without an exponent. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Numbers come as text from flags and as numbers from a config file. */
function numeric(description: string, accepts: (x: number) => boolean): z.ZodType<number> {
  return z
    .union([z.number(), z.string().transform((text) => (NUMBER.test(text) ? Number(text) : NaN))])
    .refine(accepts, `expected ${description}`);
}

export const number: Kind<number> = { given: numeric("a number", Number.isFinite), stored: z.number() };

/** An integer from one number to another. */
export function whole([least, most]: Limits): Kind<number> {
  const description =
    most === Number.MAX_SAFE_INTEGER ? `an integer of ${least} or more` : `an integer from ${least} to ${most}`;
  return {
    given: numeric(description, (x) => Number.isSafeInteger(x) && x >= least && x <= most),
    stored: wholeFrom(least, most),
  };
}

export function above(limit: number): Kind<number> {
  return {
    given: numeric(`a number above ${limit}`, (x) => Number.isFinite(x) && x > limit),
    stored: numberAbove(limit),
  };
}

export function between(least: number, most: number): Kind<number> {
  return {
    given: numeric(`a number from ${least} to ${most}`, (x) => x >= least && x <= most),
    stored: numberFrom(least, most),
  };
}

const someText = z.string("expected text").trim().min(1, "expected a word or more, not nothing");

/** No path, name or text holds one; the system cuts paths there. */
const hasNoZero = (value: string): boolean => !value.includes("\0");
const ZERO = "it holds a zero character (U+0000)";

/** At least a word. */
export const text: Kind<string> = { given: someText.refine(hasNoZero, ZERO), stored: z.string() };

const isProse = (value: string): boolean => strayCharacter(value) === undefined;
const stray = { error: ({ input }: { readonly input?: unknown }) => `it holds ${strayCharacter(String(input)) ?? ""}` };

/** At least a word, for a model to read. */
export const prose: Kind<string> = { given: someText.refine(isProse, stray), stored: z.string() };

/** What stands for a subject in prompts: with braces it would be one of a prompt's own words, such as {class}. */
export const identifier: Kind<string> = {
  given: someText
    .refine(isProse, stray)
    .refine((value) => !/[{}\r\n]/.test(value), "expected a word or a few, without braces and line breaks"),
  stored: z.string(),
};

/** Text for a model to read, which may be empty. */
export const anyProse: Kind<string> = { given: z.string("expected text").refine(isProse, stray), stored: z.string() };

/** Such as fp16. */
export const word: Kind<string> = {
  given: someText.regex(/^[\w-]+$/, "expected a word such as fp16"),
  stored: z.string(),
};

export function oneOf<const T extends string>(names: readonly [T, ...T[]]): Kind<T> {
  const listed = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
  return { given: z.enum(names, `expected ${listed}`), stored: z.enum(names) };
}

export const yesOrNo: Kind<boolean> = { given: z.boolean("expected true or false"), stored: z.boolean() };

/** A list, whose flag may be given several times. */
export function several<T>({ given, stored }: Kind<T>): Kind<T[]> {
  return { given: z.array(given), stored: z.array(stored) };
}

/** "a,b,c" */
export const names: Kind<string[]> = {
  given: someText
    .transform((list) =>
      list
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    )
    .refine((list) => list.length > 0, "expected names with commas between"),
  stored: z.array(z.string()),
};
