"""The states of a run's frames within a budget of bytes, readable while they are written.

States are thinned geometrically: all are kept until they reach the budget, then every second of them is dropped and
from there on every second frame is kept, and so on. The first, the best and the last are always there.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
import threading
import weakref
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.errors import EngineError

__all__ = ["DENSE_STATE_BYTES", "SnapshotStore"]

State = dict[str, NDArray]

DENSE_STATE_BYTES = 64 * 1024
"""States up to this size (poses, points) are packed into growing arrays; larger ones (maps) are kept one by one."""

_FIRST_CAPACITY = 64


class _DenseGrid:
    """Small states of equal shapes, packed: one array per key with the kept frames in front.

    One writer, many readers: a row is written before ``count`` covers it and never changes afterwards. Growing and
    thinning make a new grid, so whoever holds an old one keeps a consistent picture.
    """

    def __init__(self, frames: NDArray[np.int64], blocks: State, count: int) -> None:
        self.frames, self.blocks, self.count = frames, blocks, count

    @classmethod
    def like(cls, state: State) -> _DenseGrid:
        blocks = {key: np.empty((_FIRST_CAPACITY, *value.shape), value.dtype) for key, value in state.items()}
        return cls(np.empty(_FIRST_CAPACITY, np.int64), blocks, 0)

    def with_room(self) -> _DenseGrid:
        count, capacity = self.count, len(self.frames)
        if count < capacity:
            return self
        return _DenseGrid(
            _enlarged(self.frames, 2 * capacity),
            {key: _enlarged(block, 2 * capacity) for key, block in self.blocks.items()},
            count,
        )

    def append(self, frame: int, state: State) -> None:
        count = self.count
        self.frames[count] = frame
        for key, value in state.items():
            self.blocks[key][count] = value
        self.count = count + 1

    def thinned(self, stride: int) -> _DenseGrid:
        chosen = np.flatnonzero(self.frames[: self.count] % stride == 0)
        capacity = max(_FIRST_CAPACITY, 2 * len(chosen))
        return _DenseGrid(
            _enlarged(self.frames[chosen], capacity),
            {key: _enlarged(block[chosen], capacity) for key, block in self.blocks.items()},
            len(chosen),
        )

    def row(self, index: int) -> int:
        count = self.count
        if count and self.frames[count - 1] <= index:  # the latest, which is asked for most
            return count - 1
        return int(self.frames[:count].searchsorted(index, side="right")) - 1

    def frame(self, row: int) -> int:
        return int(self.frames[row])

    def state(self, row: int, only: Collection[str] | None = None) -> State:
        return {key: _read_only(block[row, ...]) for key, block in self.blocks.items() if only is None or key in only}

    def stack(self, key: str) -> NDArray:
        return _read_only(self.blocks[key][: self.count])

    def kept_frames(self) -> NDArray[np.int64]:
        return _read_only(self.frames[: self.count])


class _Entry:
    """One large state: in memory, or in a file once memory is short.

    The file holds nothing but the bytes of the arrays, one after the other. Headers as those of ``.npy`` would be
    parsed by Python's compiler, which fails now and then in two threads at once (Python 3.11, SystemError in
    ``ast.parse``).
    """

    __slots__ = ("_layout", "_path", "_state", "frame")

    def __init__(self, frame: int, state: State) -> None:
        self.frame = frame
        self._state: State | None = state
        self._layout = [(key, value.dtype, value.shape) for key, value in state.items()]
        self._path: Path | None = None

    @property
    def in_memory(self) -> bool:
        return self._path is None

    def load(self, only: Collection[str] | None = None) -> State:
        state = self._state
        if state is not None:
            return {key: value for key, value in state.items() if only is None or key in only}
        assert self._path is not None
        read: State = {}
        with self._path.open("rb") as file:
            for key, dtype, shape in self._layout:
                count = math.prod(shape)
                if only is None or key in only:
                    read[key] = _read_only(np.fromfile(file, dtype, count).reshape(shape))
                else:
                    file.seek(count * dtype.itemsize, os.SEEK_CUR)
        return read

    def spill(self, folder: Path) -> None:
        assert self._state is not None
        path = folder / f"{self.frame}.state"
        with path.open("wb") as file:
            for value in self._state.values():
                value.tofile(file)
        self._path = path
        self._state = None

    def discard(self) -> None:
        # The state returns to memory only for whoever is reading it at this moment.
        if self._path is not None:
            # Windows keeps a file that is being read; the folder goes with the store.
            with contextlib.suppress(OSError):
                self._path.unlink()


class _SparseGrid:
    """Large states one by one; the newest in memory, the others on disk. Same reading as `_DenseGrid`."""

    def __init__(self, entries: list[_Entry]) -> None:
        self.entries = entries

    @property
    def count(self) -> int:
        return len(self.entries)

    def row(self, index: int) -> int:
        return bisect_right(self.entries, index, key=lambda entry: entry.frame) - 1

    def frame(self, row: int) -> int:
        return self.entries[row].frame

    def state(self, row: int, only: Collection[str] | None = None) -> State:
        return self.entries[row].load(only)

    def stack(self, key: str) -> NDArray:
        return _read_only(np.stack([entry.load((key,))[key] for entry in list(self.entries)]))

    def kept_frames(self) -> NDArray[np.int64]:
        return _read_only(np.array([entry.frame for entry in list(self.entries)], dtype=np.int64))


class _Extra(NamedTuple):
    """The best or the last frame; its state where it is not on the grid."""

    frame: int
    state: State | None


class _Published(NamedTuple):
    grid: _DenseGrid | _SparseGrid
    best: _Extra
    last: _Extra


class SnapshotStore:
    """States by frame, thinned to a budget; one thread writes, any thread reads.

    Parameters
    ----------
    budget_bytes : int
        Most bytes that are kept, in memory and on disk together. The best and the last may come on top.
    memory_bytes : int, optional
        Most bytes of large states in memory; the others go to temporary files. A quarter of the budget by default.

    Raises
    ------
    EngineError
        If the budget is not positive.
    """

    def __init__(self, budget_bytes: int, memory_bytes: int | None = None) -> None:
        if budget_bytes <= 0:
            raise EngineError(f"Invalid snapshot budget: {budget_bytes} bytes")
        self._budget = budget_bytes
        self._memory = budget_bytes // 4 if memory_bytes is None else min(memory_bytes, budget_bytes)
        self._published: _Published | None = None
        self._layout: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
        self._stride = 1
        self._state_bytes = 0
        self._spilled = 0  # entries before this one are on disk
        self._folder: Path | None = None
        self._remove_folder: weakref.finalize | None = None
        self._disk_failed = False
        self._lock = threading.Lock()  # readers of files against their removal

    @property
    def stride(self) -> int:
        """Every how many-th frame is kept at present."""
        return self._stride

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the arrays of a state."""
        return tuple(self._layout)

    @property
    def state_bytes(self) -> int:
        """Size of one state."""
        return self._state_bytes

    @property
    def is_packed(self) -> bool:
        """Whether states are small and `stack` costs nothing."""
        return self._state_bytes <= DENSE_STATE_BYTES

    def layout(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of one array of a state."""
        return self._layout[key]

    @property
    def frames(self) -> NDArray[np.int64]:
        """Frames that `stack` holds, ascending; the best and the last may be kept besides."""
        published = self._published
        return np.empty(0, np.int64) if published is None else published.grid.kept_frames()

    def all_frames(self) -> list[int]:
        """Return every frame whose exact state is kept, ascending."""
        published = self._published
        if published is None:
            return []
        return sorted({*published.grid.kept_frames().tolist(), published.best.frame, published.last.frame})

    def add(self, frame: int, state: Mapping[str, NDArray], *, best: bool) -> None:
        """Keep the state of the next frame, as far as the budget allows.

        Parameters
        ----------
        frame : int
            0 at first, then above all earlier ones.
        state : mapping of str to ndarray
            Copied. Every frame has the same keys, shapes and types.
        best : bool
            Whether it is the best so far.

        Raises
        ------
        EngineError
            If the arrays differ from those of the first frame, or cannot be stored.
        """
        published = self._published
        if published is None:
            self._fix_layout(state)
        arrays = self._checked(state)
        if published is None:
            grid: _DenseGrid | _SparseGrid = _DenseGrid.like(arrays) if self.is_packed else _SparseGrid([])
            old_best = _Extra(frame, None)
        else:
            grid, old_best = published.grid, published.best
        on_grid = published is None or frame % self._stride == 0
        kept: State | None = None
        if on_grid and isinstance(grid, _DenseGrid):
            grid = grid.with_room()
            grid.append(frame, arrays)
        else:
            kept = {key: _frozen_copy(value) for key, value in arrays.items()}
            if on_grid:
                assert isinstance(grid, _SparseGrid)
                grid.entries.append(_Entry(frame, kept))
        extra = _Extra(frame, kept)
        self._published = _Published(grid, extra if best else old_best, extra)
        if on_grid:
            self._keep_budget()

    def kept(self, index: int) -> int:
        """Return the last frame up to ``index`` whose exact state is kept."""
        return self._find(index)[0]

    def state(self, index: int, only: Collection[str] | None = None) -> State:
        """Return the state of `kept` ``(index)``, or of its arrays only these; they are read-only."""
        # Each thinning halves what is kept, so a reader can be overtaken as often as there are halvings, not more.
        for _ in range(64):
            try:
                return self._find(index)[1](only)
            except FileNotFoundError:
                continue  # thinned away between looking it up and reading it
        raise EngineError(f"The temporary file with the state of frame {index} is gone")

    def stack(self, key: str) -> NDArray:
        """Return one array of all states on the grid, stacked, shape ``(len(frames), ...)``, read-only.

        For small states this costs nothing; large ones are read from wherever they are.
        """
        if key not in self._layout:
            raise EngineError(f"States hold no {key!r}: they hold {', '.join(self._layout) or 'nothing yet'}")
        with self._lock:  # no file goes meanwhile
            published = self._published
            assert published is not None
            return published.grid.stack(key)

    def close(self) -> None:
        """Remove temporary files; states that were on disk are lost."""
        if self._remove_folder is not None:
            self._remove_folder()

    def restore_stride(self, stride: int) -> None:
        """Continue with the stride of a stored recording, before anything is added."""
        self._stride = stride

    def _find(self, index: int) -> tuple[int, Callable[[Collection[str] | None], State]]:
        published = self._published
        if published is None or index < 0:
            raise EngineError(f"No state is kept for frame {index}")
        grid = published.grid
        row = grid.row(index)
        frame = grid.frame(row) if row >= 0 else -1
        chosen: State | None = None
        for extra in (published.best, published.last):
            if extra.state is not None and frame < extra.frame <= index:
                frame, chosen = extra.frame, extra.state
        if frame < 0:
            raise EngineError(f"No state is kept for frame {index}")
        if chosen is None:
            return frame, lambda only: grid.state(row, only)
        found = chosen
        return frame, lambda only: {key: value for key, value in found.items() if only is None or key in only}

    def _fix_layout(self, state: Mapping[str, NDArray]) -> None:
        for key, value in state.items():
            array = np.asarray(value)
            if array.dtype.kind not in "biufc" or not array.dtype.isnative or array.dtype.itemsize > 16:
                raise EngineError(f"State {key!r} is of type {array.dtype}: only native numbers can be recorded")
            if not key or "/" in key:
                raise EngineError(f"Invalid name of a state array: {key!r}")
            self._layout[key] = (array.shape, array.dtype)
            self._state_bytes += array.nbytes

    def _checked(self, state: Mapping[str, NDArray]) -> State:
        if state.keys() != self._layout.keys():
            raise EngineError(f"State holds {', '.join(state)}: earlier frames hold {', '.join(self._layout)}")
        arrays: State = {}
        for key, (shape, dtype) in self._layout.items():
            value = state[key] if isinstance(state[key], np.ndarray) else np.asarray(state[key])
            if value.shape != shape or value.dtype != dtype:
                raise EngineError(f"State {key!r} is {value.dtype} {value.shape}: earlier frames have {dtype} {shape}")
            arrays[key] = value
        return arrays

    def _keep_budget(self) -> None:
        published = self._published
        assert published is not None
        while published.grid.count * self._state_bytes > self._budget and published.grid.count > 1:
            published = self._thin(published)
        grid = published.grid
        if isinstance(grid, _SparseGrid) and (grid.count - self._spilled) * self._state_bytes > self._memory:
            self._spill(grid)

    def _thin(self, published: _Published) -> _Published:
        self._stride *= 2
        stride = self._stride
        best, last = (self._detached(extra, published.grid, stride) for extra in (published.best, published.last))
        if isinstance(published.grid, _DenseGrid):
            self._published = thinner = _Published(published.grid.thinned(stride), best, last)
            return thinner
        entries = published.grid.entries
        keep = [entry for entry in entries if entry.frame % stride == 0]
        gone = [entry for entry in entries if entry.frame % stride != 0]
        with self._lock:
            self._published = thinner = _Published(_SparseGrid(keep), best, last)
            self._spilled = sum(not entry.in_memory for entry in keep)
            for entry in gone:
                entry.discard()
        return thinner

    def _detached(self, extra: _Extra, grid: _DenseGrid | _SparseGrid, stride: int) -> _Extra:
        """Give the best or last frame a state of its own where thinning drops it from the grid."""
        if extra.state is not None or extra.frame % stride == 0:
            return extra
        state = grid.state(grid.row(extra.frame))
        return _Extra(extra.frame, {key: _frozen_copy(value) for key, value in state.items()})

    def _spill(self, grid: _SparseGrid) -> None:
        if self._disk_failed:
            return
        try:
            if self._folder is None:
                folder = tempfile.mkdtemp(prefix="lieapp-states-")
                self._folder = Path(folder)
                self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, True)
            while (grid.count - self._spilled) * self._state_bytes > self._memory and self._spilled < grid.count:
                grid.entries[self._spilled].spill(self._folder)
                self._spilled += 1
        except OSError:
            # No room on disk: what fits into memory must do.
            self._disk_failed = True
            self._budget = max(self._memory, self._state_bytes)


def _enlarged(array: NDArray, capacity: int) -> NDArray:
    larger = np.empty((capacity, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _frozen_copy(array: NDArray) -> NDArray:
    copy = np.array(array, copy=True, order="C")
    copy.flags.writeable = False
    return copy


def _read_only(array: NDArray) -> NDArray:
    view = array.view()
    view.flags.writeable = False
    return view
