/** Making a configuration one of another method: by its own arguments (rsLoRA, DoRA), or as another class (VeRA). */
import { type ArgumentChanges, changeArguments } from "../../adapters/callSites/changeArguments";
import { edit, type Piece } from "../../adapters/edits";
import { renamedCallee } from "../../adapters/libraryNames";
import { evaluate } from "../../literature/expression";
import type { ArgumentValues, ConversionForm, Conversions, LibrarySymbol } from "../../literature/catalogue";
import type { Argument, Call } from "../../python/facts";
import { valuesOf } from "../../python/values/values";
import { type CallArguments, literalValue, numberOf, type Setting } from "../rules/callArguments";
import { unpackedInto } from "../rules/unpacked";
import { carriedOver } from "./carriedOver";
import { stateOf } from "./form";
import { bond, hindrance, objection } from "./objections";
import { argumentsWithDicts, type CallAt, listed, type Offer, settingOf } from "./offer";
import { fill } from "./template";

/** All of them, or those that the lightbulb may show. */
export function conversionOffers(at: CallAt, which: "all" | "prominent"): Offer[] {
  const { symbol, call } = at;
  if (symbol === undefined || !call.closed) return [];
  const given = argumentsWithDicts(at);
  const isOwn = ({ config }: ConversionForm): boolean => config === symbol.name;
  return at.library
    .conversions()
    .filter(({ library, forms }) => library === symbol.library && forms.some(isOwn))
    .flatMap((table) => {
      const own = table.forms.filter(isOwn);
      const isWanted = (form: ConversionForm): boolean => which === "all" || form.prominent === true;
      return table.forms.flatMap((form) => {
        // the way back from what a configuration is stays in sight
        if (!isWanted(form) && (!isOwn(form) || stateOf(form, given) !== "on")) return [];
        if (isOwn(form)) return form.config === table.words ? byArguments(at, own, form, given) : [];
        // further forms of another class follow from its plain one
        const plain = form.set === undefined || form.config !== table.words;
        return plain ? byClass(at, table, symbol, form, given) : [];
      });
    });
}

/** To a form of the same class and back. */
function byArguments(
  at: CallAt,
  own: readonly ConversionForm[],
  form: ConversionForm,
  given: CallArguments,
): Offer[] {
  const { set, name, keeping } = form;
  const { text } = at.document.python;
  const state = stateOf(form, given);
  if (set === undefined || state === "unknown") return [];
  const variants = (way: "to" | "back") => [
    { suffix: "", shown: [], values: new Map<Argument, string>() },
    ...(keeping === undefined ? [] : kept(keeping[way], keeping.unless ?? [], given)),
  ];
  const what = keeping === undefined ? "" : `, keeping ${keeping.what}`;
  const change = (changes: ArgumentChanges) => changeArguments(text, at.call, changes);

  if (state === "on") {
    const remove = argumentsNamed(given, Object.keys(set));
    if (remove.length === 0) return [];
    const disabled = outOfDict(given, Object.keys(set));
    const without = `without ${listed(remove.map(({ keyword }) => keyword?.name ?? ""))}`;
    return variants("back").map(({ suffix, shown, values }) => ({
      key: `back:${name}${suffix}`,
      title: `Convert back from ${name}${suffix && what}: ${[without, ...shown].join(", ")}`,
      disabled,
      prominent: true,
      edits: () => change({ remove, replace: values }),
    }));
  }

  const filled = Object.entries(set).map(([argument, value]) => ({
    argument,
    ...fill(at, at.document, value),
  }));
  // what another form of the same arguments sets besides goes with it: loftq_config
  const left = own
    .filter((other) => Object.keys(other.set ?? {}).some((each) => each in set))
    .filter((other) => stateOf(other, given) === "on")
    .flatMap((other) => Object.keys(other.set ?? {}).filter((each) => !(each in set)));
  const remove = argumentsNamed(given, left);
  const after = (argument: string): Setting => {
    const changed = filled.find((each) => each.argument === argument);
    if (changed !== undefined) return settingOf(argument, changed.written);
    return left.includes(argument) ? { kind: "default" } : given.setting(argument);
  };
  const disabled =
    outOfDict(given, [...Object.keys(set), ...left]) ??
    filled.find(({ problem }) => problem !== undefined)?.problem ??
    hindrance(at, form) ??
    clash(form, own, given) ??
    objection(at, given, { setting: after, symbol: given.symbol });
  const written = filled.map((each) => `${each.argument}=${each.written}`);
  return variants("to").map(({ suffix, shown, values }) => ({
    key: `convert:${name}${suffix}`,
    title: `Convert to ${name}${suffix && what}: ${[listed(written), ...shown].join(", ")}`,
    disabled,
    prominent: form.prominent,
    edits: () => {
      const replace = new Map(values);
      const add: Piece[][] = [];
      for (const each of filled) {
        const setting = given.setting(each.argument);
        if (setting.kind === "given") replace.set(setting.argument, each.written);
        else add.push([`${each.argument}=${each.written}`]);
      }
      return [...change({ remove, replace, add }), ...filled.flatMap((each) => each.edits)];
    },
  }));
}

