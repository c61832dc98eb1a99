"""Recordings as ``.npz`` files: numbers exactly, metadata as JSON, no pickle.

Members: ``header`` (UTF-8 JSON as bytes: format, version, columns, best, outcome, stride, states, metadata),
``columns`` (columns, frames) float64, ``frames`` (kept,) int64, the frames whose states are kept, and ``state.<key>``
(kept, ...), their states. ``numpy.load`` reads it as any other archive. States go through one at a time, so that a
recording larger than memory can be written and read.
"""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from lieapp.engine.errors import EngineError
from lieapp.engine.outcome import Outcome
from lieapp.engine.whole_file import written_whole

if TYPE_CHECKING:
    from lieapp.engine.recording import Recording

__all__ = ["read_recording", "recording_arrays", "restore_recording", "write_recording"]

FORMAT = "lieapp-recording"
VERSION = 1

_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,  # also UnicodeDecodeError and JSONDecodeError
    KeyError,
    TypeError,
    IndexError,
    SyntaxError,
    tokenize.TokenError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile, numpy and json raise on files that are none of ours."""


def header_of(recording: Recording, frames: int) -> dict[str, Any]:
    """Return what belongs into the JSON header of the first ``frames`` frames."""
    best = recording.best
    if best >= frames:
        best = recording.best_among(frames)
    complete = frames == len(recording)
    return {
        "format": FORMAT,
        "version": VERSION,
        "columns": list(recording.columns),
        "best": best,
        "outcome": recording.outcome.to_dict() if complete and recording.outcome is not None else None,
        "stride": recording.snapshots.stride,
        "states": list(recording.state_keys),
        "metadata": recording.metadata,
    }


def header_bytes(header: dict[str, Any]) -> bytes:
    """Return a header as UTF-8 JSON.

    Raises
    ------
    EngineError
        If the metadata holds anything but plain values.
    """
    try:
        return json.dumps(header, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise EngineError(f"The recording's metadata cannot be stored as JSON: {error}") from error


def write_recording(recording: Recording, path: Path) -> Path:
    """Write a recording, by way of a temporary file beside it; return the path.

    Raises
    ------
    EngineError
        If the metadata is not plain JSON or the file cannot be written.
    """
    count = len(recording)
    header = header_bytes(header_of(recording, count))
    table = recording.table()
    columns = np.array([table[name][:count] for name in recording.columns]).reshape(len(table), count)
    snapshots = recording.snapshots
    kept = [frame for frame in snapshots.all_frames() if frame < count]
    with written_whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, array in (
            ("header", np.frombuffer(header, np.uint8)),
            ("columns", columns),
            ("frames", np.array(kept, dtype=np.int64)),
        ):
            with _member(archive, name, array.dtype, array.shape) as file:
                file.write(array.tobytes())
        for key in snapshots.keys:
            shape, dtype = snapshots.layout(key)
            with _member(archive, f"state.{key}", dtype, (len(kept), *shape)) as file:
                for frame in kept:
                    file.write(np.ascontiguousarray(snapshots.state(frame)[key]).tobytes())
    return path


def read_recording(path: Path, recording: Recording) -> Recording:
    """Read a file that `write_recording` wrote into an empty recording.

    Raises
    ------
    EngineError
        If the file cannot be read or is no recording.
    """
    try:
        with zipfile.ZipFile(path) as archive, ExitStack() as stack:
            header = json.loads(_array(archive, "header").tobytes())
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise ValueError("it has another header")
            if header.get("version") != VERSION:
                raise ValueError(f"version {header.get('version')!r} is not one of those known here: {VERSION}")
            columns = _array(archive, "columns")
            frames = _array(archive, "frames")
            readers: dict[str, Callable[[], NDArray]] = {}
            for key in header["states"]:
                readers[key] = _rows(archive, f"state.{key}.npy", len(frames), stack)
            states = ({key: read() for key, read in readers.items()} for _ in frames)
            _fill(recording, header, columns, frames, states)
    except FileNotFoundError as error:
        raise EngineError(f"{path}: no such file") from error
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise EngineError(f"{path} is not a recording of LieApp: {' '.join(reason.split())[:200]}") from error
    except EngineError as error:
        raise EngineError(f"{path} is not a recording of LieApp: {error}") from error
    return recording


def recording_arrays(
    recording: Recording, frames: int, state_bytes: int
) -> tuple[str, NDArray[np.float64], NDArray[np.int64], dict[str, NDArray]]:
    """Return the first ``frames`` frames as values to be stored elsewhere.

    Parameters
    ----------
    recording : Recording
    frames : int
        The last of them is among the states, whatever the budget.
    state_bytes : int
        Most bytes of states; they are thinned to it.

    Returns
    -------
    header : str
        JSON.
    columns : ndarray (columns, frames)
        A copy.
    kept : ndarray (kept,)
        Frames of the states.
    states : dict of str to ndarray (kept, ...)
        Copies.
    """
    header = header_of(recording, frames)
    table = recording.table()
    columns = np.array([table[name][:frames] for name in recording.columns]).reshape(len(table), frames)
    snapshots = recording.snapshots
    stride = header["stride"]
    grid = snapshots.frames[snapshots.frames < frames]
    while len(grid) > 1 and len(grid) * snapshots.state_bytes > state_bytes:
        stride *= 2
        grid = grid[grid % stride == 0]
    header["stride"] = stride
    everything = set(snapshots.all_frames())
    kept = np.array(sorted({*grid.tolist(), *({header["best"], frames - 1} & everything)}), dtype=np.int64)
    rows = np.searchsorted(snapshots.frames, kept)
    states: dict[str, NDArray] = {}
    for key in snapshots.keys:
        if np.isin(kept, snapshots.frames).all() and snapshots.is_packed:
            states[key] = snapshots.stack(key)[rows]
        else:
            states[key] = np.stack([snapshots.state(frame)[key] for frame in kept.tolist()])
    return header_bytes(header).decode(), columns, kept, states


def restore_recording(
    recording: Recording, header: str, columns: NDArray, kept: NDArray, states: dict[str, NDArray]
) -> None:
    """Fill an empty recording with what `recording_arrays` returned; its own metadata win over the stored ones.

    Raises
    ------
    EngineError
        If the values do not fit together.
    """
    try:
        rows = ({key: value[place] for key, value in states.items()} for place in range(len(kept)))
        _fill(recording, json.loads(header), columns, kept, rows)
    except _UNREADABLE as error:
        raise EngineError(f"The stored recording is damaged: {error}") from error


def _fill(
    recording: Recording,
    header: dict[str, Any],
    columns: NDArray,
    frames: NDArray,
    states: Iterator[dict[str, NDArray]],
) -> None:
    if len(recording):
        raise EngineError("Only an empty recording can be filled")
    names = tuple(str(name) for name in header["columns"])
    if columns.dtype != np.float64 or columns.ndim != 2 or len(columns) != len(names) or len(set(names)) != len(names):
        raise ValueError("columns and their names differ")
    count = columns.shape[1]
    best, stride = int(header["best"]), int(header["stride"])
    if not isinstance(header["metadata"], dict):
        raise ValueError("metadata is no object")
    if stride < 1 or (count and not 0 <= best < count) or (count and (len(frames) == 0 or frames[0] != 0)):
        raise ValueError("frames and columns differ")
    if frames.dtype != np.int64 or frames.ndim != 1 or (len(frames) and frames[-1] >= count):
        raise ValueError("frames and columns differ")
    if (np.diff(frames) <= 0).any():
        raise ValueError("frames are not ascending")
    recording.metadata.update({**header["metadata"], **recording.metadata})
    best = recording._restore(names, columns)
    recording.snapshots.restore_stride(stride)
    for frame, state in zip(frames.tolist(), states, strict=True):
        recording.snapshots.add(frame, state, best=frame == best)
    if header["outcome"] is not None:
        recording.finish(Outcome.from_dict(header["outcome"]))


@contextmanager
def _member(archive: zipfile.ZipFile, name: str, dtype: np.dtype, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """Open an array of an archive for writing; what follows are its bytes in C order."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_2_0(file, header)
        yield file


