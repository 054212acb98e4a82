/** What the configuration files around a Python file say of how its code is written. The nearest that says it decides. */
import type { ProjectManner } from "../adapters/projectManner";
import { type Configuration, readConfiguration, readEditorConfig } from "./configuration";
import { foldersAround } from "./modules";

/** What each kind of file can say; a formatter's own words before those of a linter or an editor. */
const readers: Readonly<Record<string, (text: string) => ProjectManner>> = {
  "pyproject.toml": (text) => {
    const file = readConfiguration(text);
    return merged([
      fromBlack(file),
      fromRuff(file, "tool.ruff"),
      fromYapf(file, "tool.yapf"),
      widthOf(file, "tool.autopep8", "max_line_length"),
      python(file.get("project", "requires-python") ?? file.get("tool.poetry.dependencies", "python")),
    ]);
  },
  "ruff.toml": (text) => fromRuff(readConfiguration(text), ""),
  ".ruff.toml": (text) => fromRuff(readConfiguration(text), ""),
  ".style.yapf": (text) => fromYapf(readConfiguration(text), "style"),
  "setup.cfg": (text) => {
    const file = readConfiguration(text);
    return merged([
      fromYapf(file, "yapf"),
      fromLinters(file),
      python(file.get("options", "python_requires")),
    ]);
  },
  "tox.ini": (text) => fromLinters(readConfiguration(text)),
  ".flake8": (text) => fromLinters(readConfiguration(text)),
  ".editorconfig": (text) => fromEditor(readEditorConfig(text)),
};

/** Longer files are none of these. */
const maximumBytes = 200_000;

/**
 * @param roots addresses of the workspace's folders
 * @param readFile rejects where there is no file
 */
export async function projectManner(
  uri: string,
  roots: readonly string[],
  readFile: (uri: string, maximumBytes: number) => Promise<string>,
): Promise<ProjectManner> {
  const said = foldersAround(uri, roots).flatMap((folder) =>
    Object.entries(readers).map(async ([name, read]) => {
      const text = await readFile(`${folder}${name}`, maximumBytes).catch(() => undefined);
      return text === undefined ? {} : read(text);
    }),
  );
  return merged(await Promise.all(said));
}

/** The first that says something has the say. */
const merged = (manners: readonly ProjectManner[]): ProjectManner =>
  manners.reduceRight((later, earlier) => ({ ...later, ...earlier }), {});

function fromBlack(file: Configuration): ProjectManner {
  if (!file.has("tool.black")) return {};
  const keepsQuotes = file.get("tool.black", "skip-string-normalization") === "true";
  return {
    width: 88,
    indent: "    ",
    ...(keepsQuotes ? {} : { quote: '"' as const }),
    ...widthOf(file, "tool.black", "line-length"),
    ...oldest(file.get("tool.black", "target-version")),
  };
}

function fromRuff(file: Configuration, section: string): ProjectManner {
  const format = section === "" ? "format" : `${section}.format`;
  if (section !== "" && !file.has(section) && !file.has(format)) return {};
  const quotes = file.get(format, "quote-style");
  const width = Number(file.get(section, "indent-width") ?? 4);
  const isTab = file.get(format, "indent-style") === "tab";
  return {
    width: 88,
    indent: isTab ? "\t" : " ".repeat(width > 0 ? width : 4),
    ...(quotes === "preserve" ? {} : { quote: quotes === "single" ? ("'" as const) : ('"' as const) }),
    ...widthOf(file, section, "line-length"),
    ...oldest(file.get(section, "target-version")),
  };
}

const fromYapf = (file: Configuration, section: string): ProjectManner =>
  file.has(section) ? { width: 79, ...widthOf(file, section, "column_limit") } : {};

const fromLinters = (file: Configuration): ProjectManner =>
  merged(["flake8", "pycodestyle", "pep8"].map((section) => widthOf(file, section, "max-line-length")));

function fromEditor(file: Configuration): ProjectManner {
  const style = file.get("*", "indent_style");
  const size = Number(file.get("*", "indent_size"));
  return {
    ...widthOf(file, "*", "max_line_length"),
    ...(style === "tab" ? { indent: "\t" } : size > 0 ? { indent: " ".repeat(size) } : {}),
  };
}

function widthOf(file: Configuration, section: string, key: string): ProjectManner {
  const width = Number(file.get(section, key));
  return Number.isInteger(width) && width >= 40 ? { width } : {};
}

/** ">=3.8,<3.12", "^3.9" */
function python(required: string | undefined): ProjectManner {
  const minor = /(?:>=|\^|~=?|==)\s*3\.(\d+)/.exec(required ?? "")?.[1];
  return minor === undefined ? {} : { python: Number(minor) };
}

/** "py38", ["py38", "py311"] */
function oldest(targets: string | undefined): ProjectManner {
  const minors = [...(targets ?? "").matchAll(/py3(\d+)/g)].map(([, minor]) => Number(minor));
  return minors.length === 0 ? {} : { python: Math.min(...minors) };
}
