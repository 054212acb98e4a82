/** The PyTorch modules of a block and what they are made of. */
import { type ClassStmt, type FunctionStmt, type Stmt, walkStatements } from "./tree/ast";
import type { Block } from "./names/block";
import { evaluate, type Place } from "./names/constants";
import type { Method, ModuleClass, Parameter, Range } from "./facts";
import { type ForwardFacts, forwardFacts } from "./forward/forward";
import { instanceObstacle, layersOf } from "./layers/layers";
import { isModuleClass } from "./layers/moduleClass";
import type { Scope } from "./names/scope";

/** Every module class of a block, nested ones included, in source order. */
export function modulesIn(block: Block, scope: Scope): ModuleClass[] {
  const found: ModuleClass[] = [];
  walkStatements(block.statements, (statement) => {
    if (statement.kind === "class" && statement.name !== "" && isModuleClass(statement, block, scope))
      found.push(moduleFact(statement, block, scope));
  });
  return found;
}

function moduleFact(node: ClassStmt, block: Block, scope: Scope): ModuleClass {
  const place: Place = { scope, block, owner: node };
  const functions = node.body.filter((statement): statement is FunctionStmt => statement.kind === "function");
  const methods = functions.map((method) => methodFact(method, place));
  const byName = (name: string) => methods.find((method) => method.name === name);
  // What is written into a method speaks of `self`.
  const refused = instanceObstacle(node);
  const init = refused === undefined ? byName("__init__") : undefined;
  const forward = refused === undefined ? byName("forward") : undefined;
  const done = forwardFacts(node, block, scope);
  const indentation = indentationAt(block.text, node.from);
  const [firstBody] = node.body;
  const docstring = docstringOf(node.body);
  const { layers } = layersOf(node, block, scope);
  const bodyIndentation = firstBody ? indentationAt(block.text, firstBody.from) : `${indentation}    `;
  return {
    name: node.name,
    nameRange: { from: node.nameFrom, to: node.nameFrom + node.name.length },
    header: headerOf(node, block.text),
    range: { from: node.from, to: node.to },
    reach: reachOf(block.text, node.to, indentation),
    bases: node.bases.flatMap(({ value, keyword }) => {
      if (keyword) return [];
      const base = value.kind === "subscript" ? value.object : value;
      return [scope.resolve(base) ?? block.slice(base)];
    }),
    indentation,
    bodyIndentation: bodyIndentation.length > indentation.length ? bodyIndentation : `${indentation}    `,
    ...(docstring !== undefined && { docstring }),
    ...(init && { init }),
    ...(forward && { forward }),
    methods,
    layers,
    ...(refused === undefined ? done : refusing(done, refused)),
    constructedWith: [],
  };
}

/** What methods do with layers, where nothing can be written into them. */
function refusing({ residuals, skips, stacks }: ForwardFacts, obstacle: string): ForwardFacts {
  return {
    residuals: residuals.map((each) => ({ ...each, obstacle })),
    skips: skips.map((each) => ({ ...each, obstacle })),
    stacks: stacks.map((each) => ({ ...each, obstacle })),
  };
}

function headerOf({ from, to, nameFrom, name, bases, decorators }: ClassStmt, text: string): Range {
  const named = nameFrom + name.length;
  const colon = text.indexOf(":", bases.at(-1)?.value.to ?? named);
  return { from: decorators.at(-1)?.to ?? from, to: colon < 0 || colon >= to ? named : colon + 1 };
}

/** The white space before `from` on its line. */
export function indentationAt(text: string, from: number): string {
  let start = from;
  while (start > 0 && /[ \t\f]/.test(text.charAt(start - 1))) start--;
  return text.slice(start, from);
}

function docstringOf(body: readonly Stmt[]): string | undefined {
  const [first] = body;
  return first?.kind === "expression" && first.value.kind === "string" ? first.value.value : undefined;
}

function reachOf(text: string, to: number, indentation: string): number {
  const line = /[^\r\n]*(?:\r\n?|\n|$)/y;
  let reach = to;
  line.lastIndex = to;
  let first = true;
  for (;;) {
    const start = line.lastIndex;
    const match = line.exec(text);
    if (!match || match[0] === "") break;
    const written = match[0].replace(/[\r\n]+$/, "");
    const depth = /^[ \t]*/.exec(written)?.[0].length ?? 0;
    if (first || depth > indentation.length) reach = start + written.length;
    else if (written.trim() !== "") break;
    first = false;
  }
  return reach;
}

/** A function as fact: where its parameters and its body are. */
export function methodFact(node: FunctionStmt, place: Place): Method {
  const { block } = place;
  const [first, second] = node.body;
  const hasDocstring = docstringOf(node.body) !== undefined;
  const start = (hasDocstring ? second : first) ?? first;
  return {
    name: node.name,
    range: { from: node.from, to: node.to },
    nameRange: { from: node.nameFrom, to: node.nameFrom + node.name.length },
    parameters: node.parameters.map((parameter): Parameter => {
      const { default: value, annotation } = parameter;
      return {
        name: parameter.name,
        range: { from: parameter.from, to: parameter.to },
        ...(annotation && { annotation: block.slice(annotation) }),
        ...(value && { default: block.expression(value, evaluate(value, place)) }),
      };
    }),
    parametersEnd: node.parametersEnd,
    bodyStart: start?.from ?? node.to,
    bodyEnd: node.body.at(-1)?.to ?? node.to,
    indentation: first
      ? indentationAt(block.text, first.from)
      : `${indentationAt(block.text, node.from)}    `,
  };
}
