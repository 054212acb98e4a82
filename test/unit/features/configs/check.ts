/** Actions on configurations, on marked source text: cursor `|`, and the whole document after the edit. */
import assert from "node:assert/strict";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import { applied, serviceWith, type Surroundings, unmark, uri } from "../../adapters/check";

export interface Offered {
  readonly text: string;
  readonly actions: readonly CodeAction[];
  readonly edited: (title: string) => Promise<string>;
}

/** What the menu of refactorings has for the configuration under the cursor; clients know snippets. */
export function offered(marked: string, surroundings: Surroundings = {}, only = "refactor"): Offered {
  const { text, offset } = unmark(marked);
  const service = serviceWith(text, { snippets: true, ...surroundings });
  const position = TextDocument.create(uri, "python", 1, text).positionAt(offset);
  const asked = only === "" ? {} : { only: [only] };
  const actions = service
    .codeActions(uri, { start: position, end: position }, { diagnostics: [], ...asked })
    .filter(({ kind }) => kind?.startsWith("refactor.rewrite.config"));
  return {
    text,
    actions,
    edited: async (title) => {
      const action = actions.find((each) => each.title === title);
      assert.ok(action, `no action "${title}" among:\n${titles(actions).join("\n")}`);
      assert.equal(action.disabled, undefined, action.disabled?.reason);
      const { edit } = await service.resolveCodeAction(action);
      return applied(edit, { [uri]: text })[uri] ?? "";
    },
  };
}

export const titles = (actions: readonly CodeAction[]): string[] => actions.map(({ title }) => title);

/** Carries out the action of this title and compares the whole document. */
export async function checkEdit(
  marked: string,
  title: string,
  expected: string,
  surroundings: Surroundings = {},
): Promise<void> {
  assert.equal(await offered(marked, surroundings).edited(title), expected);
}

/** The reason for which the action whose title begins so is greyed out. */
export function reason(marked: string, begins: string, surroundings: Surroundings = {}): string {
  const { actions } = offered(marked, surroundings);
  const action = actions.find(({ title }) => title.startsWith(begins));
  assert.ok(action, `no action "${begins}…" among:\n${titles(actions).join("\n")}`);
  assert.ok(action.disabled, `"${action.title}" is enabled`);
  return action.disabled.reason;
}
