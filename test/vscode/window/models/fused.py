import torch.nn as nn
import torch.nn.functional as F


class Fused(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(64, 4)
        self.proj = nn.Linear(64, 64)

    def forward(self, x):
        return F.linear(self.attn(x, x, x)[0], self.proj.weight)
