/** Single values of configuration files, TOML and INI alike: the section's header, and a key below it. */

export interface Configuration {
  /** A value as written, without quotes around it; undefined where the file does not have it. */
  get(section: string, key: string): string | undefined;
  has(section: string): boolean;
}

/** Reads sections and keys; `""` is what stands above the first section. What it cannot read it passes over. */
export function readConfiguration(text: string): Configuration {
  const sections = new Map<string, Map<string, string>>([["", new Map()]]);
  let section = sections.get("") ?? new Map<string, string>();
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const header = /^\s*\[([^[\]]+|[^[]*\[[^\]]*\][^\]]*)\]\s*(?:[#;].*)?$/.exec(line)?.[1]?.trim();
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string>();
      sections.set(header, section);
      continue;
    }
    const [, key, value] = /^\s*([\w.-]+|"[^"]*")\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !/^\s*[#;]/.test(line))
      section.set(key.replaceAll('"', "").replaceAll("-", "_"), unquoted(value));
  }
  return {
    get: (name, key) => sections.get(name)?.get(key.replaceAll("-", "_")),
    has: (name) => sections.has(name),
  };
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*?)\1/.exec(value);
  return quoted === null ? value.replace(/\s+[#;].*$/, "") : (quoted[2] ?? "");
}

/** The sections of an .editorconfig that hold for a Python file, as one; later ones win. */
export function readEditorConfig(text: string): Configuration {
  const parts = text.split(/^(?=[ \t]*\[)/m).filter((part) => {
    const [, glob = "*"] = /^[ \t]*\[(.*)\]/.exec(part) ?? [];
    return (
      glob === "*" ||
      /^(?:\*\*\/?)?\*?\.?(?:py|\{(?:.*[,.])?py(?:,.*)?\})$|^\{(?:.*,)?\*\.py(?:,.*)?\}$/.test(glob)
    );
  });
  return readConfiguration(parts.map((part) => part.replace(/^[ \t]*\[.*\][^\r\n]*/, "[*]")).join("\n"));
}
