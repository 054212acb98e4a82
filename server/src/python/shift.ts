/** Facts of a block, whose offsets count from the block's start, as facts of the file. Written out, because it runs on every keystroke. */
import type {
  Argument,
  BlockStack,
  Call,
  Definition,
  Expression,
  ForwardPass,
  GenerationStep,
  ImportBinding,
  Layer,
  Method,
  ModuleClass,
  Prose,
  Range,
  Reference,
  ResidualBranch,
  SkipConcatenation,
  TrainingStep,
} from "./facts";

/** What one block contributes to the file's facts. */
export interface BlockFacts {
  readonly imports: readonly ImportBinding[];
  readonly references: readonly Reference[];
  readonly definitions: readonly Definition[];
  readonly calls: readonly Call[];
  readonly modules: readonly ModuleClass[];
  readonly functions: readonly Method[];
  readonly generation: readonly GenerationStep[];
  readonly training: readonly TrainingStep[];
  readonly prose: readonly Prose[];
}

type Kind = keyof BlockFacts;

/** Facts as they were before they were moved, by how much, and as they are now. */
class Moved<T> {
  last: { readonly origin: T; readonly by: number; readonly facts: T } | undefined;
}

/** For each kind of facts of a block, how they were last moved. */
export class MovedFacts implements MovedOf {
  readonly imports = new Moved<BlockFacts["imports"]>();
  readonly references = new Moved<BlockFacts["references"]>();
  readonly definitions = new Moved<BlockFacts["definitions"]>();
  readonly calls = new Moved<BlockFacts["calls"]>();
  readonly modules = new Moved<BlockFacts["modules"]>();
  readonly functions = new Moved<BlockFacts["functions"]>();
  readonly generation = new Moved<BlockFacts["generation"]>();
  readonly training = new Moved<BlockFacts["training"]>();
  readonly prose = new Moved<BlockFacts["prose"]>();
}
type MovedOf = { readonly [K in Kind]: Moved<BlockFacts[K]> };

/** Facts of one kind moved by `by`; kept in `moved` until they are moved elsewhere. */
export function moveFacts<K extends Kind>(
  kind: K,
  origin: BlockFacts[K],
  by: number,
  moved: MovedOf,
): BlockFacts[K] {
  if (by === 0 || origin.length === 0) return origin;
  const memory = moved[kind];
  if (memory.last?.origin !== origin || memory.last.by !== by)
    memory.last = { origin, by, facts: moves[kind](new Mover(by), origin) };
  return memory.last.facts;
}

class Mover {
  constructor(private readonly by: number) {}

  range({ from, to }: Range): Range {
    return { from: from + this.by, to: to + this.by };
  }

  expression(expression: Expression): Expression {
    return { ...expression, range: this.range(expression.range) };
  }

  argument(argument: Argument): Argument {
    const { keyword, star } = argument;
    return {
      range: this.range(argument.range),
      ...(keyword && { keyword: { name: keyword.name, range: this.range(keyword.range) } }),
      ...(star && { star }),
      value: this.expression(argument.value),
    };
  }

  call(call: Call): Call {
    const { qualified, assignedTo } = call;
    return {
      range: this.range(call.range),
      callee: this.range(call.callee),
      name: this.range(call.name),
      ...(qualified !== undefined && { qualified }),
      argumentList: this.range(call.argumentList),
      closed: call.closed,
      arguments: call.arguments.map((argument) => this.argument(argument)),
      statement: this.range(call.statement),
      ...(assignedTo !== undefined && { assignedTo }),
    };
  }

  method(method: Method): Method {
    return {
      ...method,
      range: this.range(method.range),
      nameRange: this.range(method.nameRange),
      parameters: method.parameters.map((parameter) => ({
        ...parameter,
        range: this.range(parameter.range),
        ...(parameter.default && { default: this.expression(parameter.default) }),
      })),
      parametersEnd: method.parametersEnd + this.by,
      bodyStart: method.bodyStart + this.by,
      bodyEnd: method.bodyEnd + this.by,
    };
  }

  layer(layer: Layer): Layer {
    const written: Record<string, Expression> = {};
    for (const [name, expression] of Object.entries(layer.arguments))
      written[name] = this.expression(expression);
    return {
      ...layer,
      ...(layer.name && { name: this.range(layer.name) }),
      call: this.call(layer.call),
      arguments: written,
      ...(layer.construction &&
        !layer.construction.free && {
          construction: { ...layer.construction, call: this.call(layer.construction.call) },
        }),
      ...(layer.weightReads && {
        weightReads: {
          ...layer.weightReads,
          ranges: layer.weightReads.ranges.map((range) => this.range(range)),
        },
      }),
    };
  }

