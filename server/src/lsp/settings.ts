/** The user's settings, one by one: a wrong one is named and leaves the value that was there. */
import * as v from "valibot";
import { defaultSettings } from "../defaultSettings";
import type { Settings } from "../protocol";

const trueOrFalse = v.boolean("true or false");
const oneOf = <const T extends readonly string[]>(values: T) =>
  v.picklist(values, values.map((value) => JSON.stringify(value)).join(" or "));
const moduleName = v.pipe(
  v.string("a Python module name"),
  v.regex(/^[\p{L}_][\p{L}\p{N}_]*$/u, "a Python module name, without .py"),
);
const severity = "off, hint, information, warning or error, by the name of a rule";
const shownAs = v.record(
  v.string(severity),
  v.picklist(["off", "hint", "information", "warning", "error"], severity),
  severity,
);
const folders = v.array(v.string("a list of folders"), "a list of folders");

export interface CheckedSettings {
  readonly settings: Settings;
  /** One sentence a wrong setting, for the user. */
  readonly problems: readonly string[];
}

/** `raw` is the section `litlens` as the client gives it; what it leaves out takes its default. */
export function readSettings(raw: unknown, previous: Settings): CheckedSettings {
  const problems: string[] = [];
  const read = <S extends keyof Settings, K extends keyof Settings[S] & string>(
    section: S,
    name: K,
    schema: v.GenericSchema<unknown, Settings[S][K]>,
  ): Settings[S][K] => {
    const found = member(member(raw, section), name);
    if (found === undefined || found === null) return defaultSettings[section][name];
    const result = v.safeParse(schema, found);
    if (result.success) return result.output;
    const kept = previous[section][name];
    problems.push(
      `litlens.${section}.${name} must be ${result.issues[0].message}, found ${JSON.stringify(found)}; ` +
        `${JSON.stringify(kept)} stays in force.`,
    );
    return kept;
  };
  const settings: Settings = {
    hover: { enable: read("hover", "enable", trueOrFalse), layers: read("hover", "layers", trueOrFalse) },
    completion: { enable: read("completion", "enable", trueOrFalse) },
    inlayHints: { enable: read("inlayHints", "enable", trueOrFalse) },
    diagnostics: {
      enable: read("diagnostics", "enable", trueOrFalse),
      rules: read("diagnostics", "rules", shownAs),
    },
    insert: {
      destination: read("insert", "destination", oneOf(["inline", "module"])),
      moduleName: read("insert", "moduleName", moduleName),
    },
    corpus: { paths: read("corpus", "paths", folders) },
    citation: { style: read("citation", "style", oneOf(["comment", "bibtex"])) },
  };
  return { settings, problems };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
