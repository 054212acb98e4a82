/**
 * The Python subset in which a method says how many parameters it trains, such as `rank * (in_features + out_features)`:
 * numbers, names, + - * / // % **, (chained) comparison, and, or, not, `a if c else b`, min, max, int, ceil, floor, abs.
 */

export type Variables = Readonly<Record<string, number | undefined>>;

type Compute = (variables: Variables) => number | undefined;

interface Parsed {
  readonly compute: Compute;
  readonly names: ReadonlySet<string>;
}

const functions: Readonly<Record<string, (values: readonly number[]) => number>> = {
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  int: ([value = NaN]) => Math.trunc(value),
  ceil: ([value = NaN]) => Math.ceil(value),
  floor: ([value = NaN]) => Math.floor(value),
  abs: ([value = NaN]) => Math.abs(value),
};

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => (b === 0 ? NaN : a / b),
  "//": (a, b) => (b === 0 ? NaN : Math.floor(a / b)),
  "%": (a, b) => (b === 0 ? NaN : a - b * Math.floor(a / b)),
  "**": (a, b) => a ** b,
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "<": (a, b) => Number(a < b),
  "<=": (a, b) => Number(a <= b),
  ">": (a, b) => Number(a > b),
  ">=": (a, b) => Number(a >= b),
};

class ExpressionError extends Error {}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

const apply =
  (operator: string, left: Compute, right: Compute): Compute =>
  (variables) => {
    const a = left(variables);
    const b = right(variables);
    const compute = binary[operator];
    return a === undefined || b === undefined || compute === undefined ? undefined : finite(compute(a, b));
  };

const choose =
  (operator: "and" | "or", left: Compute, right: Compute): Compute =>
  (variables) => {
    const a = left(variables);
    if (a === undefined) return undefined;
    return (operator === "and") === (a !== 0) ? right(variables) : a;
  };

const keywords: ReadonlySet<string> = new Set(["if", "else", "and", "or", "not"]);

/** Recursive descent over tokens, one method a level of precedence. */
class Parser {
  readonly names = new Set<string>();
  private readonly tokens: readonly string[];
  private position = 0;

