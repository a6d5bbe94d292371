import { expect, test } from "vitest";
import { createLocalQueue } from "../../src/queue/local.ts";
import { queueContract } from "./contract.ts";

queueContract((options) => {
  const queue = createLocalQueue({ ...options, machine: "here" });
  return Promise.resolve({ queue, close: () => queue.close() });
});

test("a job that failed may be asked for again", async () => {
  let luck = 0;
  const queue = createLocalQueue<number, number>({
    perform: ({ data }) => (++luck > 3 ? Promise.resolve(data) : Promise.reject(new Error("no"))),
    backoffMs: 1,
  });
  const job = { id: "a", label: "a", priority: 1, data: 5 };
  await expect(queue.run(job)).rejects.toThrow("a: no");
  expect(await queue.run(job)).toBe(5);
  await queue.close();
});