/** Why arguments that would change cannot: one of them comes out of a dict. */
function outOfDict({ call, setting }: CallArguments, names: readonly string[]): string | undefined {
  const name = names.find((each) => isOutOfDict(setting(each)));
  const found = name === undefined ? undefined : setting(name);
  const star =
    found?.kind === "given" &&
    call.arguments.find(({ range }) => range.from === found.argument.range.from)?.value.text;
  return name === undefined
    ? undefined
    : `\`${name}\` comes out of \`**${star || "…"}\`, where it would have to change.`;
}

const isOutOfDict = (found: Setting): boolean => found.kind === "given" && found.unpacked === true;

/** What the call has already and cannot have together with a form. */
function clash(
  form: ConversionForm,
  own: readonly ConversionForm[],
  given: CallArguments,
): string | undefined {
  const [argument] = argumentsNamed(given, form.unless ?? []);
  if (argument !== undefined) return `${form.name} does not go with \`${argument.keyword?.name ?? ""}\`.`;
  const other = own.find(
    ({ unless = [], ...each }) =>
      unless.some((name) => name in (form.set ?? {})) && stateOf(each, given) === "on",
  );
  return other === undefined ? undefined : `${form.name} does not go with ${other.name}.`;
}

export const argumentsNamed = ({ setting }: CallArguments, names: readonly string[]): Argument[] =>
  names.flatMap((name) => {
    const found = setting(name);
    return found.kind === "given" ? [found.argument] : [];
  });

/** The changes by which something stays the same, where they come out as whole numbers. */
function kept(values: ArgumentValues, unless: readonly string[], given: CallArguments) {
  if (argumentsNamed(given, unless).length > 0) return [];
  const replace = new Map<Argument, string>();
  for (const [name, expression] of Object.entries(values)) {
    const found = given.setting(name);
    const value = evaluate(expression, {
      r: numberOf(given, "r"),
      lora_alpha: numberOf(given, "lora_alpha"),
    });
    if (found.kind !== "given" || isOutOfDict(found)) return [];
    if (value === undefined || !Number.isInteger(value)) return [];
    if (value === numberOf(given, name)) return [];
    replace.set(found.argument, String(value));
  }
  const shown = [...replace].map(([{ keyword }, value]) => `\`${keyword?.name ?? ""}=${value}\``);
  return [{ suffix: ":keeping", shown, values: replace }];
}

