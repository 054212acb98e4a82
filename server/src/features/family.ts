/** The family of pretrained models that a call loads, by the name of the checkpoint or of the class. */
import type { Family } from "../literature/catalogue";
import type { Library } from "../literature/library";
import type { Call, PythonFacts } from "../python/facts";
import { valuesOf } from "../python/values/values";
import type { FeatureContext, OpenDocument } from "./context";
import { givenConfigs } from "./rules/origins";

/** What is loaded: a checkpoint, where it is known, and the class by which. */
export interface Loaded {
  readonly family: Family;
  /** As one speaks of it: "meta-llama/Llama-2-7b-hf", else "LlamaForCausalLM". */
  readonly name: string;
  /** Whether the model has its language-model head, so that the linear layers of the family are all. */
  readonly withHead: boolean;
}

const heads =
  /^(?:AutoModelFor(?:CausalLM|Seq2SeqLM|SpeechSeq2Seq)|\w+For(?:CausalLM|ConditionalGeneration)|\w+LMHeadModel|MarianMTModel|Fast(?:Language)?Model)$/;

/** The model of `transformers.AutoModelForCausalLM.from_pretrained("…")`; undefined where its family is not certain. */
export function loadedBy(library: Library, { qualified = "", arguments: given }: Call): Loaded | undefined {
  const parts = qualified.split(".");
  if (parts.at(-1) !== "from_pretrained" || !/^(?:transformers|unsloth)$/.test(parts[0] ?? ""))
    return undefined;
  const type = parts.at(-2) ?? "";
  const first =
    given.find(({ keyword }) => /^(?:pretrained_model_name_or_path|model_name)$/.test(keyword?.name ?? "")) ??
    given.find(({ keyword, star }) => keyword === undefined && star === undefined);
  const value = first?.value.value;
  const checkpoint = value?.kind === "string" ? value.value : undefined;
  const byName = checkpoint === undefined ? undefined : familyOf(library, checkpoint);
  const byClass = families(library).find((family) => isOfClass(family, type));
  const family = byName ?? byClass;
  if (family === undefined || (byName && byClass && byName !== byClass)) return undefined;
  return { family, name: checkpoint ?? type, withHead: heads.test(type) };
}

/** What surely loads the model that a configuration is given with. */
export function loadedFor(context: FeatureContext, document: OpenDocument, config: Call): Loaded | undefined {
  const rules = { ...context, document, values: valuesOf(document.python.facts) };
  const given = givenConfigs(rules).filter((each) => each.config.call.range.from === config.range.from);
  const [first, ...others] = given.map(({ base }) => base && loadedBy(context.library, base.call));
  return others.every((other) => other?.name === first?.name) ? first : undefined;
}

/** The family that all checkpoints of a file belong to; what is only proposed may rest on it. */
export function familyIn(library: Library, { calls }: PythonFacts): Family | undefined {
  const [first, ...others] = calls.flatMap((call) => loadedBy(library, call) ?? []);
  return others.every(({ family }) => family === first?.family) ? first?.family : undefined;
}

/** By the name of a checkpoint. */
export function familyOf(library: Library, checkpoint: string): Family | undefined {
  const name = checkpoint.toLowerCase();
  const found = families(library).filter(
    ({ checkpoints, except = [] }) =>
      checkpoints.some((each) => begins(name, each.toLowerCase())) &&
      !except.some((each) => name.includes(each.toLowerCase())),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** "gpt2" begins gpt2-medium and not gpt20; what ends with a hyphen begins anything. */
const begins = (name: string, beginning: string): boolean =>
  name.startsWith(beginning) && (/[-/]$/.test(beginning) || !/[a-z\d]/.test(name.charAt(beginning.length)));

const isOfClass = ({ classes = [] }: Family, type: string): boolean =>
  classes.some(
    (each) => type.startsWith(each) && /^(?:For[A-Z]|Model$|LMHead|MTModel$)/.test(type.slice(each.length)),
  );

const families = (library: Library): readonly Family[] => library.families().flatMap((each) => each.families);

/** The names of its linear layers, attention first. */
export const linearLayersOf = ({
  attention,
  feedForward,
}: Pick<Family, "attention" | "feedForward">): string[] => [...new Set([...attention, ...feedForward])];
