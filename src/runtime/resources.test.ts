import { expect, test } from "vitest";
import { assemble, withResources, type Resource } from "./resources.ts";

/** Resources that say when they are released. */
function newLog() {
  const released: string[] = [];
  const resource = (name: string, failure?: Error): Resource => ({
    release: () => (failure === undefined ? Promise.resolve(void released.push(name)) : Promise.reject(failure)),
  });
  return { released, resource };
}

test("work that ends releases its resources, the last first, and gives its result", async () => {
  const { released, resource } = newLog();
  const result = await withResources((own) => {
    own(resource("a"));
    own(resource("b"));
    expect(released).toEqual([]);
    return Promise.resolve(7);
  });
  expect(result).toBe(7);
  expect(released).toEqual(["b", "a"]);
});

test("work that fails releases them too, and its own error is told, not that of a release", async () => {
  const { released, resource } = newLog();
  const work = withResources((own) => {
    own(resource("a"));
    own(resource("b", new Error("cannot be released")));
    own(resource("c"));
    return Promise.reject(new Error("the work's own"));
  });
  await expect(work).rejects.toThrow("the work's own");
  expect(released).toEqual(["c", "a"]);
});

test("a release that fails is told when the work did not", async () => {
  const { released, resource } = newLog();
  const work = withResources((own) => {
    own(resource("a"));
    own(resource("b", new Error("cannot be released")));
    return Promise.resolve();
  });
  await expect(work).rejects.toThrow("cannot be released");
  expect(released).toEqual(["a"]);
});

test("what is assembled keeps its resources until its owner releases it, once", async () => {
  const { released, resource } = newLog();
  const thing = await assemble((own, release) => {
    own(resource("a"));
    own(resource("b"));
    return Promise.resolve({ name: "thing", release });
  });
  expect(thing.name).toBe("thing");
  expect(released).toEqual([]);
  await thing.release();
  await thing.release();
  expect(released).toEqual(["b", "a"]);
});

test("what cannot be assembled leaves nothing open", async () => {
  const { released, resource } = newLog();
  const thing = assemble((own) => {
    own(resource("a"));
    return Promise.reject(new Error("no weights"));
  });
  await expect(thing).rejects.toThrow("no weights");
  expect(released).toEqual(["a"]);
});
