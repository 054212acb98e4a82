/** What a class and its functions are given: which parameters are modules, which are settings, which are one number. */
import type { Layer } from "../facts";
import { expressionsOf, type FunctionStmt, walkExpression, walkStatements } from "../tree/ast";

/** Names that a function calls, or takes the weight of: modules that it is handed. */
export function calledIn({ body }: FunctionStmt): ReadonlySet<string> {
  const found = new Set<string>();
  walkStatements(body, (statement) => {
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (inner) => {
        if (inner.kind === "call" && inner.callee.kind === "name") found.add(inner.callee.name);
        if (inner.kind === "attribute" && inner.name === "weight" && inner.object.kind === "name")
          found.add(inner.object.name);
      });
  });
  return found;
}

/** What a function is given, beside the object it belongs to. */
export const parametersOf = ({ parameters }: FunctionStmt): FunctionStmt["parameters"] =>
  parameters.filter(({ name }) => !/^(?:self|cls|ctx)$/.test(name));

/** A parameter that is a number, a switch, a mask or a table of positions. */
export const isSetting = ({
  name,
  annotation,
  default: value,
}: FunctionStmt["parameters"][number]): boolean =>
  /^(?:\w*scal\w*|alpha|rank|multiplier|\w*mask\w*|freqs\w*|cos|sin|\w*positions?|\w*_pos|\w*_ids?)$/.test(
    name,
  ) ||
  value?.kind === "number" ||
  (value?.kind === "constant" && value.value !== null) ||
  (annotation?.kind === "name" && /^(?:int|float|bool|str)$/.test(annotation.name));

const oneEntry = /(?:zeros|ones|empty|full|randn?)\(\s*[([]?\s*1?\s*,?\s*[)\]]/;
const oneNumber = /[tT]ensor\(\s*(?:[-\d.e]+|\[\s*[^,[\]]+\])\s*[,)]/;

/** A learnt number: nn.Parameter(torch.ones(1)). */
export function isNumber({ role, call }: Layer): boolean {
  const text = call.arguments[0]?.value.text ?? "";
  return role === "parameter" && (oneEntry.test(text) || oneNumber.test(text));
}
