/** The papers opened last, kept between sessions. */
import type { Memento } from "vscode";

export interface RecentPaper {
  readonly id: string;
  readonly title: string;
}

const key = "litlens.recentPapers";
const limit = 10;

export class RecentPapers {
  readonly #memory: Memento;

  constructor(memory: Memento) {
    this.#memory = memory;
  }

  list(): readonly RecentPaper[] {
    return this.#memory.get<readonly RecentPaper[]>(key, []);
  }

  async add({ id, title }: RecentPaper): Promise<void> {
    const others = this.list().filter((paper) => paper.id !== id);
    await this.#memory.update(key, [{ id, title }, ...others].slice(0, limit));
  }
}