  residual(residual: ResidualBranch): ResidualBranch {
    return {
      ...residual,
      branch: this.range(residual.branch),
      sublayer: this.range(residual.sublayer),
      ...(residual.input && { input: this.range(residual.input) }),
      statement: this.range(residual.statement),
      ...(residual.width && { width: this.expression(residual.width) }),
      ...(residual.inputWidth && { inputWidth: this.expression(residual.inputWidth) }),
      ...(residual.repeats && {
        repeats: residual.repeats.map((repeat) => ({
          ...repeat,
          branch: this.range(repeat.branch),
          ...(repeat.input && { input: this.range(repeat.input) }),
          statement: this.range(repeat.statement),
        })),
      }),
    };
  }

  skip(skip: SkipConcatenation): SkipConcatenation {
    return {
      ...skip,
      call: this.range(skip.call),
      skip: this.range(skip.skip),
      statement: this.range(skip.statement),
      ...(skip.channels && { channels: this.expression(skip.channels) }),
      ...(skip.loop && {
        loop: {
          ...skip.loop,
          statement: this.range(skip.loop.statement),
          header: this.range(skip.loop.header),
          ...(skip.loop.built && {
            built: {
              ...skip.loop.built,
              loop: this.range(skip.loop.built.loop),
              beside: this.range(skip.loop.built.beside),
            },
          }),
          ...(skip.loop.taken && { taken: this.range(skip.loop.taken) }),
        },
      }),
      ...(skip.repeats && { repeats: skip.repeats.map((each) => this.skip(each)) }),
    };
  }

  stack(stack: BlockStack): BlockStack {
    return {
      ...stack,
      statement: this.range(stack.statement),
      ...(stack.plain && { plain: stack.plain.map((each) => this.range(each)) }),
      ...(stack.width && { width: this.expression(stack.width) }),
      ...(stack.loop && {
        loop: { ...stack.loop, header: this.range(stack.loop.header), body: this.range(stack.loop.body) },
      }),
    };
  }

  forward({ statement, loss, logits, crossEntropy }: ForwardPass): ForwardPass {
    return {
      statement: this.range(statement),
      ...(loss !== undefined && { loss }),
      ...(logits && {
        logits: { ...logits, ...(logits.unnamed && { unnamed: this.range(logits.unnamed) }) },
      }),
      ...(crossEntropy && { crossEntropy: { ...crossEntropy, call: this.range(crossEntropy.call) } }),
    };
  }

  module(module: ModuleClass): ModuleClass {
    const methods = module.methods.map((method) => this.method(method));
    const moved = (method: Method) => methods[module.methods.indexOf(method)] ?? this.method(method);
    return {
      ...module,
      nameRange: this.range(module.nameRange),
      header: this.range(module.header),
      range: this.range(module.range),
      reach: module.reach + this.by,
      ...(module.init && { init: moved(module.init) }),
      ...(module.forward && { forward: moved(module.forward) }),
      methods,
      layers: module.layers.map((layer) => this.layer(layer)),
      residuals: module.residuals.map((residual) => this.residual(residual)),
      skips: module.skips.map((skip) => this.skip(skip)),
      stacks: module.stacks.map((stack) => this.stack(stack)),
      constructedWith: module.constructedWith.map((call) => this.call(call)),
    };
  }
}

/** A call of a block as one of the file, `by` further on. */
export const moveCall = (call: Call, by: number): Call => new Mover(by).call(call);

const moves: { readonly [K in Kind]: (mover: Mover, facts: BlockFacts[K]) => BlockFacts[K] } = {
  imports: (mover, facts) =>
    facts.map((each) => ({
      ...each,
      statement: mover.range(each.statement),
      nameRange: mover.range(each.nameRange),
      ...(each.aliasRange && { aliasRange: mover.range(each.aliasRange) }),
    })),
  references: (mover, facts) =>
    facts.map(({ range, qualified }) => ({ range: mover.range(range), qualified })),
  definitions: (mover, facts) =>
    facts.map((each) => ({
      ...each,
      range: mover.range(each.range),
      nameRange: mover.range(each.nameRange),
    })),
  calls: (mover, facts) => facts.map((call) => mover.call(call)),
  modules: (mover, facts) => facts.map((module) => mover.module(module)),
  functions: (mover, facts) => facts.map((method) => mover.method(method)),
  generation: (mover, facts) =>
    facts.map((step) => ({
      ...step,
      function: mover.method(step.function),
      loop: mover.range(step.loop),
      statement: mover.range(step.statement),
    })),
  training: (mover, facts) =>
    facts.map((step) => ({
      ...step,
      ...(step.loop && { loop: mover.range(step.loop) }),
      ...(step.outer && { outer: mover.range(step.outer) }),
      ...(step.forward && { forward: mover.forward(step.forward) }),
      ...(step.backward && { backward: mover.range(step.backward) }),
      ...(step.step && { step: mover.range(step.step) }),
    })),
  prose: (mover, facts) => facts.map(({ range, kind }) => ({ range: mover.range(range), kind })),
};
