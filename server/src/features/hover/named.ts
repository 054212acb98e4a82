/** Hover over a name by which code elsewhere knows a method: `SCETuningConfig`, `PHMLinear`, `ISTCallback`. */
import type { Method } from "../../literature/model";
import { code, dotted, escape, paragraphs, prose } from "../../render/markdown";
import { paperLine } from "../../render/paper";
import type { FeatureContext } from "../context";
import { actionLinks } from "./links";
import { fidelityLine, methodFormula } from "./literature";

/** What the method computes and where it comes from; of its settings only our own code could speak. Of several methods, a line each. */
export function namedHover(
  context: FeatureContext,
  name: string,
  methods: readonly Method[],
): string | undefined {
  const [only, ...others] = methods;
  if (only === undefined) return undefined;
  const paperOf = (method: Method) => context.library.paper(method.paper);
  const paper = paperOf(only);
  if (others.length === 0) {
    return paragraphs(
      dotted(`**${escape(name)}**`, escape(only.name)),
      prose(only.summary),
      methodFormula(context, only),
      paper && paperLine(paper),
      fidelityLine(only),
      actionLinks(context, paper, only),
    );
  }
  const lines = methods.slice(0, 4).flatMap((method) => {
    const of = paperOf(method);
    return [
      `**${escape(method.name)}**: ${prose(method.summary)}`,
      ...(of === undefined ? [] : [paperLine(of)]),
    ];
  });
  return paragraphs(`Methods that go by ${code(name)}:`, ...lines);
}
