/** What the functions and methods of torch do to terms, by their names. */
import { einsum } from "./einsum";
import { elementwise, inverse, joined, power, transposed } from "./termOperations";
import {
  applied,
  asMatrix,
  dependsOnInput,
  map,
  matrixProduct,
  product,
  scalar,
  sum,
  type Term,
  unknown,
} from "./terms";

/** The operands of a call: for a method the tensor it is called on first. */
export interface Operands {
  readonly count: number;
  /** The operand at a place; unknown where there is none. */
  at(index: number): Term;
  /** The items of a list that is an operand. */
  items(index: number): readonly Term[];
  /** An operand that is a number. */
  number(index: number): number | undefined;
  /** An operand that is a string. */
  text(index: number): string | undefined;
  /** Whether an operand is a tensor that was given another shape. */
  isReshaped(index: number): boolean;
}

/** Change shape, type or graph, and not what is computed. */
const transparent =
  /^(?:to|type|type_as|float|half|bfloat16|double|contiguous|clone|detach|data|view|view_as|reshape|unsqueeze|squeeze|expand|expand_as|repeat|permute|flatten|unflatten|cuda|cpu|(?:alpha_|feature_)?dropout\d?d?|chunk|split|unbind|narrow|select|index_select|gather|take_along_dim|repeat_interleave|broadcast_to|requires_grad|tile|stack|clamp|clamp_min|clip|nan_to_num|movedim|moveaxis|swapaxes|swapdims|roll|pad|rearrange|reduce|real|view_as_real|view_as_complex|tri[ul]|topk|tuple|list|Parameter|dequantize\w*|\w*cast\w*|maybe_clone\w*|fftshift|ifftshift|neg|negative|conj|qr|checkpoint|coalesce|to_dense)$/;
/** Those that give a tensor another shape. */
export const reshapes = /^(?:view|reshape|unflatten|rearrange|unfold|chunk|split)$/;
const activations =
  /^(?:relu|gelu|silu|swish|tanh|sigmoid|mish|leaky_relu|elu|selu|hardswish|relu6|softplus|quick_gelu|act|activation|act_fn|activation_fn|non_linear\w*|nonlinearity)$/i;
/** What a running sum begins with, noise, masks and counts. */
const constants =
  /^(?:new_)?(?:zeros|ones|full|empty|eye|rand|randn|randint|arange|bernoulli|tensor)(?:_like)?$|^(?:randperm|len|range|int|max|min|sqrt|is_available|size|numel)$/;
/** Numbers whatever they are made from: torch.zeros_like(x), x.new_zeros(n), x.size(0). */
const unlikeInput = /^new_|_like$|^(?:size|numel|len)$/;
const products = new Set(["matmul", "mm", "bmm", "dot", "mv", "outer", "ger"]);
const inverses = new Set(["inverse", "inv", "pinv", "reciprocal"]);
const normalisers = new Set(["norm", "vector_norm", "matrix_norm"]);
const scatters = new Set(["scatter", "scatter_add", "index_put", "index_add", "index_copy", "put"]);
const sparse = new Set(["sparse_coo_tensor", "sparse_csr_tensor"]);

export const isActivation = (name: string): boolean => activations.test(name);
export const isConstant = (name: string): boolean => constants.test(name);

/** Whether a name is one of torch's that what follows `self.` and a layer's name may be: `self.A.t()`. */
export const isTensorMethod = (name: string): boolean =>
  transparent.test(name) ||
  products.has(name) ||
  inverses.has(name) ||
  normalisers.has(name) ||
  isActivation(name) ||
  /^(?:t|transpose|pow|square|sqrt|rsqrt|mul|add|sub|div|cos|sin|exp|sum|mean|softmax|_conv_forward)$/.test(
    name,
  );

