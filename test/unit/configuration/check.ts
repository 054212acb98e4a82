/** Configuration files as marked text, with the bundled corpus: `|` is the cursor, `^^^` marks ranges of the line above. */
import assert from "node:assert/strict";
import { type CompletionItem, MarkupContent } from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { readConfiguration } from "../../../server/src/configuration/read";
import { completeConfiguration } from "../../../server/src/features/configuration/completion";
import { type ConfigurationDocument, recognise } from "../../../server/src/features/configuration/document";
import { configurationHover } from "../../../server/src/features/configuration/hover";
import type { FeatureContext } from "../../../server/src/features/context";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "../features/check";
import { contextWith } from "../features/corpus";

const uri = "file:///config.yaml";

export const { corpus } = compileCorpus("corpus");
export const library = createLibrary(corpus, {});
export const context = contextWith({ library });

/** The file as the service has it; fails where it is not recognised. */
export function open(text: string): ConfigurationDocument {
  const symbol = recognise(library, text);
  assert.ok(symbol, `not recognised:\n${text}`);
  return { uri, text: TextDocument.create(uri, "yaml", 1, text), symbol, tree: readConfiguration(text) };
}

/** The hover at the cursor as it reads, and what it is about; null where there is none. */
export function hoverIn(
  source: string,
  given: FeatureContext = context,
): { readonly token: string; readonly text: string } | null {
  const { text, offset } = marked(source);
  const document = open(text);
  const found = configurationHover(given, document, offset);
  if (found?.range === undefined) return null;
  assert.ok(MarkupContent.is(found.contents));
  return { token: document.text.getText(found.range), text: found.contents.value.replace(/\\(?=\W|_)/g, "") };
}

export function itemsIn(source: string, given: FeatureContext = context): CompletionItem[] {
  const { text, offset } = marked(source);
  return completeConfiguration(given, open(text), offset).items;
}

/** The document after the item of this name is taken. */
export function afterTaking(label: string, source: string, given: FeatureContext = context): string {
  const { text } = marked(source);
  const item = itemsIn(source, given).find((each) => each.label === label);
  assert.ok(item?.textEdit && "range" in item.textEdit, `no ${label} in ${source}`);
  return TextDocument.applyEdits(TextDocument.create(uri, "yaml", 1, text), [item.textEdit]);
}

/** The start of a file that is certainly Axolotl's, LLaMA-Factory's, MLX LM's or that of ms-swift. */
export const axolotl =
  "base_model: meta-llama/Llama-3.1-8B\ndatasets:\n  - path: tatsu-lab/alpaca\n    type: alpaca\nsequence_len: 2048\n";
export const llamaFactory = "model_name_or_path: Qwen/Qwen3-8B\nstage: sft\ntemplate: qwen3\n";
export const mlx =
  "model: mlx-community/Qwen3-8B-4bit\ntrain: true\ndata: data\niters: 600\nnum_layers: 16\nsave_every: 100\nlora_parameters:\n";
export const swift =
  "model: Qwen/Qwen3-8B\ntuner_type: lora\ndataset:\n  - swift/self-cognition#500\ntorch_dtype: bfloat16\nmax_length: 2048\n";
