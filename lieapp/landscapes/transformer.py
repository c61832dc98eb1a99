"""A character transformer as a landscape: the network of arXiv:2507.19968, and a tiny one.

Decoder only, normalised before every block, without biases and dropout, output weights tied to the embedding. Attention
is written out: fused kernels have no second derivatives on the CPU, and Hessian-vector products need them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.texts import Text, load_text
from lieapp.optimizers.oracle import AutogradOracle, Costs

__all__ = ["CharacterTransformer", "TransformerModel", "TransformerShape", "shape_of"]

_VALIDATION_INTERVAL = 50
_VALIDATION_WINDOWS = 64
_PROJECTION_SEED = 20250719  # the same plane for every run, so that paths can be compared
_CURVATURE_SEED = 1


@dataclass(frozen=True)
class TransformerShape:
    """Sizes of the network and of its batches.

    Attributes
    ----------
    layers, heads, channels : int
    block : int
        Characters that it sees at once.
    batch : int
        Windows of one step.
    """

    layers: int
    heads: int
    channels: int
    block: int
    batch: int


_SHAPES = {
    "transformer": TransformerShape(layers=4, heads=4, channels=128, block=64, batch=12),
    "transformer-tiny": TransformerShape(layers=2, heads=2, channels=32, block=32, batch=16),
}


def shape_of(name: str) -> TransformerShape:
    """Return the sizes of a network of the catalogue."""
    return _SHAPES[name]


class _Block(nn.Module):
    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        channels = shape.channels
        self.heads = shape.heads
        self.norm_attention = nn.LayerNorm(channels, bias=False)
        self.mix = nn.Linear(channels, 3 * channels, bias=False)
        self.project_attention = nn.Linear(channels, channels, bias=False)
        self.norm_layer = nn.LayerNorm(channels, bias=False)
        self.widen = nn.Linear(channels, 4 * channels, bias=False)
        self.project_layer = nn.Linear(4 * channels, channels, bias=False)
        self.register_buffer("mask", torch.ones(shape.block, shape.block).tril().bool(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.project_attention(self._attend(self.norm_attention(x)))
        wide: Tensor = F.gelu(self.widen(self.norm_layer(x)))
        return x + self.project_layer(wide)

    def _attend(self, x: Tensor) -> Tensor:
        batch, length, channels = x.shape
        q, k, v = self.mix(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = (q @ k.mT) / math.sqrt(channels // self.heads)
        mask = self.get_buffer("mask")[:length, :length]
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        return (weights @ v).transpose(1, 2).reshape(batch, length, channels)


class CharacterTransformer(nn.Module):
    """Predicts the next character at every place of a window.

    Parameters
    ----------
    shape : TransformerShape
    vocabulary : int
        Number of characters.
    generator : torch.Generator
        Of the initial weights: normal with 0.02, residual projections with ``0.02 / sqrt(2 layers)``.
    """

    def __init__(self, shape: TransformerShape, vocabulary: int, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):  # no draws from the global generator
            self.embedding = nn.Embedding(vocabulary, shape.channels)
            self.places = nn.Embedding(shape.block, shape.channels)
            self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
            self.norm = nn.LayerNorm(shape.channels, bias=False)
        self.to_empty(device="cpu")
        for block in self.blocks:
            block.get_buffer("mask").copy_(torch.ones(shape.block, shape.block).tril())
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if "norm" in name:
                    parameter.fill_(1.0)
                else:
                    scale = 0.02 / math.sqrt(2.0 * shape.layers) if "project" in name else 0.02
                    parameter.normal_(0.0, scale, generator=generator)

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits, shape (batch, length, vocabulary), for codes of shape (batch, length)."""
        places = torch.arange(codes.shape[1], device=codes.device)
        x = self.embedding(codes) + self.places(places)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.embedding.weight)

    def loss(self, codes: Tensor) -> Tensor:
        """Return the mean cross entropy in nats a character of windows of shape (batch, length + 1)."""
        logits = self(codes[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), codes[:, 1:].flatten())


class _TransformerOracle:
    """Loss and gradient on the present batch, curvature on it or on a fixed one."""

    hvp_uses_gradient = False

    def __init__(self, training: AutogradOracle, fixed: AutogradOracle | None) -> None:
        self._training = training
        self._curvature = training if fixed is None else fixed
        if fixed is not None:
            self.curvature_gradient = fixed.gradient
        self.parameters = training.parameters
        self.costs: Costs = training.costs

    def gradient(self) -> Tensor:
        return self._training.gradient()

    def loss(self) -> Tensor:
        return self._training.loss()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        return self._curvature.hvp(v)


