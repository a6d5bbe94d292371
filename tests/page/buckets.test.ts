import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../run/cli.ts";
import { ACTION, serve, type Served } from "./server.ts";

/** Dropped photos are shown as training will see them, with buckets too. */

let server: Served;
let photos: string;

beforeAll(async () => {
  server = await serve([await temporaryFolder()], "--no-token");
  const begun = await fetch(`${server.url}api/photos`, { method: "POST", headers: ACTION, body: "{}" });
  const { batch } = (await begun.json()) as { batch: string };
  photos = `${server.url}api/photos/${batch}`;
  // green, but for red strips at the left and at the right
  const svg = Buffer.from(
    '<svg width="90" height="48"><rect width="90" height="48" fill="#f00"/><rect x="4" width="82" height="48" fill="#0f0"/></svg>',
  );
  const body = new Uint8Array(await sharp(svg).png().toBuffer());
  expect((await fetch(`${photos}/wide.png`, { method: "PUT", headers: ACTION, body })).status).toBe(200);
}, 60_000);
afterAll(() => server.stop());

const shown = async (query: string) => {
  const answer = await fetch(`${photos}/wide.png/cut${query}`);
  expect(answer.status).toBe(200);
  const { data, info } = await sharp(Buffer.from(await answer.arrayBuffer()))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const red = Array.from({ length: info.width }, (_, x) => data[3 * x]);
  return { size: [info.width, info.height], isRed: [red[0] > 128, red[info.width - 1] > 128] };
};
const listed = async (query: string) =>
  (await (await fetch(`${photos}${query}`)).json()) as {
    photos: { bucket?: string }[];
    notes: string[];
  };

test("a photo's bucket is shown and said: of the embedded model in steps of 16 pixels, of others of 64", async () => {
  // 90:48 loses a ninth to 80:48, and so its red strips
  const tiny = "?crop=bucket&resolution=64&model=tiny";
  expect((await listed(tiny)).photos[0].bucket).toBe("80 x 48, 11 % cut off");
  expect((await listed(tiny)).notes[0]).toMatch(/^photos in buckets, width x height: 1 of 80 x 48/);
  expect(await shown(tiny)).toEqual({ size: [256, 154], isRed: [false, false] });
  const large = "?crop=bucket&resolution=512&model=runwayml/stable-diffusion-v1-5";
  expect((await listed(large)).photos[0].bucket).toBe("640 x 384, 11 % cut off");
});

test("without buckets it is the square, squeezed where that is wanted", async () => {
  expect((await listed("?resolution=64")).photos[0].bucket).toBeUndefined();
  expect(await shown("?resolution=64")).toEqual({ size: [256, 256], isRed: [false, false] });
  expect(await shown("?crop=none&resolution=64")).toEqual({ size: [256, 256], isRed: [true, true] });
});

test("that a resolution has no buckets is said with the photos", async () => {
  const { photos: rows, notes } = await listed("?crop=bucket&resolution=16&model=tiny");
  expect([rows.length, notes[0]]).toEqual([1, expect.stringContaining("has no shape but the square") as string]);
  expect((await fetch(`${photos}/wide.png/cut?crop=bucket&resolution=16&model=tiny`)).status).toBe(422);
});
