"""Recording: what a run leaves behind, and all that plots, scrub bars, tables, figures and sessions read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.best import BestBy, BestFrame, read_best_by
from lieapp.engine.errors import EngineError
from lieapp.engine.outcome import Outcome
from lieapp.engine.snapshots import SnapshotStore

__all__ = ["SNAPSHOT_BUDGET_BYTES", "Recording"]

SNAPSHOT_BUDGET_BYTES = 512 * 2**20

_FIRST_CAPACITY = 256


class _Table(NamedTuple):
    """Columns as rows of one array ``(columns, capacity)``, so that a column is contiguous."""

    names: tuple[str, ...]
    place: dict[str, int]
    block: NDArray[np.float64]


class Recording:
    """Append-only columns and states of the frames of one run.

    One thread appends; any number of threads read at the same time, without locks: they always see a complete prefix.
    A frame is counted only after it was written, rows that are counted never change, and growing replaces the arrays
    at once, so arrays handed out before stay valid.

    Parameters
    ----------
    metadata : dict, optional
        Plain values for JSON: job, resolved settings, device, versions, costs. Stored with the recording. ``best_by``
        names the column that decides which frame is the best, see `lieapp.engine.best`; the loss by default.
    snapshot_budget_bytes : int, optional
        Most bytes of states that are kept; see `lieapp.engine.snapshots`.
    snapshot_memory_bytes : int, optional
        Share of it that stays in memory when states are large; a quarter by default.

    Attributes
    ----------
    metadata : dict
    """

    def __init__(
        self,
        metadata: dict[str, Any] | None = None,
        snapshot_budget_bytes: int = SNAPSHOT_BUDGET_BYTES,
        snapshot_memory_bytes: int | None = None,
    ) -> None:
        self.metadata: dict[str, Any] = {} if metadata is None else metadata
        self._table: _Table | None = None
        self._count = 0
        self._best: BestFrame | None = None
        self._outcome: Outcome | None = None
        self._snapshots = SnapshotStore(snapshot_budget_bytes, snapshot_memory_bytes)

    def __len__(self) -> int:
        """Number of frames."""
        return self._count

    def __repr__(self) -> str:
        ended = self._outcome.kind if self._outcome is not None else "open"
        return f"<Recording: {self._count} frames, {len(self.columns)} columns, {ended}>"

    # Writing

    def append(self, row: Mapping[str, float], state: Mapping[str, NDArray]) -> int:
        """Add one frame.

        Parameters
        ----------
        row : mapping of str to float
            The first one fixes the columns; that of `best_by`, where there is one, decides which frame is the best.
        state : mapping of str to ndarray
            What the frame shows; copied. Same keys, shapes and types in every frame.

        Returns
        -------
        int
            Index of the frame.

        Raises
        ------
        EngineError
            If the columns or the state's arrays differ from those of the first frame, or the recording is finished.
        """
        if self._outcome is not None:
            raise EngineError("The recording is finished: nothing can be added")
        table = self._table
        count = self._count
        if table is None:
            names = tuple(row)
            table = _Table(
                names, {name: place for place, name in enumerate(names)}, np.empty((len(names), _FIRST_CAPACITY))
            )
        elif row.keys() != table.place.keys():
            raise EngineError(f"Row holds {', '.join(row)}: earlier frames hold {', '.join(table.names)}")
        block = table.block
        if count == block.shape[1]:
            block = np.empty((len(table.names), 2 * count))
            block[:, :count] = table.block
            table = table._replace(block=block)
        try:
            block[:, count] = [row[name] for name in table.names]
        except (TypeError, ValueError) as error:
            raise EngineError(f"Row {count} holds something that is no number: {dict(row)}") from error
        known = self._best or BestFrame(self.best_by)
        best = known.after(count, float(row.get(known.by, math.nan)))
        self._snapshots.add(count, state, best=best.frame == count)
        # Publish: arrays first, then what refers to them, the count last.
        self._table = table
        self._best = best
        self._count = count + 1
        return count

    def finish(self, outcome: Outcome) -> None:
        """Close the recording with the run's outcome.

        Raises
        ------
        EngineError
            If it has another outcome already.
        """
        if self._outcome is not None and self._outcome != outcome:
            raise EngineError(f"The recording is finished: {self._outcome.message}")
        self._outcome = outcome

    # Reading

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; None while it goes on."""
        return self._outcome

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns; empty before the first frame."""
        return () if self._table is None else self._table.names

    @property
    def best(self) -> int:
        """First frame of the lowest finite loss, of a climb that of the least gradient norm; 0 while there is none."""
        return 0 if self._best is None else self._best.frame

    @property
    def best_by(self) -> BestBy:
        """The column that decides which frame is the best: ``"gradient_norm"`` where the optimiser climbs.

        Raises
        ------
        EngineError
            If the metadata name another.
        """
        return read_best_by(self.metadata.get("best_by")) if self._best is None else self._best.by

    def best_among(self, frames: int) -> int:
        """Return the best of the first frames."""
        by = self.best_by
        values = self.column(by)[:frames].tolist() if by in self.columns else ()
        return BestFrame(by).among(values).frame

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one column as far as it is written, shape ``(frames,)``, a read-only view.

        Raises
        ------
        EngineError
            If there is no such column.
        """
        return self.table([name])[name]

    def table(self, names: Iterable[str] | None = None) -> dict[str, NDArray[np.float64]]:
        """Return several columns (all by default) of equal length, as read-only views.

        Two calls of `column` may see a different number of frames while a run goes on; one call of this does not.

        Raises
        ------
        EngineError
            If there is no such column.
        """
        count = self._count  # before the block: the block then holds at least so many frames
        table = self._table
        wanted = self.columns if names is None else tuple(names)
        views: dict[str, NDArray[np.float64]] = {}
        for name in wanted:
            if table is None or name not in table.place:
                raise EngineError(f"The recording has no column {name!r}: it has {', '.join(self.columns) or 'none'}")
            view = table.block[table.place[name], :count]
            view.flags.writeable = False
            views[name] = view
        return views

    def row(self, index: int) -> dict[str, float]:
        """Return all columns of one frame; negative indices count from the end.

        Raises
        ------
        EngineError
            If there is no such frame.
        """
        frame = self._frame(index)
        table = self._table
        assert table is not None
        return dict(zip(table.names, table.block[:, frame].tolist(), strict=True))

    def kept(self, index: int) -> int:
        """Return the last frame up to ``index`` whose exact state is kept: ``index`` itself unless it was thinned.

        Raises
        ------
        EngineError
            If there is no such frame.
        """
        return self._snapshots.kept(self._frame(index))

    def state(self, index: int, only: Collection[str] | None = None) -> dict[str, NDArray]:
        """Return the state of frame `kept` ``(index)`` as read-only arrays.

        Parameters
        ----------
        index : int
        only : collection of str, optional
            Names of the arrays that are wanted, as far as states hold them: large states may lie on disk, where the
            others are not read.

        Raises
        ------
        EngineError
            If there is no such frame.
        """
        return self._snapshots.state(self._frame(index), only)

    @property
    def state_keys(self) -> tuple[str, ...]:
        """Names of the arrays of a state; empty before the first frame."""
        return self._snapshots.keys

    @property
    def state_frames(self) -> NDArray[np.int64]:
        """Frames of the rows of `states`: all of them unless states were thinned."""
        return self._snapshots.frames

    def states(self, key: str) -> NDArray:
        """Return one array of the states of `state_frames`, stacked along a new first axis, read-only.

        Small states (poses, points) are stored like this and cost nothing; large ones are gathered.

        Raises
        ------
        EngineError
            If states hold no such array.
        """
        return self._snapshots.stack(key)

    # Keeping

    def save(self, path: str | Path) -> Path:
        """Write everything to one ``.npz`` file; see `lieapp.engine.recording_file`.

        Raises
        ------
        EngineError
            If the metadata is not plain JSON or the file cannot be written; the message names it.
        """
        from lieapp.engine.recording_file import write_recording

        return write_recording(self, Path(path))

    @classmethod
    def load(
        cls,
        path: str | Path,
        snapshot_budget_bytes: int = SNAPSHOT_BUDGET_BYTES,
        snapshot_memory_bytes: int | None = None,
    ) -> Recording:
        """Read a recording that `save` wrote.

        Raises
        ------
        EngineError
            If the file cannot be read or is no recording; the message names it.
        """
        from lieapp.engine.recording_file import read_recording

        return read_recording(Path(path), cls({}, snapshot_budget_bytes, snapshot_memory_bytes))

    def reopen(self) -> None:
        """Forget the outcome, so that a resumed run may go on."""
        self._outcome = None

    def close(self) -> None:
        """Remove temporary files. Called when the recording is no longer referenced, too."""
        self._snapshots.close()

    @property
    def snapshots(self) -> SnapshotStore:
        """The states, for those that store recordings."""
        return self._snapshots

    def _frame(self, index: int) -> int:
        count = self._count
        frame = index + count if index < 0 else index
        if not 0 <= frame < count:
            raise EngineError(f"The recording has no frame {index}: it has {count}")
        return frame

    def _restore(self, names: tuple[str, ...], block: NDArray[np.float64]) -> int:
        """Take over stored columns and return the best frame; the states are added to `snapshots` by the reader.

        Only for an empty recording whose metadata are there.
        """
        count = block.shape[1]
        by = self.best_by
        best = BestFrame(by).among(block[names.index(by)].tolist() if by in names else ())
        room = np.empty((len(names), max(_FIRST_CAPACITY, count)))
        room[:, :count] = block
        self._table = _Table(names, {name: place for place, name in enumerate(names)}, room)
        self._best = best
        self._count = count
        return best.frame
