/** A long PyTorch file of our own making: the same text every time. */

/** A small generator of numbers (multiplicative congruential), so that two runs measure the same. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

const layers = [
  (name: string, width: number) => `self.${name} = nn.Linear(${width}, ${width * 4})`,
  (name: string, width: number) =>
    `self.${name} = nn.Linear(in_features=${width}, out_features=${width}, bias=False)`,
  (name: string, width: number) => `self.${name} = nn.LayerNorm(${width})`,
  (name: string, width: number) => `self.${name} = nn.Conv2d(${width}, ${width}, kernel_size=3, padding=1)`,
  (name: string, width: number) => `self.${name} = nn.Embedding(50257, ${width})`,
  (name: string, width: number) =>
    `self.${name} = nn.Sequential(nn.Linear(${width}, ${width}), nn.GELU(), nn.Linear(${width}, ${width}))`,
];

/** Module classes of about 20 lines each, with a PEFT configuration after every tenth, up to at least `lineCount` lines. */
export function generateModel(lineCount: number): string {
  const next = numbers(20240229);
  const lines = [
    "import math",
    "",
    "import torch",
    "import torch.nn as nn",
    "from peft import LoraConfig, get_peft_model",
    "",
  ];
  for (let block = 0; lines.length < lineCount; block++) {
    const width = 64 * (1 + next(16));
    lines.push("", `class Block${block}(nn.Module):`, `    """Block ${block} of a generated model."""`, "");
    lines.push(`    def __init__(self, width: int = ${width}) -> None:`, "        super().__init__()");
    const names = Array.from({ length: 4 + next(5) }, (_, index) => `layer_${index}`);
    for (const name of names) lines.push(`        ${layers[next(layers.length)]?.(name, width) ?? "pass"}`);
    lines.push("", "    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:");
    for (const name of names) lines.push(`        x = x + self.${name}(x)`);
    lines.push("        return torch.cat([x, skip], dim=1)", "");
    if (block % 10 === 9) {
      lines.push(
        `config_${block} = LoraConfig(r=${4 << next(4)}, lora_alpha=${8 << next(3)}, lora_dropout=0.05)`,
      );
      lines.push(`model_${block} = get_peft_model(Block${block}(), config_${block})`, "");
    }
  }
  return `${lines.join("\n")}\n`;
}
