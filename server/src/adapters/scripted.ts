/** Models that `torch.jit.script` compiles, and all that stands in them with them. */
import type { ModuleClass, PythonFacts } from "../python/facts";
import { isRoot } from "./root";

/** Why only what compiles can be put into a class of the file; undefined where nothing is scripted. */
export function compiledReason(facts: PythonFacts, text: string, module: ModuleClass): string | undefined {
  const line = scriptedModels(facts, text).find(
    ({ names }) => names === undefined || names.some((name) => holds(facts, name, module.name)),
  );
  return line === undefined
    ? undefined
    : `\`${line.text}\` compiles the model, and this method is no TorchScript. Take one that is, such as LoRA, or trace the model.`;
}

interface Scripted {
  readonly text: string;
  /** The classes that it may be; absent where any may. */
  readonly names?: readonly string[];
}

const known = new WeakMap<PythonFacts, readonly Scripted[]>();

/** `torch.jit.script(model)`, where that is no function. */
function scriptedModels(facts: PythonFacts, text: string): readonly Scripted[] {
  const before = known.get(facts);
  if (before !== undefined) return before;
  // the calls of a whole file are read for this only where it can have one
  const all = /\bscript\b/.test(text) ? facts.calls : [];
  const calls = all.filter(({ qualified }) => qualified === "torch.jit.script");
  const found = calls.flatMap(({ arguments: [given] }): Scripted[] => {
    const text = given?.value.text ?? "";
    const own = facts.definitions.find(({ name }) => name === text);
    if (text === "" || own?.kind === "function" || /^(?:lambda\b|self\.)/.test(text)) return [];
    const built = facts.modules.filter(
      ({ name, constructedWith }) =>
        new RegExp(`^${name}\\b`).test(text) || constructedWith.some((each) => each.assignedTo === text),
    );
    const what = { text: `torch.jit.script(${text.split("\n")[0] ?? ""})` };
    return [built.length === 0 ? what : { ...what, names: built.map(({ name }) => name) }];
  });
  known.set(facts, found);
  return found;
}

/** Whether a class is the other one or builds it somewhere below; what is at the top may hold whatever it is given. */
function holds(facts: PythonFacts, whole: string, part: string, above: readonly string[] = []): boolean {
  if (whole === part) return true;
  if (above.includes(whole)) return false;
  const module = facts.modules.find(({ name }) => name === whole);
  const types = module?.layers.map(({ type }) => type) ?? [];
  const inside = types.some((type) => holds(facts, type, part, [...above, whole]));
  const other = facts.modules.find(({ name }) => name === part);
  return inside || (other !== undefined && !isRoot(facts, other) && !isPartOfAnother(facts, other));
}

/** Whether the file shows of what it is a part. */
const isPartOfAnother = (facts: PythonFacts, part: ModuleClass): boolean =>
  facts.modules.some(({ layers }) => layers.some(({ type }) => type === part.name));
