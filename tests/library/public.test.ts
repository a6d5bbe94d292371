import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { root } from "../run/cli.ts";
import { builtLibrary } from "./dist.ts";

/** What is public. Adding to it is a minor version; taking from it, or changing what is there, a major one: see docs/library.md. */
const VALUES = [
  "ModelError",
  "UsageError",
  "evaluate",
  "judge",
  "loadPipeline",
  "loadReward",
  "select",
  "train",
  "version",
];
const TYPES = [
  ...["AnchorsEvent", "PromptAnchors"],
  ...[
    "Candidate",
    "Control",
    "CostEstimate",
    "DrawnPicture",
    "EmbeddingOptions",
    "EvaluateOptions",
    "Evaluation",
    "GenerateOptions",
  ],
  ...[
    "JudgeEvent",
    "JudgeOptions",
    "JudgeRecord",
    "JudgedCheckpoint",
    "JudgedPicture",
    "Judgement",
    "LoraOptions",
    "Message",
    "NamedSetting",
    "Phase",
    "Picture",
    "PictureSource",
    "Pipeline",
  ],
  ...[
    "PipelineOptions",
    "ResumeOptions",
    "Reward",
    "RewardOptions",
    "RoundEvent",
    "RoundImage",
    "RunEvent",
    "Sampler",
    "Score",
    "ScoreOptions",
    "ScoredImage",
  ],
  ...[
    "Scores",
    "SelectOptions",
    "Selection",
    "SeveralSubjectsOptions",
    "StartingPictureEvent",
    "StepEvent",
    "StopReason",
    "SubjectOptions",
    "TrainEvent",
    "TrainOptions",
    "TrainResult",
  ],
  ...["ValidationEvent", "WorkEvent", "WorkPhase", "WrittenPicture"],
];
const sorted = (names: Iterable<string>) => [...names].sort();

/** A user's compiler, strict, looking into the package's own declarations too. */
const strict: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  types: [],
};

function problems(program: ts.Program): string {
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => "\n",
  });
}

describe("what is public", () => {
  const entry = join(root, "dist/library/index.d.ts");
  const program = ts.createProgram([entry], {
    ...strict,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  });

  test("is the list above", async () => {
    expect(sorted(Object.keys(await builtLibrary()))).toEqual(sorted(VALUES));
    const checker = program.getTypeChecker();
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.Node);
    const names = module === undefined ? [] : checker.getExportsOfModule(module).map(({ name }) => name);
    expect(sorted(names)).toEqual(sorted([...VALUES, ...TYPES]));
  });

  test("needs few declarations, and the package has those and no others", async () => {
    const needed = program
      .getSourceFiles()
      .map(({ fileName }) => relative(root, fileName))
      .filter((path) => !path.startsWith("node_modules"));
    const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      maxBuffer: 2 ** 26,
    });
    // npm 10 and 11 give a list, npm 12 an object by package
    const [packed] = Object.values(JSON.parse(stdout) as object) as { files: { path: string }[] }[];
    const declarations = packed.files.map(({ path }) => path).filter((path) => path.endsWith(".d.ts"));
    expect(sorted(declarations)).toEqual(sorted(needed));
    expect(needed.length).toBeLessThan(16);
  });

  test("cannot be gone around", async () => {
    for (const path of ["rpo/dist/library/index.js", "rpo/dist/training/train.js", "rpo/src/library/index.ts"])
      await expect(
        promisify(execFile)(process.execPath, ["--input-type=module", "-e", `import "${path}"`], { cwd: root }),
      ).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

test("a strict TypeScript program on Node uses all of it, and the examples are typed right", async () => {
  const examples = (await readdir(join(root, "examples"))).map((name) => join(root, "examples", name));
  const program = ts.createProgram([join(root, "tests/library/consumer.ts")], {
    ...strict,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2022.d.ts"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  });
  expect(problems(program)).toBe("");
  const scripts = ts.createProgram(examples, {
    ...strict,
    noUncheckedIndexedAccess: false,
    skipLibCheck: true,
    allowJs: true,
    checkJs: true,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2022.d.ts"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  });
  expect(problems(scripts)).toBe("");
});

test("so does one that a bundler resolves, without Node's types", () => {
  const program = ts.createProgram([join(root, "tests/library/consumer.ts")], {
    ...strict,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  });
  expect(problems(program)).toBe("");
});
