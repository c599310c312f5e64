"""The encoder in torch: BERT shape, mean pooling, a linear head. For training and export only."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import Base


class Layer(nn.Module):
    """One post-norm transformer layer (Devlin et al. 2019)."""

    def __init__(self, base: Base, dropout: float) -> None:
        super().__init__()
        h, f = base.hidden, base.inner
        self.heads = base.heads
        self.q, self.k, self.v, self.ao = (nn.Linear(h, h) for _ in range(4))
        self.fi, self.fo = nn.Linear(h, f), nn.Linear(f, h)
        self.aln, self.oln = nn.LayerNorm(h, eps=base.epsilon), nn.LayerNorm(h, eps=base.epsilon)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        b, t, h = x.shape
        size = h // self.heads

        def split(y: Tensor) -> Tensor:
            return y.view(b, t, self.heads, size).transpose(1, 2)

        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        scores = q @ k.transpose(-1, -2) / size**0.5 + bias
        mixed = (self.drop(torch.softmax(scores, dim=-1)) @ v).transpose(1, 2).reshape(b, t, h)
        x = self.aln(x + self.drop(self.ao(mixed)))
        inner = nn.functional.gelu(self.fi(x))
        out: Tensor = self.oln(x + self.drop(self.fo(inner)))
        return out


class Encoder(nn.Module):
    """Token embeddings (given) to label logits.

    ``embedded`` is [batch, time, hidden], ``mask`` [batch, time] with 1 where there is a token.
    """

    def __init__(self, base: Base, labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.from_numpy(base.tensors["emb.pos"] + base.tensors["emb.type"]))
        self.norm = nn.LayerNorm(base.hidden, eps=base.epsilon)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(base, dropout) for _ in range(base.layers))
        self.head = nn.Linear(base.hidden, labels)
        with torch.no_grad():
            self.norm.weight.copy_(torch.from_numpy(base.tensors["emb.ln.w"]))
            self.norm.bias.copy_(torch.from_numpy(base.tensors["emb.ln.b"]))
            for n, layer in enumerate(self.layers):
                for part in ("q", "k", "v", "ao", "fi", "fo", "aln", "oln"):
                    module = getattr(layer, part)
                    module.weight.copy_(torch.from_numpy(base.tensors[f"l{n}.{part}.w"]))
                    module.bias.copy_(torch.from_numpy(base.tensors[f"l{n}.{part}.b"]))

    def pooled(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """The mean over tokens of the last layer."""
        x = self.drop(self.norm(embedded + self.positions[: embedded.shape[1]]))
        bias = (1.0 - mask[:, None, None, :]) * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        weight = mask[:, :, None]
        mean: Tensor = (x * weight).sum(1) / weight.sum(1)
        return mean

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        out: Tensor = self.head(self.drop(self.pooled(embedded, mask)))
        return out
