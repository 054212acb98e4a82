// Beyond the strict rules, this file holds the import directions of docs/ARCHITECTURE.md.
import tseslint from "typescript-eslint";

/** Files under `files` may not import what matches `patterns`; `why` is what the developer reads. */
const forbid = (files, patterns, why) => ({
  files,
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      { patterns: patterns.map((group) => ({ group: [group], message: why })) },
    ],
  },
});

const connection = [
  "vscode-languageserver",
  "vscode-languageserver/**",
  "vscode-languageclient/**",
  "vscode",
  "node:*",
];

const beyondPython = ["**/literature/**", "**/adapters/**", "**/features/**", "**/render/**", ...connection];

/** The folders of python/, each of which knows those before it. */
const floors = ["text", "tree", "names", "layers", "forward", "values", "formulas"];

export default tseslint.config(
  { ignores: ["dist/", "out/", "node_modules/", "test/vscode/host/", "**/*.cjs", "**/.cache/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  forbid(["server/src/python/**"], beyondPython, "python/ reads code and knows of nothing else"),
  ...floors.map((floor, index) =>
    forbid(
      [`server/src/python/${floor}/**`],
      [...beyondPython, ...floors.slice(index + 1).map((above) => `**/${above}/**`)],
      "python/ reads code and knows of nothing else; its folders stand on one another",
    ),
  ),
  forbid(
    ["server/src/literature/**"],
    ["**/python/**", "**/adapters/**", "**/features/**", ...connection],
    "literature/ knows papers and nothing of Python code or of an editor connection",
  ),
  forbid(
    ["server/src/adapters/**"],
    ["**/features/**", ...connection],
    "adapters/ turns a method and a place into edits; features/ present them",
  ),
  forbid(
    ["server/src/features/**", "server/src/render/**", "server/src/service.ts"],
    connection,
    "the service is pure: no connection, no IO",
  ),
  forbid(
    ["client/src/**"],
    ["**/server/src/!(protocol)*", "**/server/src/*/**"],
    "of the server, the client sees protocol.ts alone",
  ),
  { files: ["**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["test/**"],
    rules: {
      "@typescript-eslint/no-floating-promises": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
