/** A module around the stack of blocks: built in `__init__`, called before, inside and after as the method says. */
import { edit, type Edit, insertion } from "../edits";
import type { BlockStackPlace } from "../place";
import { functionAround } from "../fits";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute, indentationAt, lineEnd } from "./callSite";
import { addParameters } from "./parameters";
import { above, below, fill, indented, leadingArguments, type Names } from "./templates";
import { freeName, freeNames } from "./variables";

type StackNames = Names & { readonly index: string };

export function adaptBlockStack(site: CallSite, place: BlockStackPlace): Edit[] {
  const around = functionAround(place)?.range ?? place.stack.statement;
  const local = freeNames(site.site, site.file.text, around);
  return aroundStack({ ...site, names: new Map([...site.names, ...local]) }, place);
}

function aroundStack(at: CallSite, place: BlockStackPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const { statement, variable, width, layer, loop } = place.stack;
  if (width === undefined) return [];
  const around = functionAround(place);
  const attribute = freeAttribute(place.module, file.text, site.attribute ?? "adapter");
  const built = place.module.layers
    .filter(({ path }) => path === layer || path.startsWith(`${layer}.`))
    .map(({ call }) => call.statement);
  const names = {
    adapter: `self.${attribute}`,
    x: variable,
    layers: `self.${layer}`,
    depth: `len(self.${layer})`,
    width: width.text,
    index: loop?.index ?? freeName(file.text, around?.range ?? statement, "index"),
  };
  const hyperparameters = writtenArguments(method, site, options, file.facts);
  const construction = joined([...leadingArguments(at, names), ...hyperparameters], ", ");
  // their number is known once they all stand
  const counts = site.leading?.some((each) => each.includes("{depth}")) === true;
  return [
    afterInInit(
      file,
      place.module,
      counts ? built.at(-1) : built[0],
      `self.${attribute} = ${symbol}(`,
      ...construction,
      ")",
    ),
    ...(site.parameters === undefined || around === undefined
      ? []
      : [addParameters(file.text, around, site.parameters)]),
    ...above(at, statement.from, site.before, names),
    ...insideEdits(at, place, names),
    ...below(at, statement.from, statement.to, site.after, names),
  ];
}

function insideEdits(at: CallSite, { stack }: BlockStackPlace, names: StackNames): Edit[] {
  const { site, file } = at;
  const { insideFirst, inside } = site;
  if (insideFirst === undefined && inside === undefined) return [];
  const counts = [insideFirst, inside].some((template) => template?.includes("{index}") === true);
  const { loop, statement } = stack;
  if (loop === undefined) return asLoop(at, stack, names, counts);
  const { header, body, target, iterable } = loop;
  const item = target.includes(",") && !target.startsWith("(") ? `(${target})` : target;
  return [
    ...(counts && loop.index === undefined
      ? [edit(header.from, header.to, `for ${names.index}, ${item} in enumerate(${iterable}):`)]
      : []),
    ...above(at, body.from, insideFirst, names),
    ...(inside === undefined
      ? []
      : [
          insertion(
            lineEnd(file.text, statement.to),
            "\n",
            ...indented(fill(at, inside, names), indentationAt(file.text, body.from)),
          ),
        ]),
  ];
}

/** `x = self.blocks(y)` as the loop that it is. */
function asLoop(at: CallSite, stack: BlockStackPlace["stack"], names: StackNames, counts: boolean): Edit[] {
  const { file, site } = at;
  const { statement, variable, layer, input = variable } = stack;
  const { indent } = file.facts.layout;
  const indentation = indentationAt(file.text, statement.from);
  const block = freeName(file.text, statement, "block");
  const header = counts
    ? `for ${names.index}, ${block} in enumerate(self.${layer}):`
    : `for ${block} in self.${layer}:`;
  const lines = [site.insideFirst, `${variable} = ${block}(${variable})`, site.inside]
    .filter((line) => line !== undefined)
    .flatMap((line) => ["\n", ...indented(fill(at, line, names), `${indentation}${indent}`)]);
  const given = input === variable ? "" : `${variable} = ${input}\n${indentation}`;
  return [edit(statement.from, statement.to, given, header, ...lines)];
}
