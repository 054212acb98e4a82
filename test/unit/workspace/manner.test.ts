import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectManner } from "../../../server/src/adapters/projectManner";
import { projectManner } from "../../../server/src/workspace/manner";

/** What is read for /project/src/net/model.py of the workspace /project. */
async function check(files: Readonly<Record<string, string>>, expected: ProjectManner): Promise<void> {
  const found = await projectManner("file:///project/src/net/model.py", ["file:///project"], (uri) => {
    const text = files[uri.replace("file:///project/", "")];
    return text === undefined ? Promise.reject(new Error(uri)) : Promise.resolve(text);
  });
  assert.deepEqual(found, expected);
}

test("Black's width, and the oldest Python of the project", () =>
  check(
    {
      "pyproject.toml":
        '[project]\nrequires-python = ">=3.9,<3.13" # tested\n\n[tool.black]\nline-length = 79 # columns\n',
    },
    { width: 79, quote: '"', indent: "    ", python: 9 },
  ));

test("Black without a width has its own", () =>
  check(
    { "pyproject.toml": "[tool.black]\nskip-string-normalization = true\n" },
    { width: 88, indent: "    " },
  ));

test("Ruff's format, in pyproject.toml and in a file of its own", async () => {
  await check(
    {
      "pyproject.toml":
        '[tool.ruff]\nline-length = 119\ntarget-version = "py310"\n[tool.ruff.format]\nquote-style = "single"\n',
    },
    { width: 119, quote: "'", indent: "    ", python: 10 },
  );
  await check(
    {
      "ruff.toml":
        'line-length = 100\nindent-width = 2\n[lint]\nselect = ["E"]\n[format]\nquote-style = "preserve"\n',
    },
    { width: 100, indent: "  " },
  );
});

test("linters of setup.cfg, tox.ini and .flake8", async () => {
  await check(
    {
      "setup.cfg":
        "[metadata]\nname = x\n[options]\npython_requires = >=3.8\n[flake8]\nmax-line-length = 120\n",
    },
    { width: 120, python: 8 },
  );
  await check({ "tox.ini": "[pycodestyle]\nmax_line_length = 99\n" }, { width: 99 });
  await check({ ".flake8": "[flake8]\n; wide\nmax-line-length: 110\n" }, { width: 110 });
});

test("yapf and .editorconfig", async () => {
  await check({ ".style.yapf": "[style]\nbased_on_style = google\ncolumn_limit = 80\n" }, { width: 80 });
  await check(
    {
      ".editorconfig":
        "root = true\n[*]\nindent_style = space\n[*.js]\nmax_line_length = 60\n[*.{py,pyi}]\nmax_line_length = 96\nindent_size = 2\n",
    },
    { width: 96, indent: "  " },
  );
});

test("the nearest file decides; what it does not say, the next one does", () =>
  check(
    {
      "src/setup.cfg": "[flake8]\nmax-line-length = 100\n",
      "pyproject.toml": '[tool.black]\nline-length = 79\n[project]\nrequires-python = ">=3.10"\n',
      "../pyproject.toml": "[tool.black]\nline-length = 60\n",
    },
    { width: 100, quote: '"', indent: "    ", python: 10 },
  ));

test("files that say nothing of it, or nonsense", () =>
  check(
    {
      "pyproject.toml": '[tool.black\nline-length = "wide"\n[tool.pytest.ini_options]\naddopts = "-q"\n',
      "setup.cfg": "\ufeff[flake8]\nmax-line-length = 7\n",
    },
    {},
  ));
