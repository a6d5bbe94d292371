import { expect, test } from "vitest";
import { Stopped } from "./backends/backend.ts";
import { createGraphSet, type SetGraph, type SharedRoom } from "./graph-set.ts";

/** Graphs that say what becomes of them. @param fails whether a run of a graph fails, with how many others open */
function watched(fails: (name: string, open: number) => Error | undefined = () => undefined) {
  const told: string[] = [];
  const open = new Set<string>();
  const make = (name: string): Promise<SetGraph> => {
    told.push(`make ${name}`);
    open.add(name);
    return Promise.resolve({
      run: () => {
        const error = fails(name, open.size);
        told.push(error === undefined ? `run ${name}` : `fail ${name}`);
        return error === undefined ? Promise.resolve({}) : Promise.reject(error);
      },
      rest: () => void told.push(`rest ${name}`),
      release: () => {
        open.delete(name);
        told.push(`free ${name}`);
        return Promise.resolve();
      },
    });
  };
  return { make, told, open };
}

test("a graph is compiled once, and gives up its buffers when another one has its turn", async () => {
  const { make, told, open } = watched();
  const graphs = createGraphSet(make, 3);
  await graphs.open("a");
  for (const name of ["a", "a", "b", "a"]) await graphs.run(name, {});
  expect(told).toEqual(["make a", "run a", "run a", "rest a", "make b", "run b", "rest b", "run a"]);
  await graphs.release();
  expect(open.size).toBe(0);
});

test("of more graphs than are kept the one is freed that has not run for longest", async () => {
  const { make, told, open } = watched();
  const graphs = createGraphSet(make, 2);
  for (const name of ["a", "b", "a", "c"]) await graphs.run(name, {});
  expect(told.filter((line) => line.startsWith("free"))).toEqual(["free b"]);
  expect([...open].sort()).toEqual(["a", "c"]);
  await graphs.run("b", {});
  expect(told.filter((line) => line === "make b")).toHaveLength(2);
});

test("where there is no room for a graph beside others it runs alone", async () => {
  const { make, told, open } = watched((_, count) => (count > 1 ? new Error("no memory") : undefined));
  const graphs = createGraphSet(make, 8);
  await graphs.run("a", {});
  await graphs.run("b", {});
  expect(told.slice(-5)).toEqual(["fail b", "free a", "free b", "make b", "run b"]);
  expect([...open]).toEqual(["b"]);
});

test("where there is no room beside another set's graphs these are freed too, and made again when they are wanted", async () => {
  const room: SharedRoom = new Set();
  const open = new Set<string>();
  const make = (name: string): Promise<SetGraph> => {
    if (open.size > 0) return Promise.reject(new Error("no memory"));
    open.add(name);
    const release = () => Promise.resolve(void open.delete(name));
    return Promise.resolve({ run: () => Promise.resolve({}), release });
  };
  const [training, watching] = [createGraphSet(make, 8, room), createGraphSet(make, 8, room)];
  await training.open("a");
  await watching.open("w");
  expect([...open]).toEqual(["w"]);
  await training.run("a", {});
  expect([...open]).toEqual(["a"]);
  await training.release();
  expect(room.size).toBe(1);
});

test("what fails alone fails, and a run that was stopped is not tried again", async () => {
  const alone = createGraphSet(watched(() => new Error("no memory")).make, 8);
  await expect(alone.run("a", {})).rejects.toThrow("no memory");
  const { make, told } = watched((name) => (name === "b" ? new Stopped() : undefined));
  const graphs = createGraphSet(make, 8);
  await graphs.run("a", {});
  await expect(graphs.run("b", {})).rejects.toThrow(Stopped);
  expect(told.at(-1)).toBe("fail b");
});
