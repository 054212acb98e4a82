/** Facts of a block, whose offsets count from the block's start, as facts of the file. Written out, because it runs on every keystroke. */
import type {
  Argument,
  BlockStack,
  Call,
  Definition,
  Expression,
  GenerationStep,
  ImportBinding,
  Layer,
  Method,
  ModuleClass,
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
}

/** The facts moved by `by`. */
export function shiftFacts(facts: BlockFacts, by: number): BlockFacts {
  if (by === 0) return facts;
  const move = new Mover(by);
  return {
    imports: facts.imports.map((each) => ({
      ...each,
      statement: move.range(each.statement),
      nameRange: move.range(each.nameRange),
      ...(each.aliasRange && { aliasRange: move.range(each.aliasRange) }),
    })),
    references: facts.references.map(({ range, qualified }): Reference => ({
      range: move.range(range),
      qualified,
    })),
    definitions: facts.definitions.map((each) => ({
      ...each,
      range: move.range(each.range),
      nameRange: move.range(each.nameRange),
    })),
    calls: facts.calls.map((call) => move.call(call)),
    modules: facts.modules.map((module) => move.module(module)),
    functions: facts.functions.map((method) => move.method(method)),
    generation: facts.generation.map((step) => ({
      ...step,
      function: move.method(step.function),
      loop: move.range(step.loop),
      statement: move.range(step.statement),
    })),
    training: facts.training.map((step) => ({
      ...step,
      ...(step.loop && { loop: move.range(step.loop) }),
      ...(step.backward && { backward: move.range(step.backward) }),
      ...(step.step && { step: move.range(step.step) }),
    })),
  };
}

class Mover {
  constructor(private readonly by: number) {}

  range({ from, to }: Range): Range {
    return { from: from + this.by, to: to + this.by };
  }

  expression({ range, text, value }: Expression): Expression {
    return { range: this.range(range), text, value };
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
    };
  }

  residual(residual: ResidualBranch): ResidualBranch {
    return {
      ...residual,
      branch: this.range(residual.branch),
      sublayer: this.range(residual.sublayer),
      statement: this.range(residual.statement),
      ...(residual.width && { width: this.expression(residual.width) }),
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
        },
      }),
    };
  }

  stack(stack: BlockStack): BlockStack {
    return {
      ...stack,
      statement: this.range(stack.statement),
      ...(stack.width && { width: this.expression(stack.width) }),
    };
  }

  module(module: ModuleClass): ModuleClass {
    const methods = module.methods.map((method) => this.method(method));
    const moved = (method: Method) => methods[module.methods.indexOf(method)] ?? this.method(method);
    return {
      ...module,
      nameRange: this.range(module.nameRange),
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
