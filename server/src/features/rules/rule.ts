/** What a rule is given and what it finds. */
import type { Edit } from "../../adapters/edits";
import type { Rule } from "../../literature/catalogue";
import type { Range } from "../../python/facts";
import type { Values } from "../../python/values/values";
import type { FeatureContext, OpenDocument } from "../context";

export interface RuleContext extends FeatureContext {
  readonly document: OpenDocument;
  readonly values: Values;
}

export interface Repair {
  /** What the menu says. */
  readonly title: string;
  readonly edits: readonly Edit[];
}

export interface Finding {
  /** What is underlined. */
  readonly range: Range;
  /** What stands for the {names} of the rule's message. */
  readonly words?: Readonly<Record<string, string>>;
  readonly repairs?: readonly Repair[];
  /** In place of the rule's own paper. */
  readonly arxiv?: string;
}

/** Finds every place of a document where a rule of this name is broken; never one that may be right. */
export type Check = (context: RuleContext, rule: Rule) => readonly Finding[];
