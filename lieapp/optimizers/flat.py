"""All parameters as one vector, and the algebra on it that must not lose digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from lieapp.optimizers.inner_products import CHUNK, dot64, norm64, square_and_range

__all__ = ["MANY", "FlatSpace"]


MANY = 1 << 16
"""Numbers in a vector from which on passes through memory count."""


class FlatSpace:
    """The joined space of a list of parameters; its vectors are flat tensors of float64, else of float32.

    Parameters
    ----------
    parameters : sequence of Tensor
        They give shapes, types and device; their values are never read.

    Attributes
    ----------
    device : torch.device
    dtype : torch.dtype
        Precision of the vectors.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._shapes = [p.shape for p in parameters]
        self._dtypes = [p.dtype for p in parameters]
        self._sizes = [p.numel() for p in parameters]
        self.device = parameters[0].device
        self.dtype = torch.float64 if torch.float64 in self._dtypes else torch.float32

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(self._sizes)

    def flatten(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return one new vector, shape ``(size,)``."""
        return torch.cat([x.detach().reshape(-1).to(self.device, self.dtype) for x in tensors])

    def split(self, vector: Tensor) -> list[Tensor]:
        """Return views of a vector in the shapes of the parameters, in the precision of the space."""
        parts = torch.split(vector, self._sizes)
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def split_as_parameters(self, vector: Tensor) -> list[Tensor]:
        """Return a vector in the shapes and types of the parameters."""
        return list(self.as_parameters(self.split(vector)))

    def shaped(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return tensors in the shapes of the parameters and the precision of the space, without a copy if they are."""
        return [x.reshape(shape) for x, shape in zip(self.in_precision(tensors), self._shapes, strict=True)]

    def as_parameters(self, parts: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield the parts of a vector in the types of the parameters."""
        return (part.to(dtype) for part, dtype in zip(parts, self._dtypes, strict=True))

    def in_precision(self, tensors: Iterable[Tensor], *, copy: bool = False) -> Iterator[Tensor]:
        """Yield tensors in the precision of the space, without joining them; the same ones unless ``copy``."""
        return (x.detach().to(self.device, self.dtype, copy=copy) for x in tensors)

    def random(self, generator: torch.Generator) -> Tensor:
        """Return a random unit vector, uniform on the sphere."""
        draw = torch.randn(self.size, generator=generator, dtype=self.dtype, device=generator.device)
        return self.unit(draw.to(self.device))

    def unit(self, vector: Tensor) -> Tensor:
        """Return a vector divided by its length, or itself where that is 1 within rounding.

        Raises
        ------
        ValueError
            If it is zero or not finite.
        """
        length = norm64(vector)
        if not 0.0 < length < float("inf"):
            raise ValueError(f"Invalid direction: its length is {length}")
        return vector if abs(length - 1.0) <= 4.0 * torch.finfo(vector.dtype).eps else vector / length

    def oriented(self, write: Callable[[list[Tensor]], Iterable[Tensor]]) -> tuple[list[Tensor], float]:
        """Return a unit vector whose largest component is positive, and its sign, measured while it is written.

        Parameters
        ----------
        write : callable
            Given the parts to write to, yields them as they have been written: of a vector of length 1, nearly.

        Returns
        -------
        parts : list of Tensor
            In memory of their own: what is as small as they are need not be fetched anew from the system.
        sign : float
            -1 where the vector was turned round.

        Notes
        -----
        Its length is 1 within four rounding units, or 1e-5 where there are too many numbers to touch them all again.
        """
        parts = [torch.empty(shape, dtype=self.dtype, device=self.device) for shape in self._shapes]
        square, low, high = square_and_range(write(parts))
        if low == -high or not 0.5 < square < 2.0:
            joined = self.flatten(parts)
            unit = self.unit(joined) if 0.0 < square < math.inf else joined
            turned = self.with_sign(unit)
            return self.split(turned), 1.0 if turned is unit else -1.0
        length = math.copysign(math.sqrt(square), low + high)
        near = 4.0 * torch.finfo(self.dtype).eps if self.size <= MANY else 1e-5
        if not abs(length - 1.0) <= near:
            for part in parts:
                part.mul_(1.0 / length)
        return parts, math.copysign(1.0, length)

    def empty(self) -> Tensor:
        """Return a vector of any numbers."""
        return torch.empty(self.size, dtype=self.dtype, device=self.device)

    @staticmethod
    def with_sign(vector: Tensor) -> Tensor:
        """Return the vector or its negative, whichever has its largest component positive."""
        low, high = (float(x) for x in torch.aminmax(vector))
        if low == -high:  # several are largest: the first decides
            low, high = (0.0, 1.0) if float(vector[int(vector.abs().argmax())]) > 0.0 else (-1.0, 0.0)
        return -vector if -low > high else vector

    @staticmethod
    def dot(a: Tensor, b: Tensor) -> float:
        """Return the dot product, summed in float64."""
        return dot64(a, b)

    @staticmethod
    def norm(a: Tensor) -> float:
        """Return the Euclidean norm, summed in float64."""
        return norm64(a)

    @staticmethod
    def mix(rows: Tensor, coefficients: Tensor) -> None:
        """Replace the first rows of a matrix by combinations of its first rows, in place.

        Parameters
        ----------
        rows : Tensor, shape=(m, size)
        coefficients : Tensor, shape=(k, j), dtype=float64
            Row i becomes the sum of ``coefficients[i, l] * rows[l]`` over ``l < j``.
        """
        factors = coefficients.to(rows)
        count, size = factors.shape
        for part in rows.split(CHUNK, dim=1):
            part[:count] = factors @ part[:size]

    @staticmethod
    def rows_dot(basis: Tensor, vector: Tensor) -> Tensor:
        """Return the dot products of the rows of ``basis``, shape ``(m, size)``, with a vector, in float64."""
        if vector.dtype == torch.float64:
            return basis @ vector
        parts = zip(basis.split(CHUNK, dim=1), vector.split(CHUNK), strict=True)
        return torch.stack([rows.double() @ part.double() for rows, part in parts]).sum(0)