def _open_array(archive: zipfile.ZipFile, name: str) -> tuple[IO[bytes], tuple[int, ...], np.dtype]:
    """Open an array for reading, after checking that the member is as large as its header claims."""
    info = archive.getinfo(name)
    file = archive.open(info)
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if fortran or dtype.hasobject:
        raise ValueError(f"{name} is of another kind")
    size = dtype.itemsize
    for length in shape:
        size *= length
    if size != info.file_size - file.tell():
        raise ValueError(f"{name} has not the size that it claims")
    return file, shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> NDArray:
    file, shape, dtype = _open_array(archive, f"{name}.npy")
    with file:
        return _read(file, shape, dtype)


def _rows(archive: zipfile.ZipFile, name: str, count: int, stack: ExitStack) -> Callable[[], NDArray]:
    """Return what reads the next row of an array at every call."""
    file, shape, dtype = _open_array(archive, name)
    stack.enter_context(file)
    if not shape or shape[0] != count:
        raise ValueError(f"{name} has not one state for every kept frame")
    return lambda: _read(file, shape[1:], dtype)


def _read(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
    array = np.empty(shape, dtype)
    data = file.read(array.nbytes)
    if len(data) != array.nbytes:
        raise ValueError("the file is truncated")
    return np.frombuffer(data, dtype).reshape(shape)