  constructor(expression: string) {
    const tokens: string[] = [];
    const pattern =
      /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z_]\w*|\*\*|\/\/|[=!<>]=|[-+*/%<>(),])|(\S))/gy;
    for (const match of expression.trim().matchAll(pattern)) {
      if (match[2] !== undefined) throw new ExpressionError(`"${match[2]}" is not understood here`);
      if (match[1] !== undefined) tokens.push(match[1]);
    }
    this.tokens = tokens;
  }

  whole(): Compute {
    const result = this.conditional();
    const rest = this.peek();
    if (rest !== undefined) throw new ExpressionError(`"${rest}" is not expected here`);
    return result;
  }

  private peek(): string | undefined {
    return this.tokens[this.position];
  }

  private take(...wanted: readonly string[]): string | undefined {
    const token = this.peek();
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.position++;
    return token;
  }

  private expect(token: string): void {
    if (this.take(token) === undefined)
      throw new ExpressionError(`"${token}" expected, found ${JSON.stringify(this.peek() ?? "the end")}`);
  }

  private conditional(): Compute {
    const then = this.disjunction();
    if (this.take("if") === undefined) return then;
    const condition = this.disjunction();
    this.expect("else");
    const otherwise = this.conditional();
    return (variables) => {
      const chosen = condition(variables);
      return chosen === undefined ? undefined : chosen !== 0 ? then(variables) : otherwise(variables);
    };
  }

  private disjunction(): Compute {
    let left = this.conjunction();
    while (this.take("or") !== undefined) left = choose("or", left, this.conjunction());
    return left;
  }

  private conjunction(): Compute {
    let left = this.negation();
    while (this.take("and") !== undefined) left = choose("and", left, this.negation());
    return left;
  }

  private negation(): Compute {
    return this.take("not") === undefined ? this.comparison() : apply("==", this.negation(), () => 0);
  }

  // a <= b < c holds where a <= b and b < c
  private comparison(): Compute {
    const operators = ["==", "!=", "<", "<=", ">", ">="];
    let left = this.sum();
    let result: Compute | undefined;
    for (let operator = this.take(...operators); operator !== undefined; operator = this.take(...operators)) {
      const right = this.sum();
      const link = apply(operator, left, right);
      result = result === undefined ? link : choose("and", result, link);
      left = right;
    }
    return result ?? left;
  }

  private sum(): Compute {
    let left = this.product();
    for (let operator = this.take("+", "-"); operator !== undefined; operator = this.take("+", "-"))
      left = apply(operator, left, this.product());
    return left;
  }

  private product(): Compute {
    const operators = ["*", "/", "//", "%"];
    let left = this.unary();
    for (let operator = this.take(...operators); operator !== undefined; operator = this.take(...operators))
      left = apply(operator, left, this.unary());
    return left;
  }

  private unary(): Compute {
    const sign = this.take("-", "+");
    if (sign === undefined) return this.power();
    const operand = this.unary();
    return sign === "+" ? operand : apply("-", () => 0, operand);
  }

  // `**` binds tighter than the minus on its left and looser than the one on its right, as in Python
  private power(): Compute {
    const base = this.atom();
    return this.take("**") === undefined ? base : apply("**", base, this.unary());
  }

  private atom(): Compute {
    const token = this.peek();
    this.position++;
    if (token === undefined) throw new ExpressionError("it ends too early");
    if (/^[\d.]/.test(token)) return () => Number(token);
    if (token === "(") {
      const inside = this.conditional();
      this.expect(")");
      return inside;
    }
    if (token === "True" || token === "False") return () => Number(token === "True");
    if (!/^[A-Za-z_]/.test(token) || keywords.has(token))
      throw new ExpressionError(`"${token}" is not expected here`);
    if (this.take("(") !== undefined) return this.call(token);
    this.names.add(token);
    return (variables) => {
      const value = Object.hasOwn(variables, token) ? variables[token] : undefined;
      return value === undefined ? undefined : finite(value);
    };
  }

  private call(name: string): Compute {
    const compute = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (compute === undefined)
      throw new ExpressionError(`${name}() is not known; use ${Object.keys(functions).join(", ")}`);
    const operands = [this.conditional()];
    while (this.take(",") !== undefined) operands.push(this.conditional());
    this.expect(")");
    return (variables) => {
      const values = operands.map((operand) => operand(variables));
      const known = values.filter((value) => value !== undefined);
      return known.length < values.length ? undefined : finite(compute(known));
    };
  }
}

const parsed = new Map<string, Parsed | string>();

function parse(expression: string): Parsed | string {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  let result: Parsed | string;
  try {
    const parser = new Parser(expression);
    result = { compute: parser.whole(), names: parser.names };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    result = error.message;
  }
  parsed.set(expression, result);
  return result;
}

/** The value, or undefined where a variable is unknown, the result is not a finite number, or the text is no expression. */
export function evaluate(expression: string, variables: Variables): number | undefined {
  const found = parse(expression);
  return typeof found === "string" ? undefined : found.compute(variables);
}

/** The names that an expression uses; none where the text is no expression. */
export function namesIn(expression: string): ReadonlySet<string> {
  const found = parse(expression);
  return typeof found === "string" ? new Set() : found.names;
}

/** What is wrong with an expression that may use `known` names, or any where absent; undefined where nothing is. */
export function expressionProblem(expression: string, known?: ReadonlySet<string>): string | undefined {
  const found = parse(expression);
  if (typeof found === "string") return `is not an expression that can be counted: ${found}`;
  const unknown = [...found.names].filter((name) => known?.has(name) === false);
  return unknown.length === 0
    ? undefined
    : `uses ${unknown.join(", ")}, which is neither a hyperparameter nor a size`;
}