/** A call of torch as a term; unknown where it is none that formulas are made of. */
export function operation(written: string, operands: Operands): Term {
  // what works in place gives what the other gives
  const name = written.replace(/(?<=[a-z0-9])_$/, "");
  const at = (index: number): Term => operands.at(index);
  if (name === "softmax") return applied("softmax", at(0));
  if (isActivation(name)) return elementwise("f", at(0));
  const matrix = (index: number): Term => asMatrix(operands.at(index));
  if (products.has(name)) return matrixProduct(matrix(0), matrix(1));
  if (inverses.has(name)) return inverse(at(0));
  if (normalisers.has(name)) return elementwise("norm", at(0));
  if (scatters.has(name)) return sum(at(0), scattered(at(operands.count - 1)));
  if (sparse.has(name)) return scattered(at(1));
  if (/^[ir]?r?fft[2n]?$/.test(name)) return elementwise(name.startsWith("i") ? "ifft" : "fft", at(0));
  switch (name) {
    // the convolution of a layer takes the layer first
    case "_conv_forward":
      return matrixProduct(matrix(operands.count > 2 ? 2 : 1), matrix(operands.count > 2 ? 1 : 0));
    case "linear":
      return dependsOnInput(at(1)) ? matrixProduct(at(1), at(0)) : map(matrix(1), at(0));
    case "conv1d":
    case "conv2d":
    case "conv3d":
    case "embedding":
      return matrixProduct(matrix(1), at(0));
    case "solve":
      return matrixProduct(inverse(at(0)), at(1));
    case "multi_dot":
      return operands.items(0).map(asMatrix).reduce(matrixProduct);
    case "add":
    case "sub":
    case "subtract":
      return sum(at(0), at(1));
    case "mul":
    case "multiply":
      return product(at(0), at(1));
    case "div":
    case "divide":
    case "true_divide":
      return product(at(0), inverse(at(1)));
    case "addmm":
    case "baddbmm":
      return sum(at(0), matrixProduct(matrix(1), matrix(2)));
    case "scaled_dot_product_attention":
      return matrixProduct(applied("softmax", matrixProduct(at(0), at(1))), at(2));
    case "cat":
    case "concat":
    case "concatenate":
    case "hstack":
    case "vstack":
      return joined(operands.items(0));
    case "kron":
      return applied("kron", matrix(0), matrix(1));
    case "einsum":
      return einsum(
        operands.text(0),
        Array.from({ length: operands.count - 1 }, (_, index) => matrix(index + 1)),
      );
    case "normalize":
      return product(at(0), inverse(elementwise("norm", at(0))));
    case "pow":
    case "square":
      return power(at(0), name === "square" ? 2 : operands.number(1));
    case "sqrt":
      return power(at(0), 0.5);
    case "rsqrt":
      return power(at(0), -0.5);
    case "cos":
    case "sin":
    case "exp":
      return elementwise(name, at(0));
    case "diag":
    case "diag_embed":
    case "block_diag":
      return name === "block_diag" ? at(0) : elementwise("diagonal", at(0));
    case "t":
    case "transpose":
      // heads and positions that change places are no matrix turned over
      return operands.isReshaped(0) && operands.number(1) === 1 ? at(0) : transposed(at(0));
    case "lerp":
      return sum(at(0), at(1));
    // x in pieces that are added up
    case "sum":
    case "mean":
      if (operands.items(0).length > 1) return sum(...operands.items(0));
      return operands.isReshaped(0) && at(0).kind === "input" ? applied("fold", at(0)) : at(0);
  }
  if (constants.test(name) && (unlikeInput.test(name) || !dependsOnInput(at(0)))) return scalar;
  return transparent.test(name) ? at(0) : unknown;
}

/** Entries put at chosen places; of anything but a weight, that itself. */
export const scattered = (entries: Term): Term =>
  entries.kind === "weight" ? applied("scatter", entries) : entries;

/** What a layer of an unknown class does to its input, by the layer's name. */
export const namedLayer = (name: string, layer: Term, of: Term): Term =>
  /drop|cast|identity/i.test(name) ? of : isActivation(name) ? applied("f", of) : map(layer, of);
