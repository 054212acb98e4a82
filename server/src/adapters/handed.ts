/** Classes that build none of their layers, but are handed them: `EncoderDecoder(encoder, decoder)`. */
import type { ModuleClass } from "../python/facts";

/** Attributes that a class makes of what its constructor is handed, and that it calls or runs over. */
export function handedParts({ init, range }: ModuleClass, text: string): string[] {
  if (init === undefined) return [];
  const body = text.slice(range.from, range.to);
  const parameters = new Set(init.parameters.map(({ name }) => name));
  // self.encoder = encoder, self.layers = clones(layer, n), self.blocks = nn.ModuleList(blocks)
  const assigned = text
    .slice(init.range.from, init.range.to)
    .matchAll(/\bself\.(\w+) *(?::[^=\n]+)?= *(?:[\w.]+\()?\*?(\w+) *(?=[\n,)]|$)/g);
  return [...assigned].flatMap(([, attribute = "", value = ""]) =>
    parameters.has(value) &&
    new RegExp(`\\bself\\.${attribute}\\(|\\bin\\b.*\\bself\\.${attribute}\\b`).test(body)
      ? [attribute]
      : [],
  );
}
