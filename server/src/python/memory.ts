/**
 * What was worked out about one block, kept on the block itself so that it goes when the block goes. Plain maps: weak
 * ones cost the garbage collector more than all of the reading.
 */
import type { CallExpr, ClassStmt, FunctionStmt } from "./tree/ast";
import type { Assigned } from "./names/assigned";
import type { Construction } from "./names/block";
import type {
  Call,
  Definition,
  Expression,
  ImportBinding,
  Method,
  ModuleClass,
  Reference,
  SublayerRole,
} from "./facts";
import type { ImportedClass } from "./imported";
import type { Layers } from "./layers/layers";
import type { Order } from "./values/order";
import type { Kept } from "./names/scope";
import { MovedFacts } from "./shift";
import type { Steps } from "./steps";

/** Calls of a class's methods on `self`, by method. */
export type OwnCalls = ReadonlyMap<
  string,
  readonly { readonly call: CallExpr; readonly within: FunctionStmt }[]
>;

export class Memory {
  readonly layers = new Map<ClassStmt, Kept<Layers>>();
  readonly isModule = new Map<ClassStmt, Kept<boolean>>();
  readonly roles = new Map<ClassStmt, Kept<SublayerRole | undefined>>();
  readonly convolves = new Map<ClassStmt, Kept<boolean>>();
  readonly widths = new Map<ClassStmt, Kept<Expression | undefined>>();
  readonly calls = new Map<"calls", Kept<readonly Call[]>>();
  readonly references = new Map<"references", Kept<readonly Reference[]>>();
  readonly modules = new Map<"modules", Kept<readonly ModuleClass[]>>();
  readonly functions = new Map<"functions", Kept<readonly Method[]>>();
  readonly steps = new Map<"steps", Kept<Steps>>();
  readonly assigned = new Map<FunctionStmt, Assigned>();
  readonly ownCalls = new Map<ClassStmt, OwnCalls>();
  /** Module classes of neighbours by the names that this block imports them under. */
  readonly imported = new Map<string, Kept<ImportedClass | undefined>>();
  imports: readonly ImportBinding[] | undefined;
  definitions: readonly Definition[] | undefined;
  order: Order | undefined;
  constructions: ReadonlyMap<string, readonly Construction[]> | undefined;
  /** The block's facts as last moved to a place in a file. */
  readonly moved = new MovedFacts();
}
