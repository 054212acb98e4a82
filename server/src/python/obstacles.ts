/** Uses of a layer's weight that go past the layer: an adapter inside it would be ignored or break them. */
import { type ClassStmt, expressionsOf, selfPath, walkExpression, walkStatements } from "./ast";
import type { Scope } from "./scope";

/** Why layers of the class, by path, cannot be adapted by subclassing. */
export function obstaclesIn(node: ClassStmt, scope: Scope): ReadonlyMap<string, string> {
  const obstacles = new Map<string, string>();
  for (const method of node.body) {
    if (method.kind !== "function") continue;
    walkStatements(method.body, (statement) => {
      if (statement.kind === "assign" && statement.value) {
        const owner = weightOwner(statement.value);
        for (const target of statement.targets) {
          const other = weightOwner(target);
          if (owner === undefined || other === undefined) continue;
          obstacles.set(other, tied(other, owner));
          obstacles.set(owner, tied(owner, other));
        }
      }
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (inner) => {
          if (inner.kind === "call") {
            const qualified = scope.resolve(inner.callee) ?? "";
            const functional = /^torch\.(?:nn\.functional\.|matmul$|einsum$|mm$|bmm$|addmm$|cat$)/.test(
              qualified,
            );
            if (functional) for (const argument of inner.arguments) note(argument.value, qualified);
            if (/^torch\.jit\.script/.test(qualified)) {
              const path = inner.arguments[0] && selfPath(inner.arguments[0].value);
              if (path !== undefined)
                obstacles.set(
                  path,
                  `\`torch.jit.script\` compiles \`${path}\` as it is. Adapt it before scripting.`,
                );
            }
          } else if (inner.kind === "binary" && inner.operator === "@") {
            note(inner.left, "@");
            note(inner.right, "@");
          }
        });
    });
  }
  function note(expression: Parameters<typeof walkExpression>[0], by: string): void {
    walkExpression(expression, (inner) => {
      const path = weightOwner(inner);
      if (path !== undefined && !obstacles.has(path))
        obstacles.set(
          path,
          `The weight of \`${path}\` is used directly (\`${by}\`), so the layer is never called and an adapted one would be ignored. Call \`self.${path}(…)\` instead, or adapt the block's output.`,
        );
    });
  }
  return obstacles;
}

/** `self.a.b.weight` gives `a.b`. */
function weightOwner(expression: Parameters<typeof selfPath>[0]): string | undefined {
  const path = selfPath(expression);
  return path !== undefined && /\.weight$/.test(path) ? path.replace(/\.weight$/, "") : undefined;
}

function tied(path: string, other: string): string {
  return `\`${path}\` shares its weight with \`${other}\`, so adapting one would change both or break the tie. Adapt another layer.`;
}
