"""Checkpoints: everything from which a run goes on as if it had never stopped."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lieapp.engine.errors import EngineError
from lieapp.engine.recording import Recording
from lieapp.engine.recording_file import recording_arrays, restore_recording
from lieapp.engine.whole_file import written_whole

__all__ = ["STATE_BYTES", "Checkpoint", "RunPosition", "copied"]

FORMAT = "lieapp-checkpoint"
VERSION = 1

STATE_BYTES = 32 * 2**20
"""Most bytes of recorded states that a checkpoint carries; beyond it they are thinned further."""


@dataclass(frozen=True)
class RunPosition:
    """Where a run stands at one frame: all that determines its next steps. Tensors are copies on the CPU.

    Attributes
    ----------
    frame : int
        Index of the frame.
    parameters : list of Tensor
    optimizer, problem : dict
        Their ``state_dict``.
    generators : dict of str to Tensor
        States of the random generators.
    counters : dict of str to float
        Gradients, losses and hvps that were charged.
    seconds : float
        Computing time.
    base_rates : list of float or None
        Learning rate of every parameter group before the schedule; None where a group has none.
    paid : bool
        Whether the gradient at the parameters has been paid already.
    """

    frame: int
    parameters: list[Tensor]
    optimizer: dict[str, Any]
    problem: dict[str, Any]
    generators: dict[str, Tensor]
    counters: dict[str, float]
    seconds: float
    base_rates: list[float | None]
    paid: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A run's position with its recording up to there.

    Attributes
    ----------
    position : RunPosition
    header : str
        The recording's header as JSON, its metadata (with the job) included.
    columns : Tensor (columns, frames)
        The recording's columns.
    kept : Tensor (kept,)
        Frames of the states.
    states : dict of str to Tensor (kept, ...)
        Recorded states: all of them where they fit into `STATE_BYTES`, else thinned; the frame of the position and
        the best are always there.
    """

    position: RunPosition
    header: str
    columns: Tensor
    kept: Tensor
    states: dict[str, Tensor]

    @classmethod
    def build(cls, position: RunPosition, recording: Recording) -> Checkpoint:
        """Join a position with the frames of a recording up to it."""
        header, columns, kept, states = recording_arrays(recording, position.frame + 1, STATE_BYTES)
        return cls(
            position,
            header,
            torch.from_numpy(columns),
            torch.from_numpy(kept),
            # Zero-dimensional indexing may return read-only or scalar arrays; torch wants writable ones.
            {key: torch.from_numpy(np.array(value)) for key, value in states.items()},
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The recording's metadata, the job among them."""
        found: dict[str, Any] = json.loads(self.header).get("metadata") or {}
        return found

    def fill(self, recording: Recording) -> None:
        """Put the stored frames into an empty recording and leave it open.

        Raises
        ------
        EngineError
            If the recording is not empty or the stored one is damaged.
        """
        states = {key: value.numpy() for key, value in self.states.items()}
        restore_recording(recording, self.header, self.columns.numpy(), self.kept.numpy(), states)
        recording.reopen()

    def save(self, path: str | Path) -> Path:
        """Write the checkpoint to a file, which is replaced only once everything is written; return the path.

        Raises
        ------
        EngineError
            If the file cannot be written.
        """
        path = Path(path)
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "position"}
        position = {field.name: getattr(self.position, field.name) for field in fields(self.position)}
        with written_whole(path) as temporary, temporary.open("wb") as file:
            torch.save({"format": FORMAT, "version": VERSION, "position": position, **values}, file)
            file.flush()
            os.fsync(file.fileno())
        return path

    @classmethod
    def load(cls, path: str | Path) -> Checkpoint:
        """Read a file that `save` wrote; nothing in it is executed.

        Raises
        ------
        EngineError
            If the file cannot be read or is no checkpoint; the message names it.
        """
        path = Path(path)
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
                raise ValueError("it has another header")
            version = values.pop("version", None)
            if version != VERSION:
                raise ValueError(f"version {version!r} is not one of those known here: {VERSION}")
            return cls(position=RunPosition(**values.pop("position")), **values)
        except FileNotFoundError as error:
            raise EngineError(f"{path}: no such file") from error
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise EngineError(f"{path} is not a checkpoint of LieApp: {_first_line(error)}") from error
        except (RuntimeError, MemoryError, pickle.UnpicklingError) as error:
            raise EngineError(f"{path} is not a checkpoint of LieApp: it is damaged or of another program") from error


def copied(value: Any, place: str) -> Any:
    """Return a deep copy of a state dict with its tensors on the CPU.

    Parameters
    ----------
    value : object
        Tensors, numbers, strings, None, and lists, tuples and mappings of them.
    place : str
        For the message.

    Raises
    ------
    EngineError
        If there is anything else; the message says where.
    """
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: copied(entry, f"{place}[{key!r}]") for key, entry in value.items()}
    if isinstance(value, list | tuple):
        entries = [copied(entry, f"{place}[{index}]") for index, entry in enumerate(value)]
        return tuple(entries) if isinstance(value, tuple) else entries
    raise EngineError(f"{place} holds a {type(value).__name__}: checkpoints hold only tensors and plain values")


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return reason.strip().splitlines()[0][:200]
