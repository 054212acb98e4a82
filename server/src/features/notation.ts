/** How the place at hand writes settings: a call in Python, or a configuration file in YAML. The corpus writes Python. */
import type { LibrarySymbol } from "../literature/catalogue";

export interface Notation {
  /** `r=8`, `lora_r: 8` */
  readonly setting: (name: string, value: string) => string;
  /** A value of the corpus as it is written here; undefined where one writes nothing for it. */
  readonly value: (python: string) => string | undefined;
}

export const pythonNotation: Notation = {
  setting: (name, value) => `${name}=${value}`,
  value: (python) => python,
};

export const yamlNotation: Notation = {
  setting: (name, value) => `${name}: ${yamlValue(value) ?? "null"}`,
  value: yamlValue,
};

export const notationOf = ({ kind }: LibrarySymbol): Notation =>
  kind === "file" ? yamlNotation : pythonNotation;

function yamlValue(python: string): string | undefined {
  const text = python.trim();
  if (text === "None") return undefined;
  if (text === "True" || text === "False") return text.toLowerCase();
  const quoted = /^(["'])(.*)\1$/.exec(text)?.[2];
  if (quoted !== undefined) return isPlain(quoted) ? quoted : text;
  if (/^[[{]/.test(text)) return text.replace(/(["'])([\w.-]+)\1/g, "$2");
  // PyYAML takes 1e-6 for text: a number has a point
  return text.replace(/^(-?\d+)e/i, "$1.0e");
}

/** Text that YAML reads as nothing but text. */
const isPlain = (text: string): boolean =>
  /^[A-Za-z_/][\w ./,+-]*$/.test(text) &&
  !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text) &&
  !/\s$/.test(text);
