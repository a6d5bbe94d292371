import { copyFile, cp, mkdir, readdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../queue/redis-server.ts";
import { makePhotos, MODEL, REWARD, root, rpo, temporaryFolder } from "../run/cli.ts";

let folder = "";
let data = "";
let port = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  port = await freePort();
  data = join(folder, "data");
  await mkdir(join(data, "vase"), { recursive: true });
  await mkdir(join(data, "dog"));
  await copyFile(join(await makePhotos(1), "0.jpg"), join(data, "dog", "0.jpg"));
  const prompt = "'a {0} {1}'.format(unique_token, class_token)";
  const lists = ["Object", "Live Subject"].map((kind) => `${kind} Prompts\nprompt_list = [\n${prompt}\n]`).join("\n");
  const classes = "Classes\nsubject_name,class\ndog,dog\nvase,vase\n";
  await writeFile(join(data, "prompts_and_classes.txt"), `${classes}Prompts\n${lists}\n`);
  await mkdir(join(folder, "broken/dog"), { recursive: true });
  await writeFile(join(folder, "broken/prompts_and_classes.txt"), `${classes}Prompts\nprompts = []\n`);
  await cp(data, join(folder, "damaged"), { recursive: true });
  await truncate(join(folder, "damaged/dog/0.jpg"), 400);
  await writeFile(join(folder, "seed.json"), '{"seed": 3}');
  await writeFile(join(folder, "prior.json"), '{"priorWeight": 3}');
  await writeFile(join(folder, "texts.json"), '{"trainTextEncoder": true, "adapter": "full"}');
  await writeFile(join(folder, "buckets.json"), '{"crop": "bucket"}');
  await mkdir(join(folder, "judges"));
  for (const judge of ["dino", "clip"])
    await symlink(join(root, "tests/golden/parity/checkpoints", `${judge}-tiny`), join(folder, "judges", judge));
});

const dream = () => [
  ...["bench", "dreambench", "--data", data, "--model", MODEL, "--reward", REWARD],
  ...["--judges", join(folder, "judges"), "--output", join(folder, "out")],
];

describe("wrong usage of a benchmark exits 2 with a line, and writes nothing", () => {
  const cases: [name: string, args: () => string[], message: RegExp][] = [
    [
      "an unknown method",
      () => [...dream(), "--methods", "base,magic"],
      /--methods magic: no such method \(there are references, base, /,
    ],
    [
      "an unknown subject",
      () => [...dream(), "--subjects", "dragon"],
      /--subjects dragon: no such subject in .*there are dog, vase/,
    ],
    ["a subject without photos", () => dream(), /data\/vase: no pictures in it/],
    [
      "a damaged photo",
      () => [...dream(), "--data", join(folder, "damaged"), "--subjects", "dog"],
      /damaged\/dog\/0\.jpg: the picture is damaged or truncated/,
    ],
    [
      "a setting that no row's method has",
      () => [...dream(), "--config", join(folder, "prior.json")],
      /--config: priorWeight: belongs to custom or dreambooth, and --methods has no such row/,
    ],
    [
      "a LoRA of the text encoders beside a whole U-Net",
      () => [...dream(), "--subjects", "dog", "--config", join(folder, "texts.json")],
      /--train-text-encoder gives the text encoders a LoRA, beside one of the U-Net; it needs --adapter lora/,
    ],
    [
      "buckets for a row whose method takes none",
      () => [...dream(), "--subjects", "dog", "--methods", "rpo,custom", "--config", join(folder, "buckets.json")],
      /--crop bucket: --method custom frames photos in squares; use --crop center/,
    ],
    [
      "seconds that are none",
      () => [...dream(), "--seconds", "soon"],
      /--seconds "?soon"?: expected rpo or a number above 0/,
    ],
    [
      "RPO's seconds without a row of it",
      () => [...dream(), "--methods", "base,l-sim", "--seconds", "rpo"],
      /--seconds rpo: as many as RPO takes, and --methods has no row rpo; add it, or give a number/,
    ],
    ["no seed", () => [...dream(), "--seeds", ","], /--seeds ",": expected names with commas between/],
    [
      "no subject of tinybench",
      () => ["bench", "tinybench", "--subjects", ",", "--output", join(folder, "out")],
      /--subjects ",": expected names with commas between/,
    ],
    [
      "tinybench with an address that is none",
      () => ["bench", "tinybench", "--redis", "box:6379", "--output", join(folder, "out")],
      /--redis/,
    ],
    ["a seed that is none", () => [...dream(), "--seeds", "0,x"], /--seeds x: expected integers/],
    [
      "a prompts file that does not parse",
      () => [...dream(), "--data", join(folder, "broken")],
      /prompts_and_classes.txt, line 6: "prompts = \[\]": expected "Object Prompts"/,
    ],
    [
      "no data",
      () => [
        "bench",
        "dreambench",
        "--model",
        MODEL,
        "--reward",
        REWARD,
        "--judges",
        join(folder, "judges"),
        "--output",
        "x",
      ],
      /--data is missing/,
    ],
    ["no such data", () => [...dream(), "--data", "/nowhere"], /--data \/nowhere: no such folder/],
    ["judges that are missing", () => [...dream(), "--judges", data], /--judges .*: expected .*dino\/config.json/],
    [
      "a setting that the benchmark decides",
      () => [...dream(), "--config", join(folder, "seed.json")],
      /--config: seed: the benchmark decides it/,
    ],
    [
      "an address that is none",
      () => [...dream(), "--subjects", "dog", "--redis", "box:6379"],
      /--redis: expected redis:\/\//,
    ],
    [
      "a Redis that is not there",
      () => [...dream(), "--subjects", "dog", "--redis", `redis://127.0.0.1:${port}`],
      /--redis redis:\/\/127.0.0.1:\d+\/0: no Redis answers there/,
    ],
    ["a worker without its Redis", () => ["worker", "--redis", `redis://127.0.0.1:${port}`], /no Redis answers there/],
    [
      "a worker of benchmarks below a folder that is not there",
      () => ["worker", "--redis", "redis://localhost", "--root", "/nowhere"],
      /--root \/nowhere: no such folder/,
    ],
    ["a worker without an address", () => ["worker"], /--redis is missing/],
    ["a status of nothing", () => ["bench", "status", folder], /no benchmark has begun here/],
    ["a report of nothing", () => ["bench", "report", folder], /no benchmark's results here/],
    [
      "tinybench with data",
      () => ["bench", "tinybench", "--data", data, ...dream().slice(4)],
      /--data: tinybench has its own subjects/,
    ],
  ];
  test.each(cases)("%s", async (_, args, message) => {
    const { code, stderr } = await rpo(args());
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
    await expect(readdir(join(folder, "out"))).rejects.toThrow();
  });
});

test("a benchmark lists its subjects", async () => {
  const { code, stdout } = await rpo(["bench", "tinybench", "--list-subjects"]);
  expect(code).toBe(0);
  const names = stdout.trim().split("\n");
  expect(names.length).toBeGreaterThanOrEqual(10);
  expect(new Set(names).size).toBe(names.length);
});
