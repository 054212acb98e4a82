/** What holds until the client tells its settings, and for those it leaves out. */
import type { Settings } from "./protocol";

export const defaultSettings: Settings = {
  hover: { enable: true, layers: true },
  completion: { enable: true },
  inlayHints: { enable: false },
  diagnostics: { enable: true, rules: {} },
  insert: { destination: "inline", moduleName: "adapters" },
  corpus: { paths: [] },
  citation: { style: "comment" },
};
