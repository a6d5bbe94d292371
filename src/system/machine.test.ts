import { expect, test, vi } from "vitest";

const host = vi.hoisted(() => ({ name: "desk" }));
vi.mock("node:os", async (original) => ({ ...(await original<object>()), hostname: () => host.name }));

test.runIf(process.platform === "linux")("a host that gets another name is the same machine still", async () => {
  const named = async (name: string) => {
    host.name = name;
    vi.resetModules();
    return (await import("./processes.ts")).thisMachine();
  };
  expect(await named("desk")).toBe(await named("desk.wifi.example"));
});