/** To another class: what it has a name for stays, the rest of the method's own arguments goes. */
function byClass(
  at: CallAt,
  table: Conversions,
  symbol: LibrarySymbol,
  form: ConversionForm,
  given: CallArguments,
): Offer[] {
  const { call, document, library } = at;
  const { text } = document.python;
  const target = library.symbolsNamed(form.config).find((each) => each.library === table.library);
  const source = table.forms.find(({ config }) => config === symbol.name);
  const unpacked = unpackedInto(call, valuesOf(document.python.facts));
  if (target === undefined || source === undefined || unpacked === undefined) return [];
  const inDicts = [...unpacked.values()];
  const whole: Call = {
    ...call,
    arguments: [...call.arguments.filter(({ star }) => star === undefined), ...inDicts],
  };
  const { set = {}, asks = [], name } = form;
  const {
    kept: stay,
    dropped,
    words,
    refused,
  } = carriedOver(table, whole, { form: source, symbol }, { form, symbol: target });
  const wordOf = (word: string): string | undefined =>
    words.get(word)?.value.text ??
    library
      .symbolsNamed(table.words)
      .filter((each) => each.library === table.library)
      .flatMap(({ fields }) => fields.find((each) => each.name === word)?.default ?? [])[0];
  const filled = Object.entries(set).map(([argument, value]) => ({
    argument,
    ...fill(at, document, value, wordOf),
  }));
  const callee = renamedCallee(document.python, call, target.qualified);

  // a value takes the place of what has its name already
  const slots = new Map(
    filled.flatMap(({ argument, written }) => {
      const own = whole.arguments.find(({ keyword }) => keyword?.name === argument);
      return own === undefined || stay.has(own) ? [] : [[own, written] as const];
    }),
  );
  const gone = dropped.filter((argument) => !slots.has(argument));
  const added = filled.filter(
    ({ argument }) => ![...slots.keys()].some(({ keyword }) => keyword?.name === argument),
  );
  const names = gone.map(({ keyword }) => keyword?.name ?? "");
  const renamed = [...stay].filter(([{ keyword }, wanted]) => keyword?.name !== wanted);
  // what a dict passes stays as it is
  const [stuck] = inDicts.filter((argument) => stay.get(argument) !== argument.keyword?.name);
  const after = (argument: string): Setting => {
    const value = filled.find((each) => each.argument === argument)?.written;
    if (value !== undefined) return settingOf(argument, value);
    if (asks.includes(argument)) return settingOf(argument, "...()");
    const carried = [...stay].find(([, wanted]) => wanted === argument)?.[0];
    if (carried !== undefined) return { kind: "given", argument: carried, value: carried.value.value };
    const preset = literalValue(target.fields.find((each) => each.name === argument)?.default ?? "");
    return { kind: "default", ...(preset === undefined ? {} : { value: preset }) };
  };
  const disabled =
    refused ??
    (stuck && outOfDict(given, [stuck.keyword?.name ?? ""])) ??
    (callee === undefined ? `This file calls something else \`${target.name}\`.` : undefined) ??
    filled.find(({ problem }) => problem !== undefined)?.problem ??
    (asks.length > 0 && !at.snippets
      ? `${target.name} needs ${listed(asks)}, which only you know, and this editor cannot ask for it within an edit.`
      : undefined) ??
    hindrance(at, form) ??
    bond(at, symbol, target, [...names, ...renamed.map(([{ keyword }]) => keyword?.name ?? "")]) ??
    objection(at, given, { setting: after, symbol: target });
  const details = [
    ...(filled.length === 0
      ? []
      : [`with ${listed(filled.map((each) => `${each.argument}=${each.written}`))}`]),
    ...(names.length === 0 ? [] : [`without ${listed(names)}`]),
    ...(asks.length === 0 ? [] : [`${listed(asks)} to be filled in`]),
  ];
  return [
    {
      key: `convert:${name}`,
      title: [`Convert to ${name}: \`${target.name}\``, ...details].join(", "),
      disabled,
      prominent: form.prominent,
      edits: () => [
        edit(call.callee.from, call.callee.to, callee?.written ?? target.name),
        ...(callee?.edits ?? []),
        ...changeArguments(text, call, {
          remove: gone,
          replace: slots,
          rename: new Map(renamed),
          add: [
            ...added.map((each): Piece[] => [`${each.argument}=${each.written}`]),
            ...asks.map((argument): Piece[] => [`${argument}=`, { stop: "..." }]),
          ],
        }),
        ...filled.flatMap((each) => each.edits),
      ],
    },
  ];
}
