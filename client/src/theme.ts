/** VS Code's colour theme in the server's words. */
import { ColorThemeKind, window } from "vscode";
import type { Theme } from "../../server/src/protocol";

export function currentTheme(): Theme {
  switch (window.activeColorTheme.kind) {
    case ColorThemeKind.Light:
      return "light";
    case ColorThemeKind.Dark:
      return "dark";
    case ColorThemeKind.HighContrast:
      return "highContrast";
    case ColorThemeKind.HighContrastLight:
      return "highContrastLight";
  }
}
