/**
 * What was worked out about one block, kept on the block itself so that it goes when the block goes. Plain maps: weak
 * ones cost the garbage collector more than all of the reading.
 */
import type { ClassStmt, FunctionStmt, ParameterNode } from "./ast";
import type { Construction } from "./block";
import type { Known, Local } from "./constants";
import type { Expression, SublayerRole } from "./facts";
import type { Layers } from "./layers";
import type { Kept } from "./scope";
import type { BlockFacts } from "./shift";

export class Memory {
  readonly layers = new Map<ClassStmt, Kept<Layers>>();
  readonly isModule = new Map<ClassStmt, Kept<boolean>>();
  readonly roles = new Map<ClassStmt, Kept<SublayerRole | undefined>>();
  readonly convolves = new Map<ClassStmt, Kept<boolean>>();
  readonly widths = new Map<ClassStmt, Kept<Expression | undefined>>();
  readonly parameters = new Map<ParameterNode, Kept<Known>>();
  readonly facts = new Map<"facts", Kept<BlockFacts>>();
  readonly locals = new Map<FunctionStmt, ReadonlyMap<string, readonly Local[]>>();
  constructions: ReadonlyMap<string, readonly Construction[]> | undefined;
  /** The block's facts as last moved to a place in a file. */
  moved: { readonly origin: BlockFacts; readonly from: number; readonly facts: BlockFacts } | undefined;
}
