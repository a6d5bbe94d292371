import tseslint from "typescript-eslint";

/** The layers of docs/architecture.md, in the order in which data flows: a file imports from its own layer or from earlier ones. */
const layers = [
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
  "rpo",
  "logs",
  "evaluation",
  "world",
  "jobs",
  "requests",
  "doctor",
  "tools",
  "library",
  "server",
  "cli",
];

const layerRules = layers.map((layer, index) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: layers.slice(index + 1).map((later) => ({
          group: [`**/${later}/**`],
          message: `${layer}/ comes before ${later}/: imports point up the list of layers only.`,
        })),
      },
    ],
  },
}));

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
);
