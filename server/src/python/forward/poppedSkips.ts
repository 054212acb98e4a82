/**
 * Skips popped in a loop that does not run over one list of blocks turn by turn: some turns have no skip, or levels
 * hold blocks. Where `__init__` builds the blocks in the order in which they run, adapters are taken in that order too.
 */
import {
  bodiesOf,
  type Expr,
  expressionsOf,
  type ForStmt,
  type FunctionStmt,
  type Stmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import type { Flow } from "./flow";
import {
  additionsTo,
  type BuiltInLoop,
  initOf,
  listsIn,
  placed,
  poppedName,
  popsIn,
  skipOf,
} from "./skipLoops";

export interface BuiltInOrder {
  readonly built: BuiltInLoop;
  /** The loop of the method above which the adapters stand ready. */
  readonly loop: ForStmt;
}

export function builtInOrder(skip: Expr, statement: Stmt, flow: Flow): BuiltInOrder | undefined {
  const init = initOf(flow);
  const loops = loopsAround(statement, flow.method.body);
  const [outer] = loops;
  if (!init || !outer || poppedName(skip) === undefined || popsIn(outer.body).length !== 1) return undefined;
  const built = inSameLoops(loops, statement, init.body, flow) ?? poppedInInit(loops, init, flow);
  return built && { built, loop: outer };
}

/** The loops around a statement, the outermost first. */
function loopsAround(statement: Stmt, statements: readonly Stmt[]): ForStmt[] {
  for (const each of statements) {
    if (each.from > statement.from || statement.to > each.to) continue;
    const inner = bodiesOf(each).flatMap((body) => loopsAround(statement, body));
    return each.kind === "for" ? [each, ...inner] : inner;
  }
  return [];
}

/** Each loop of these statements with those around it. */
function nestsIn(statements: readonly Stmt[], around: readonly ForStmt[] = []): ForStmt[][] {
  return statements.flatMap((each) => {
    if (each.kind === "function" || each.kind === "class") return [];
    const here = each.kind === "for" ? [...around, each] : [...around];
    const inner = bodiesOf(each).flatMap((body) => nestsIn(body, here));
    return each.kind === "for" ? [here, ...inner] : inner;
  });
}

/** `for level in reversed(range(n)): for block in range(m + 1):` in `__init__` as in `forward`, one block each turn. */
function inSameLoops(
  loops: readonly ForStmt[],
  statement: Stmt,
  init: readonly Stmt[],
  flow: Flow,
): BuiltInLoop | undefined {
  // what a list of blocks is run over by is for those who know the list
  if (loops.at(-1)?.body.includes(statement) !== true || !loops.every(isCount)) return undefined;
  const headers = loops.map((loop) => headerOf(loop, init, flow)).join("\n");
  const found = nestsIn(init).flatMap((nest) => {
    const [outer, inner] = [nest[0], nest.at(-1)];
    if (!outer || !inner || nest.length !== loops.length) return [];
    if (nest.map((loop) => headerOf(loop, init, flow)).join("\n") !== headers) return [];
    return inner.body.flatMap((append) => {
      if (append.kind !== "expression" || !isAppend(append)) return [];
      const known = skipOf(inner, append, 1, flow);
      return known ? [placed(known, append, outer)] : [];
    });
  });
  const [first] = found;
  return first && found.every(({ beside }) => beside.from === first.beside.from) ? first : undefined;
}

/** `range(…)`, `reversed(range(…))`. */
function isCount({ iterable }: ForStmt): boolean {
  if (iterable.kind !== "call" || iterable.callee.kind !== "name") return false;
  const [only] = iterable.arguments;
  return (
    iterable.callee.name === "range" ||
    (iterable.callee.name === "reversed" &&
      only?.value.kind === "call" &&
      only.value.callee.kind === "name" &&
      only.value.callee.name === "range")
  );
}

const isAppend = ({ value }: Extract<Stmt, { kind: "expression" }>): boolean =>
  value.kind === "call" && value.callee.kind === "attribute" && value.callee.name === "append";

/** What a loop runs over, `self.depth` as `depth` where `__init__` has both. */
function headerOf({ iterable }: ForStmt, init: readonly Stmt[], { block }: Flow): string {
  const same = new Set<string>();
  walkStatements(init, (statement) => {
    if (statement.kind !== "assign" || !statement.value) return;
    const texts = [...statement.targets, statement.value].map((each) => block.slice(each));
    for (const text of texts) if (texts.includes(`self.${text}`)) same.add(text);
  });
  return block
    .slice(iterable)
    .replace(/\s+/g, "")
    .replace(/\bself\.(\w+)/g, (all, name: string) => (same.has(name) ? name : all));
}

/** `self.ups.append(Block(ch + chans.pop(), ch))`, the only number that `__init__` pops, for a loop over `self.ups`. */
function poppedInInit(loops: readonly ForStmt[], init: FunctionStmt, flow: Flow): BuiltInLoop | undefined {
  const [pop, another] = popsIn(init.body);
  const [loop, ...inside] = loops;
  const around = pop && loopsAround(pop.statement, init.body);
  const [outer, inner] = [around?.[0], around?.at(-1)];
  if (!pop || another || !loop || inside.length > 0 || !outer || !inner) return undefined;
  const after = inner.body.slice(inner.body.indexOf(pop.statement));
  if (!inner.body.includes(pop.statement) || !isSummed(pop.from, pop.statement)) return undefined;
  const inOrder = listsIn(loop.iterable, loop.from, flow).some((path) => {
    const added = additionsTo(path, init);
    return (
      added.every(({ name }) => name === "append") && added.some(({ statement }) => after.includes(statement))
    );
  });
  if (!inOrder) return undefined;
  const channels = flow.block.expression(pop.from, { kind: "unknown" });
  return {
    channels: { ...channels, text: `${poppedName(pop.from) ?? ""}[-1]` },
    loop: { from: outer.from, to: outer.to },
    beside: { from: pop.statement.from, to: pop.statement.to },
    above: true,
  };
}

/** Whether a number is added to another where it is taken. */
function isSummed(number: Expr, statement: Stmt): boolean {
  let summed = false;
  for (const expression of expressionsOf(statement))
    walkExpression(expression, (node) => {
      if (node.kind === "binary" && node.operator === "+" && [node.left, node.right].includes(number))
        summed = true;
    });
  return summed;
}
