import { expect, test, vi } from "vitest";
import { parseTrain } from "./parse.ts";

vi.mock("../../methods/index.ts", async (original) => {
  const { rpo } = await original<typeof import("../../methods/index.ts")>();
  const { labels } = rpo.settings;
  const pull = { ...rpo.settings.beta, default: 2 };
  return { rpo, preserve: { about: "a made-up one", settings: { pull, pulls: labels } } };
});

const required = { model: "m", reward: "r", images: "i", class: "dog" };
const preserve = { ...required, method: "preserve" };

test("a method's settings are taken with that method, and refused with another", () => {
  expect(parseTrain({ flags: { ...preserve, pull: "3" } })).toMatchObject({ method: "preserve", pull: 3 });
  expect(() => parseTrain({ flags: { ...preserve, beta: "3" } })).toThrow(
    "--beta: belongs to --method rpo, not to preserve",
  );
  expect(() => parseTrain({ flags: required, config: { pull: 3 } })).toThrow(
    "--config: pull: belongs to --method preserve, not to rpo",
  );
});

test("what a model says of other methods does not matter, nor does a run that goes on refuse its own", () => {
  const model = { labels: "soft", pulls: "soft" };
  expect(parseTrain({ flags: preserve, model })).toMatchObject({ labels: "sampled", pulls: "soft" });
  expect(parseTrain({ flags: required, model })).toMatchObject({ labels: "soft", pulls: "sampled" });
  expect(parseTrain({ flags: {}, run: { ...preserve, pull: 5 } })).toMatchObject({ method: "preserve", pull: 5 });
});

test("a method that there is none of is refused by the names of those that there are", () => {
  expect(() => parseTrain({ flags: { ...required, method: "magic" } })).toThrow(
    '--method "magic": expected rpo or preserve',
  );
});
