/**
 * Import statements as bindings of local names to qualified ones, and the one spelling of names that libraries
 * export under several: `torch.nn.modules.linear.Linear` is `torch.nn.Linear`.
 */
import {
  type AssignStmt,
  dottedPath,
  type ImportStmt,
  type Name,
  type Stmt,
  walkStatements,
} from "../tree/ast";
import type { ImportBinding, Range, Reference } from "../facts";

export interface Binding extends ImportBinding {
  /** Every identifier in the statement that names something imported, modules on the way included. */
  readonly mentions: readonly Reference[];
  /** The module that the statement names: `pkg.layers` of `import pkg.layers`, `.` of `from . import layers`. */
  readonly module: string;
  /** What is imported from it; absent where that is the module itself or everything in it. */
  readonly name?: string;
  readonly star: boolean;
  readonly nested: boolean;
}

/** All bindings that a block's import statements make, nested ones included. */
export function bindingsOf(statements: readonly Stmt[]): Binding[] {
  const bindings: Binding[] = [];
  const visit = (list: readonly Stmt[], nested: boolean) =>
    walkStatements(list, (statement) => {
      if (statement.kind === "import") bind(statement, nested, bindings);
      else if (statement.kind === "assign") bindCalled(statement, nested, bindings);
      else if (!nested && (statement.kind === "function" || statement.kind === "class")) {
        visit(statement.body, true);
        return false;
      }
      return true;
    });
  visit(statements, false);
  return bindings;
}

/** `nn = pytest.importorskip("torch.nn")`, `T = importlib.import_module("torch")`. */
function bindCalled({ targets, value, ...whole }: AssignStmt, nested: boolean, into: Binding[]): void {
  const [target, another] = targets;
  if (target?.kind !== "name" || another || value?.kind !== "call") return;
  const [first] = value.arguments;
  if (!/^(?:importorskip|import_module)$/.test(dottedPath(value.callee)?.at(-1) ?? "")) return;
  if (first?.value.kind !== "string" || !/^\w+(?:\.\w+)*$/.test(first.value.value ?? "")) return;
  const module = first.value.value ?? "";
  into.push({
    local: target.name,
    qualified: normalize(module),
    statement: range(whole),
    nameRange: range(target),
    mentions: [],
    module,
    star: false,
    nested,
  });
}

function range({ from, to }: Range): Range {
  return { from, to };
}

function bind(statement: ImportStmt, nested: boolean, into: Binding[]): void {
  const whole = range(statement);
  if (statement.module === undefined) {
    for (const { parts, alias } of statement.names) {
      const last = parts.at(-1);
      const [first] = parts;
      if (!first || !last) continue;
      const path = parts.map((part) => part.name).join(".");
      const mentions = prefixes(parts, "");
      if (alias) mentions.push({ range: range(alias), qualified: normalize(path) });
      into.push({
        // `import torch.nn` binds `torch`, `import torch.nn as N` binds the module itself.
        local: alias ? alias.name : first.name,
        qualified: alias ? normalize(path) : first.name,
        statement: whole,
        nameRange: range(last),
        ...(alias && { aliasRange: range(alias) }),
        mentions,
        module: path,
        star: false,
        nested,
      });
    }
    return;
  }
  const module = statement.module;
  const dots = /^\.*/.exec(module)?.[0] ?? "";
  const moduleMentions = prefixes(statement.moduleParts, dots);
  const lastPart = statement.moduleParts.at(-1);
  if (statement.star)
    into.push({
      local: "*",
      qualified: module,
      statement: whole,
      nameRange: range(lastPart ?? statement),
      mentions: moduleMentions,
      module,
      star: true,
      nested,
    });
  statement.names.forEach(({ parts, alias }, index) => {
    const [name] = parts;
    if (!name) return;
    const qualified = normalize(
      module.endsWith(".") || module === "" ? module + name.name : `${module}.${name.name}`,
    );
    const mentions = index === 0 ? [...moduleMentions] : [];
    mentions.push({ range: range(name), qualified });
    if (alias) mentions.push({ range: range(alias), qualified });
    into.push({
      local: (alias ?? name).name,
      qualified,
      statement: whole,
      nameRange: range(name),
      ...(alias && { aliasRange: range(alias) }),
      mentions,
      module,
      name: name.name,
      star: false,
      nested,
    });
  });
}

function prefixes(parts: readonly Name[], dots: string): Reference[] {
  let path = dots;
  return parts.map((part) => {
    path += (path === dots ? "" : ".") + part.name;
    return { range: range(part), qualified: normalize(path) };
  });
}

/** Libraries that export at the top (or in one place) what they define deeper. */
const reexports: readonly (readonly [RegExp, string])[] = [
  [/^torch\.nn\.modules(?:\.\w+)*\.([A-Z]\w*)/, "torch.nn.$1"],
  [/^torch\.nn\.parameter\.(\w+)/, "torch.nn.$1"],
  [/^transformers\.models(?:\.\w+)+\.([A-Z]\w*)/, "transformers.$1"],
  [/^diffusers\.(?:models|pipelines|schedulers)(?:\.\w+)*\.([A-Z]\w*)/, "diffusers.$1"],
];

/** The one spelling of a qualified name. */
export function normalize(qualified: string): string {
  for (const [pattern, replacement] of reexports) {
    if (pattern.test(qualified)) return qualified.replace(pattern, replacement);
  }
  return qualified;
}