class TransformerModel:
    """A network, the text that it learns, and the present batch.

    Parameters
    ----------
    shape : TransformerShape
    text : Text, optional
        Read from ``path`` if missing.
    path : str, optional
        File of the text; the bundled one by default.
    seed : int
        Of weights and batches.
    device : torch.device
    dtype : torch.dtype
    fixed : bool
        Whether curvature is always that of the same windows, by Hessian-vector products or by differences of
        gradients, of which a search then needs one more. The lowest direction of one batch says little about the next.

    Raises
    ------
    LandscapeError
        If the text is too short.

    Notes
    -----
    ``validation_loss`` is measured on 64 fixed windows of the last tenth of the text at every fiftieth step, and kept
    in between. It is looked at, not charged.
    """

    def __init__(
        self,
        shape: TransformerShape,
        text: Text | None,
        path: str | None,
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        fixed: bool = False,
    ) -> None:
        text = load_text(path) if text is None else text
        if len(text.validation) < shape.block + 2:
            raise LandscapeError(f"{text.name}: too short for windows of {shape.block} characters.")
        self.text = text
        self.shape = shape
        self.generator = torch.Generator().manual_seed(seed)
        self.network = CharacterTransformer(shape, len(text.vocabulary), self.generator).to(device, dtype)
        self.parameters: list[Tensor] = list(self.network.parameters())
        self._device = device
        self._codes = torch.from_numpy(text.training).to(device)
        self._validation = self._validation_windows()
        self._windows = self._draw(self.generator)
        fixed_windows = self._draw(torch.Generator().manual_seed(_CURVATURE_SEED))
        self.oracle = _TransformerOracle(
            AutogradOracle(lambda: self.network.loss(self._windows), self.parameters),
            AutogradOracle(lambda: self.network.loss(fixed_windows), self.parameters) if fixed else None,
        )
        self._step = 0
        self._validation_loss = math.nan
        self._validated = -1
        self._begin = [p.detach().clone() for p in self.parameters]
        self._plane = self._random_plane()

    def position(self) -> NDArray[np.float64]:
        """Return the way from the start, projected on a fixed random plane, shape=(2,)."""
        total = torch.zeros(2, dtype=torch.float64)
        for plane, parameter, begin in zip(self._plane, self.parameters, self._begin, strict=True):
            total += (plane @ (parameter.detach() - begin).reshape(-1)).to("cpu", torch.float64)
        values: NDArray[np.float64] = total.numpy()
        return values

    def observe(self) -> dict[str, float]:
        """Return ``validation_loss`` in nats a character, as last measured."""
        if self._step % _VALIDATION_INTERVAL == 0 and self._validated != self._step:
            self._validation_loss = self.validation_loss()
            self._validated = self._step
        return {"validation_loss": self._validation_loss}

    def validation_loss(self) -> float:
        """Return the loss on the validation windows at the present parameters, in nats a character."""
        with torch.no_grad():
            return float(self.network.loss(self._validation))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return nothing more."""
        return {}

    def after_step(self) -> None:
        """Draw the next batch."""
        self._step += 1
        self._windows = self._draw(self.generator)

    def state_dict(self) -> dict[str, Any]:
        """Return batch, generator, counter and where the path began."""
        return {
            "generator": self.generator.get_state(),
            "windows": self._windows,
            "step": self._step,
            "validated": self._validated,
            "validation_loss": self._validation_loss,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put them back; weights at the start follow from the seed."""
        self.generator.set_state(state["generator"])
        self._windows = state["windows"].to(self._device)
        self._step = int(state["step"])
        self._validated = int(state["validated"])
        self._validation_loss = float(state["validation_loss"])

    def _draw(self, generator: torch.Generator) -> Tensor:
        length = self.shape.block + 1
        starts = torch.randint(len(self._codes) - length + 1, (self.shape.batch,), generator=generator)
        return self._codes[(starts[:, None] + torch.arange(length)).to(self._device)]

    def _validation_windows(self) -> Tensor:
        length = self.shape.block + 1
        codes = torch.from_numpy(self.text.validation)
        starts = torch.linspace(0, len(codes) - length, _VALIDATION_WINDOWS).long()
        return codes[starts[:, None] + torch.arange(length)].to(self._device)

    def _random_plane(self) -> list[Tensor]:
        generator = torch.Generator().manual_seed(_PROJECTION_SEED)
        size = sum(p.numel() for p in self.parameters)
        return [
            (torch.randn(2, p.numel(), generator=generator) / math.sqrt(size)).to(p.device, p.dtype)
            for p in self.parameters
        ]
