import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pictureArchive } from "./picture-archive.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "rpo-pictures-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A PNG's first bytes; the archive takes files as they are. */
const picture = (text: string) => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.from(text)]);

test.skipIf(process.platform === "win32")(
  "an archive leaves out what leads out of the run, as it is when its turn comes",
  async () => {
    const [run, elsewhere] = [join(folder, "dog"), join(folder, "elsewhere.png")];
    await mkdir(join(run, "images"), { recursive: true });
    await writeFile(elsewhere, picture("somebody's"));
    for (const name of ["a", "c", "d"]) await writeFile(join(run, "images", `${name}.png`), picture(`own ${name}`));
    await symlink(elsewhere, join(run, "images", "b.png"));
    const app = new Hono().get("/", (c) => pictureArchive(c, { id: "0", folder: run, name: "dog" }));
    const answer = await app.request("/");
    expect(answer.status).toBe(200);
    await rm(join(run, "images", "d.png"));
    await symlink(elsewhere, join(run, "images", "d.png"));
    const content = Buffer.from(await answer.arrayBuffer()).toString("latin1");
    expect([...new Set(content.match(/dog\/images\/\w\.png/g))]).toEqual(["dog/images/a.png", "dog/images/c.png"]);
    expect(content).toContain("own c");
    expect(content).not.toContain("somebody's");
  },
);
