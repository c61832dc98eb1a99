"""Where to compute, and on how many threads."""

from __future__ import annotations

from typing import Literal

import torch

from lieapp.engine.errors import EngineError

__all__ = ["resolve_device", "single_thread", "synchronize"]


def resolve_device(
    device: str = "auto", *, prefers: Literal["cpu", "cuda"] = "cpu", dtype: str | torch.dtype = "float64"
) -> torch.device:
    """Return the device that a job asks for.

    Parameters
    ----------
    device : str
        "auto", "cpu", "cuda", "cuda:N" or "mps".
    prefers : {"cpu", "cuda"}
        What "auto" means for a problem: small ones are fastest on the CPU; large ones go to CUDA where there is one,
        else to MPS if single precision suffices, else to the CPU.
    dtype : str or torch.dtype
        Precision that the problem needs; MPS has no float64.

    Returns
    -------
    torch.device
        Always with an index where it is CUDA.

    Raises
    ------
    EngineError
        If the device is asked for by name and this machine or this build of torch has none, or it lacks the precision.
    """
    single = str(dtype).removeprefix("torch.") != "float64"
    has_mps = torch.backends.mps.is_available()
    if device == "auto":
        if prefers == "cuda" and torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if prefers == "cuda" and has_mps and single else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise EngineError(f"Unknown device {device!r}: expected auto, cpu, cuda, cuda:N or mps") from error
    if resolved.type == "cpu":
        return torch.device("cpu")
    if resolved.type == "cuda":
        if not torch.cuda.is_available():
            built = torch.version.cuda is not None or torch.version.hip is not None
            why = "no usable GPU was found" if built else "this torch was built without CUDA"
            raise EngineError(f"Device {device} is not available: {why}. Choose auto or cpu.")
        index, count = resolved.index or 0, torch.cuda.device_count()
        if index >= count:
            raise EngineError(f"Device {device} is not available: this machine has {count} GPU(s), counted from 0")
        return torch.device("cuda", index)
    if resolved.type == "mps":
        if not has_mps:
            raise EngineError("Device mps is not available: it needs a Mac with Apple silicon. Choose auto or cpu.")
        if not single:
            raise EngineError("Device mps computes in float32 only. Choose dtype float32 or device cpu.")
        return resolved
    raise EngineError(f"Unknown device {device!r}: expected auto, cpu, cuda, cuda:N or mps")


def synchronize(device: torch.device) -> None:
    """Wait until a device has done what it was given; returns at once on the CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class single_thread:
    """Compute on one torch thread from now on or, as a context, inside it.

    On small problems two threads were 4 to 60 times slower than one on two busy cores. torch keeps the number for
    every thread apart: call it on the one that computes.

    Examples
    --------
    >>> with single_thread():
    ...     torch.get_num_threads()
    1
    """

    def __init__(self) -> None:
        self._before = torch.get_num_threads()
        if self._before != 1:
            torch.set_num_threads(1)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        if self._before != 1:
            torch.set_num_threads(self._before)
