import { expect, test } from "vitest";
import { blankImage, type Image } from "../images/image.ts";
import { judge, judgePhotos, type Judge } from "./judges.ts";

/** A picture whose feature is a unit vector at an angle: its first byte in degrees. */
function picture(degrees: number) {
  const image = blankImage({ width: 1, height: 1 });
  image.data[0] = degrees;
  return image;
}
const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const cos = (degrees: number) => Math.cos((degrees * Math.PI) / 180);

const judgeOf = (turn: number): Required<Judge<Image>> => ({
  images: (images) => Promise.resolve(images.map(({ data }) => at(data[0] + turn))),
  texts: (texts) => Promise.resolve(texts.map((text) => at(Number(text)))),
});

test("every metric is its formula on the judges' features", async () => {
  const verdict = await judge(
    { images: [picture(10), picture(50)], texts: ["40", "40"], references: [picture(0), picture(30)] },
    { dino: judgeOf(0), clip: judgeOf(0), align: judgeOf(5) },
  );
  const [first, second] = verdict.pictures;
  expect(first.dino).toBeCloseTo((cos(10) + cos(20)) / 2, 6);
  expect(first.nearest).toBeCloseTo(cos(10), 6);
  expect(first.clipT).toBeCloseTo(cos(30), 6);
  expect(first.alignI).toBeCloseTo(((cos(10) + cos(20)) / 2 + 1) / 2, 6);
  expect(second.alignT).toBeCloseTo((cos(15) + 1) / 2, 6);
  expect(verdict.means.clipI).toBeCloseTo((cos(10) + cos(20) + cos(50) + cos(20)) / 4, 6);
  expect(verdict.copyRate).toBe(1); // 10 and 20 degrees from a photo, the photos 30 apart
  expect(verdict.diversity).toBeCloseTo(1 - cos(40), 6);
});

test("a photo that was held out is the reference, and copies are told by the others", async () => {
  const verdict = await judge(
    {
      images: [picture(90)],
      texts: ["0"],
      references: [picture(90)],
      trainedOn: [picture(0), picture(20)],
      masked: { references: [picture(80)], images: [picture(90)] },
    },
    { dino: judgeOf(0) },
  );
  expect(verdict.pictures[0].dino).toBeCloseTo(1, 6);
  expect(verdict.pictures[0].nearest).toBeCloseTo(cos(70), 6);
  expect(verdict.pictures[0].dinoMasked).toBeCloseTo(cos(10), 6);
  expect(verdict.copyRate).toBe(0);
  expect(verdict.pictures[0]).not.toHaveProperty("clipI");
  expect(verdict).not.toHaveProperty("diversity");
});

test("a picture without a mask has no masked likeness, and does not count in its mean", async () => {
  const { pictures, means } = await judge(
    {
      images: [picture(10), picture(20), picture(30)],
      texts: ["0", "0", "0"],
      references: [picture(0)],
      masked: { references: [picture(0)], images: [picture(40), undefined, picture(60)] },
    },
    { dino: judgeOf(0) },
  );
  expect(pictures.map(({ dinoMasked }) => dinoMasked)).toEqual([
    expect.closeTo(cos(40), 6),
    undefined,
    expect.closeTo(cos(60), 6),
  ]);
  expect(means.dinoMasked).toBeCloseTo((cos(40) + cos(60)) / 2, 6);
});

test("photos are judged each against the others, never against themselves", async () => {
  const photos = [picture(0), picture(10), picture(40)];
  const scores = await judgePhotos(photos, { dino: judgeOf(0), align: judgeOf(0) });
  const mean = (cos(10) + cos(40) + cos(30)) / 3; // each pair counts twice, over three photos of two others each
  expect(scores.dino).toBeCloseTo(mean, 6);
  expect(scores.alignI).toBeCloseTo((mean + 1) / 2, 6);
  expect(scores).not.toHaveProperty("clipI");
  expect(await judgePhotos([picture(0)], { dino: judgeOf(0) })).toEqual({});
});
