import { expect, test, vi } from "vitest";
import { inText } from "../library/inside/in-text.ts";
import type { WorkEvent } from "../system/work.ts";
import { say, setting } from "../system/message.ts";
import { showWork } from "./show-work.ts";

const warning: WorkEvent = { type: "warning", text: say`${setting("lr", 2)}: lower ${setting("dCoef")}` };

test("a warning names settings as flags on the command line, as options to a program", () => {
  const log = vi.fn();
  showWork({ update: vi.fn(), log }, { json: false })(warning);
  expect(log.mock.calls).toEqual([["warning: --lr 2: lower --d-coef"]]);
  const told = vi.fn();
  inText(told)?.(warning);
  expect(told.mock.calls).toEqual([[{ type: "warning", text: "lr 2: lower dCoef" }]]);
});

test("as JSON a warning is a line of text, and progress none", () => {
  const written: unknown[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((line) => written.push(line) > 0);
  const show = showWork({ update: vi.fn(), log: vi.fn() }, { json: true });
  show(warning);
  show({ type: "progress", phase: "loading", done: 0, total: 1 });
  write.mockRestore();
  expect(written).toEqual(['{"type":"warning","text":"--lr 2: lower --d-coef"}\n']);
});
