import tseslint from "typescript-eslint";

/** The layers of docs/architecture.md, in the order in which data flows: a file imports from its own layer or from earlier ones. */
const layers = [
  "system",
  "tensor",
  "graph",
  "runtime",
  "nn",
  "models",
  "text",
  "images",
  "diffusion",
  "checkpoints",
  "hub",
  "settings",
  "gpu",
  "reward",
  "runs",
  "training",
  "methods",
  "judging",
  "tensorboard",
  "evaluation",
  "report",
  "commands",
  "engine",
  "queue",
  "world",
  "exam",
  "benchmark",
  "pretraining",
  "doctor",
  "tools",
  "library",
  "server",
  "page",
  "cli",
];

const laterLayers = (index) =>
  layers.slice(index + 1).map((later) => ({
    group: [`**/${later}/**`, ...(layers[index] === "settings" ? ["!**/methods/index.ts"] : [])],
    message: `${layers[index]}/ comes before ${later}/: imports point up the list of layers only.`,
  }));

/** What comes from outside has one door each. The world and the tools read and draw what is this program's own, the doctor asks the system. */
const doors = [
  ...["node:fs", "node:fs/promises"].map((name) => ({
    name,
    importNames: ["readFile", "readFileSync", "createReadStream"],
    message: "files from outside are read by system/regular-files.ts: regular ones, of a bounded size.",
  })),
  { name: "sharp", message: "pictures are opened by images/open.ts, within limits." },
];
const OWN_DOORS = ["world", "pretraining", "doctor", "tools"];
/** The doors themselves, the package's own version, and what the system says of processes. */
const DOORS = ["src/images/{libvips,open,write}.ts", "src/system/version.ts", "src/system/processes.ts"];

/** What every command's help reads of the methods is light, and lies below them. */
const METHOD_TABLES = [
  "src/methods/index.ts",
  "src/methods/*/index.ts",
  "src/methods/*/settings.ts",
  "src/methods/*/presets.ts",
  "src/methods/*/report.ts",
];

const filesOf = (layer) => [`src/${layer}/**/*.{ts,tsx}`, ...(layer === "settings" ? METHOD_TABLES : [])];

const layerRules = layers.flatMap((layer, index) => {
  const rule = (paths) => ({ "no-restricted-imports": ["error", { paths, patterns: laterLayers(index) }] });
  return [
    { files: filesOf(layer), ignores: layer === "methods" ? METHOD_TABLES : [], rules: rule([]) },
    {
      files: filesOf(layer),
      ignores: [...(layer === "methods" ? METHOD_TABLES : []), "**/*.test.ts", "**/testing/**", ...DOORS],
      rules: rule(OWN_DOORS.includes(layer) ? [] : doors),
    },
  ];
});

export default tseslint.config(
  { ignores: ["dist/**", "**/*.mjs", "node_modules/**", "runs/**", "docs/api/**", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ["./tsconfig.json", "./tsconfig.page.json"], tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-console": "error",
    },
  },
  ...layerRules,
  {
    files: ["src/**/*.ts"],
    ignores: ["src/runtime/ort/library.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "Literal[value='onnxruntime-node']",
          message: "ONNX Runtime is found in runtime/ort/library.ts alone, which first forbids its telemetry.",
        },
      ],
    },
  },
);
