/** The figures with which a paper's model was trained, filled in at the call under the cursor. */
import { indentationAt, lineEnd } from "../../adapters/callSites/callSite";
import { changeArguments } from "../../adapters/callSites/changeArguments";
import { edit, type Edit, insertion, type Piece, plainText } from "../../adapters/edits";
import type { Recipe, RecipePart } from "../../literature/catalogue";
import type { Argument } from "../../python/facts";
import { same } from "../rules/callArguments";
import { callsOf } from "../rules/declared";
import { argumentsNamed } from "./convert";
import { objection } from "./objections";
import { argumentsHere, type CallAt, listed, type Offer, settingOf } from "./offer";
import { fill, type Filled } from "./template";

export function recipeOffers(at: CallAt): Offer[] {
  const { library, call, document } = at;
  if (!call.closed || call.arguments.some(({ star }) => star === "**")) return [];
  const given = argumentsHere(at);
  const { text } = document.python;
  return library.recipes().flatMap((recipe) =>
    recipe.parts
      .filter(({ calls }) => callsOf([call], library, calls).length > 0)
      .filter(({ without = [] }) => !without.some((name) => new RegExp(`\\b${name}\\b`).test(text)))
      .filter(({ unless = [] }) => argumentsNamed(given, unless).length === 0)
      .flatMap((part) =>
        part.optimizer === undefined
          ? figures(at, recipe, part)
          : optimizer(at, recipe, part, part.optimizer),
      ),
  );
}

const citedAs = ({ library }: CallAt, { name, paper }: Recipe): string => {
  const arxiv = library.paper(paper)?.arxiv;
  return arxiv === undefined ? name : `${name} (arXiv:${arxiv})`;
};

interface Figure extends Filled {
  readonly argument: string;
  /** What stands there now. */
  readonly present?: Argument;
}

/** Arguments that take the recipe's values; the menu shows each with the one that it replaces. */
function figures(at: CallAt, recipe: Recipe, part: RecipePart): Offer[] {
  const { call, document, symbol } = at;
  const { text } = document.python;
  const given = argumentsHere(at);
  const changed: Figure[] = [];
  for (const [argument, value] of Object.entries(part.set)) {
    const setting = given.setting(argument);
    // what a position or an assignment elsewhere decides cannot be told
    if (setting.kind === "unknown" && symbol?.kind === "config") return [];
    const is = setting.kind === "unknown" ? undefined : setting.value;
    if (is !== undefined && same(value, is)) continue;
    changed.push({
      argument,
      ...fill(at, document, value),
      ...(setting.kind === "given" ? { present: setting.argument } : {}),
    });
  }
  if (changed.length === 0) return [];
  const after = (name: string) => {
    const figure = changed.find(({ argument }) => argument === name);
    return figure === undefined ? given.setting(name) : settingOf(name, figure.written);
  };
  return [
    {
      key: `recipe:${recipe.id}`,
      title: `Fill in the figures of ${citedAs(at, recipe)}: ${listed(changed.map(shown), 6)}`,
      disabled:
        changed.find(({ problem }) => problem !== undefined)?.problem ??
        objection(at, given, { setting: after, symbol }),
      prominent: true,
      edits: () => {
        const replace = new Map<Argument, string>();
        const add: Piece[][] = [];
        for (const { argument, written, present } of changed) {
          if (present === undefined) add.push([`${argument}=${written}`]);
          else replace.set(present, written);
        }
        return [
          ...distinct(changed.flatMap(({ edits }) => edits)),
          ...changeArguments(text, call, { replace, add }),
          ...below(at, part),
        ];
      },
    },
  ];
}

/** "r=64 for 8" */
const shown = ({ argument, written, present }: Figure): string => {
  const value = /^\w+\(|^[\w.]+\(/.test(written) ? `${written.slice(0, written.indexOf("("))}(…)` : written;
  return `${argument}=${value}${present === undefined ? "" : ` for ${present.value.text}`}`;
};

/** Two values may need one import. */
const distinct = (edits: readonly Edit[]): Edit[] => [
  ...new Map(edits.map((each) => [`${each.from}:${plainText(each)}`, each])).values(),
];

/** The statement that belongs below the call's, unless the file has it. */
function below(at: CallAt, { after }: RecipePart): Edit[] {
  const { call, document } = at;
  const { text } = document.python;
  const { assignedTo, statement } = call;
  if (after === undefined || assignedTo === undefined) return [];
  const { written, edits } = fill(at, document, after.replaceAll("{target}", assignedTo));
  const called = /(\w+)\(/.exec(written)?.[1] ?? written;
  if (new RegExp(`\\b${called}\\b`).test(text)) return [];
  const line = `\n${indentationAt(text, statement.from)}${written}`;
  return [...edits, insertion(lineEnd(text, statement.to), line)];
}

/** `AdamW(model.parameters(), lr=…)` → `create_loraplus_optimizer(model, AdamW, lr=…, loraplus_lr_ratio=16)`. */
function optimizer(at: CallAt, recipe: Recipe, part: RecipePart, path: string): Offer[] {
  const { library, call, document } = at;
  const { text, facts } = document.python;
  const [parameters, second] = call.arguments;
  const model = /^(\w+)\.parameters\(\)$/.exec(parameters?.value.text ?? "")?.[1];
  if (parameters === undefined || model === undefined || parameters.keyword !== undefined) return [];
  const adapted = callsOf(facts.calls, library, ["peft.get_peft_model"]).some(
    ({ assignedTo }) => assignedTo === model,
  );
  if (!adapted || callsOf(facts.calls, library, ["peft.LoraConfig"]).length === 0) return [];
  const named = (name: string): Argument | undefined =>
    call.arguments.find(({ keyword }) => keyword?.name === name);
  const { rename = {}, preset = {} } = part;
  const callee = text.slice(call.callee.from, call.callee.to);
  const added = { ...part.set };
  for (const [name, value] of Object.entries(preset)) {
    const own = Object.entries(rename).find(([, to]) => to === name)?.[0];
    if (own !== undefined && named(own) === undefined) added[name] = value;
  }
  const renames = new Map(
    Object.entries(rename).flatMap(([from, to]) => {
      const argument = named(from);
      return argument === undefined ? [] : [[argument, to] as const];
    }),
  );
  const called = fill(at, document, `{${path}}`);
  const disabled =
    called.problem ??
    (second?.keyword === undefined && second !== undefined
      ? "Give the arguments after the parameters by name: lr=…"
      : named("lr") === undefined
        ? `${path.split(".").at(-1) ?? path} needs \`lr\`, which is not given here.`
        : undefined);
  return [
    {
      key: `recipe:${recipe.id}`,
      title: `Train with ${citedAs(at, recipe)}: ${listed(Object.entries(added).map(([name, value]) => `${name}=${value}`))}`,
      disabled,
      prominent: true,
      edits: () => [
        ...called.edits,
        edit(call.callee.from, call.callee.to, called.written),
        edit(parameters.range.from, parameters.range.to, `${model}, ${callee}`),
        ...changeArguments(text, call, {
          rename: renames,
          add: Object.entries(added).map(([name, value]) => [`${name}=${value}`]),
        }),
      ],
    },
  ];
}
