/** Python that the suites open: one source for each kind of place an adapter can go. */

export const attention = `import torch
import torch.nn as nn


class Attention(nn.Module):
    def __init__(self, width: int = 64):
        super().__init__()
        self.query = nn.Linear(64, 64)
        self.output = nn.Linear(64, 64)

    def forward(self, x):
        return self.output(self.query(x))
`;

export const block = `import torch.nn as nn


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(64, 256)
        self.down = nn.Linear(256, 64)

    def forward(self, x):
        return self.down(self.up(x).relu())


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(64)
        self.mlp = Mlp()

    def forward(self, x):
        x = x + self.mlp(self.norm(x))
        return x
`;

export const decoder = `import torch
import torch.nn as nn


class UpBlock(nn.Module):
    def __init__(self, channels: int = 64, skip_channels: int = 64):
        super().__init__()
        self.merge = nn.Conv2d(channels + skip_channels, channels, 3, padding=1)

    def forward(self, h, skip):
        h = torch.cat([h, skip], dim=1)
        return self.merge(h)
`;

export const peft = `from peft import LoraConfig, get_peft_model

config = LoraConfig(r=64, lora_alpha=8, target_modules=["query", "value"])
`;
