/** Lists that follow one another: each stays until the next stands there, so that no key goes to the code between two. */
import type { Disposable, QuickInputButton, QuickPick, QuickPickItem } from "vscode";

export interface StepOptions<Item, Answer> {
  /** What buttons of the title answer. */
  readonly buttons?: ReadonlyMap<QuickInputButton, Answer>;
  /** Whether what was accepted is an answer; else the list goes on. */
  readonly answers?: (items: readonly Item[]) => boolean;
}

export class Steps implements Disposable {
  #shown: QuickPick<QuickPickItem> | undefined;

  /** The items accepted, the answer of a button, or `undefined` when the list was left. */
  show<Item extends QuickPickItem, Answer = never>(
    pick: QuickPick<Item>,
    { buttons = new Map<QuickInputButton, Answer>(), answers = () => true }: StepOptions<Item, Answer> = {},
  ): Promise<readonly Item[] | Answer | undefined> {
    pick.buttons = [...buttons.keys()];
    return new Promise((resolve) => {
      pick.onDidAccept(() => {
        const items = pick.canSelectMany ? pick.selectedItems : pick.activeItems.slice(0, 1);
        if (!answers(items)) return;
        pick.busy = true;
        resolve(items);
      });
      pick.onDidTriggerButton((button) => {
        const answer = buttons.get(button);
        if (answer !== undefined) resolve(answer);
      });
      pick.onDidHide(() => resolve(undefined));
      pick.show();
      this.#shown?.dispose();
      this.#shown = pick;
    });
  }

  dispose(): void {
    this.#shown?.dispose();
    this.#shown = undefined;
  }
}
