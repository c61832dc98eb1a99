"""Recordings: readable while written, within their budget, exact on disk."""

import json
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lieapp.engine import snapshots
from lieapp.engine.errors import EngineError
from lieapp.engine.outcome import Outcome
from lieapp.engine.recording import Recording

POSE = {"rotation": np.eye(3)[None], "translation": np.zeros((1, 3))}


def pose(frame: int) -> dict[str, np.ndarray]:
    return {"rotation": POSE["rotation"] * frame, "translation": POSE["translation"] + frame}


def map_of(frame: int) -> dict[str, np.ndarray]:
    """A state too large to be packed."""
    return {"map": np.full((30, 30, 30), frame, np.float32)}


def filled(frames: int, *, state=pose, best: int | None = None, **budget: int) -> Recording:
    recording = Recording({"name": "toy"}, **budget)
    for frame in range(frames):
        loss = float(frames - frame) if best is None else float(abs(frame - best))
        recording.append({"step": frame, "loss": loss, "twice": 2 * frame}, state(frame))
    return recording


# Columns


def test_columns_are_fixed_by_the_first_row_and_grow() -> None:
    recording = filled(1000)
    assert len(recording) == 1000
    assert recording.columns == ("step", "loss", "twice")
    np.testing.assert_array_equal(recording.column("twice"), 2.0 * np.arange(1000))
    assert recording.row(-1) == {"step": 999.0, "loss": 1.0, "twice": 1998.0}
    for row in ({"step": 1.0}, {"step": 1.0, "loss": 1.0, "thrice": 1.0}, {"step": 1, "loss": 1, "twice": 1, "x": 1}):
        with pytest.raises(EngineError, match="Row"):
            recording.append(row, pose(0))
    with pytest.raises(EngineError, match="no number"):
        recording.append({"step": 1.0, "loss": "much", "twice": 1.0}, pose(0))  # type: ignore[dict-item]
    assert len(recording) == 1000


def test_views_are_read_only_and_stay_as_they_were() -> None:
    recording = filled(10)
    view = recording.column("loss")
    before = view.copy()
    with pytest.raises(ValueError):
        view[0] = 1.0
    with pytest.raises(ValueError):
        recording.state(3)["rotation"][0] = 1.0
    for frame in range(10, 3000):
        recording.append({"step": frame, "loss": -1.0, "twice": 0.0}, pose(frame))
    np.testing.assert_array_equal(view, before)


def test_states_are_copied() -> None:
    recording = Recording()
    state = {"map": np.zeros(3), "large": np.zeros(10_000)}
    recording.append({"loss": 1.0}, state)
    state["map"] += 1.0
    recording.append({"loss": 2.0}, state)
    state["map"] += 1.0
    assert [recording.state(frame)["map"][0] for frame in (0, 1)] == [0.0, 1.0]


def test_an_empty_recording_answers() -> None:
    recording = Recording()
    assert (len(recording), recording.columns, recording.best, recording.outcome) == (0, (), 0, None)
    for ask in (
        lambda: recording.column("loss"),
        lambda: recording.state(0),
        lambda: recording.row(0),
        lambda: recording.kept(0),
    ):
        with pytest.raises(EngineError):
            ask()


def test_frames_outside_are_refused() -> None:
    recording = filled(5)
    assert recording.kept(-1) == 4
    for frame in (5, -6):
        with pytest.raises(EngineError, match="no frame"):
            recording.state(frame)


def test_best_is_the_first_lowest_finite_loss() -> None:
    recording = Recording()
    for loss in (np.nan, np.inf, 3.0, 1.0, np.nan, 1.0, 2.0):
        recording.append({"loss": loss}, pose(0))
    assert recording.best == 3
    lone = Recording()
    lone.append({"loss": np.nan}, pose(0))
    assert lone.best == 0


def test_a_finished_recording_is_closed() -> None:
    recording = filled(2)
    recording.finish(Outcome("limit", "Done."))
    recording.finish(Outcome("limit", "Done."))
    with pytest.raises(EngineError):
        recording.append({"step": 1, "loss": 1, "twice": 1}, pose(0))
    with pytest.raises(EngineError):
        recording.finish(Outcome("failed", "No."))


@pytest.mark.parametrize(
    "state",
    [
        {"rotation": POSE["rotation"]},
        {**POSE, "more": np.zeros(1)},
        {"rotation": np.eye(4)[None], "translation": np.zeros((1, 3))},
        {"rotation": POSE["rotation"].astype(np.float32), "translation": np.zeros((1, 3))},
    ],
)
def test_states_of_another_shape_are_refused(state) -> None:
    recording = filled(3)
    with pytest.raises(EngineError, match="State"):
        recording.append({"step": 1, "loss": 1, "twice": 1}, state)
    assert len(recording) == 3 and recording.state(2)["translation"][0, 0] == 2.0


@pytest.mark.parametrize("value", [np.array(["text"]), np.array([object()]), np.zeros(2, ">f8")])
def test_only_native_numbers_are_states(value) -> None:
    with pytest.raises(EngineError, match="numbers"):
        Recording().append({"loss": 1.0}, {"x": value})


# While it is written


@pytest.mark.parametrize(("state", "frames", "budget"), [(pose, 20_000, 2**20), (map_of, 400, 3 * 2**20)])
def test_readers_always_see_a_consistent_prefix(state, frames: int, budget: int) -> None:
    recording = Recording(snapshot_budget_bytes=budget)
    problems: list[str] = []
    done = threading.Event()
    key = tuple(state(0))[-1]

    def read() -> None:
        seen = 0
        while not (done.is_set() and seen == frames):
            count = len(recording)
            if count < seen:
                problems.append("the count went down")
            seen = count
            if not count:
                continue
            table = recording.table()
            steps, squares = table["step"], table["square"]
            if len(steps) != len(squares) or len(steps) < count:
                problems.append("columns of different lengths")
            if steps[-1] != len(steps) - 1 or squares[-1] != steps[-1] ** 2 or squares[count // 2] != (count // 2) ** 2:
                problems.append("a row was counted before it was written")
            for frame in (0, count // 3, count - 1):
                shown = recording.state(frame)[key].flat[0]
                if not 0 <= shown <= frame or (frame == 0 and shown != 0):
                    problems.append(f"frame {frame} shows {shown}")
            stack, of = recording.states(key), recording.state_frames
            shorter = min(len(stack), len(of))
            if len(stack) == len(of) and (stack.reshape(shorter, -1)[:, 0] != of).any():
                problems.append("states and their frames differ")

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for frame in range(frames):
            recording.append({"step": frame, "square": frame**2, "loss": -frame}, state(frame))
        done.set()
        for reader in readers:
            reader.join(30.0)
    finally:
        sys.setswitchinterval(switch)
    assert not problems, problems[:5]
    assert not any(reader.is_alive() for reader in readers)


# Snapshots


def test_small_states_are_all_kept_and_stacked_at_no_cost() -> None:
    recording = filled(5000)
    assert [recording.kept(frame) for frame in (0, 1234, 4999)] == [0, 1234, 4999]
    stack = recording.states("translation")
    assert stack.shape == (5000, 1, 3)
    assert np.shares_memory(stack, recording.states("translation"))
    np.testing.assert_array_equal(stack[:, 0, 0], np.arange(5000))
    np.testing.assert_array_equal(recording.state_frames, np.arange(5000))
    with pytest.raises(EngineError, match="rotation, translation"):
        recording.states("colour")


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(1, 300),
    best=st.integers(0, 299),
    states_in_budget=st.integers(1, 50),
    packed=st.booleans(),
    in_memory=st.integers(0, 5),
)
def test_thinning_keeps_first_best_last_and_the_budget(frames, best, states_in_budget, packed, in_memory) -> None:
    best = min(best, frames - 1)
    size = 64
    old, snapshots.DENSE_STATE_BYTES = snapshots.DENSE_STATE_BYTES, 64 if packed else 1
    try:
        recording = filled(
            frames,
            state=lambda frame: {"x": np.full(8, frame, np.int64)},
            best=best,
            snapshot_budget_bytes=size * states_in_budget,
            snapshot_memory_bytes=size * in_memory,
        )
        kept = sorted({recording.kept(frame) for frame in range(frames)})
        assert {0, best, frames - 1} <= set(kept)
        assert len(kept) <= states_in_budget + 2
        for frame in range(frames):
            at = recording.kept(frame)
            assert at <= frame and recording.kept(at) == at
            assert (recording.state(frame)["x"] == at).all()
        grid = recording.state_frames
        np.testing.assert_array_equal(recording.states("x")[:, 0], grid)
        # Geometric: the frames on the grid lie one power of two apart, as close as the budget allows.
        if len(grid) > 1:
            stride = int(grid[1])
            assert stride & (stride - 1) == 0 and (np.diff(grid) == stride).all()
            assert stride == 1 or 2 * (frames // stride + 1) > states_in_budget / 2
        recording.close()
    finally:
        snapshots.DENSE_STATE_BYTES = old


def test_large_states_spill_to_files_that_go_with_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots.tempfile, "tempdir", str(tmp_path))
    size = map_of(0)["map"].nbytes
    recording = filled(64, state=map_of, snapshot_budget_bytes=40 * size, snapshot_memory_bytes=4 * size)
    (folder,) = tmp_path.iterdir()
    on_disk = len(list(folder.iterdir()))
    assert 20 < on_disk + 4 <= 40
    assert all((recording.state(frame)["map"] == recording.kept(frame)).all() for frame in range(64))
    del recording
    assert not list(tmp_path.iterdir())


def test_of_a_state_on_disk_only_what_is_wanted_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def state(frame: int) -> dict[str, np.ndarray]:
        large = np.full((40, 1000), frame, dtype=np.float32)
        return {"map": large, "error": np.arange(frame, frame + 7, dtype=np.float64), "count": np.array(frame)}

    size = sum(value.nbytes for value in state(0).values())
    recording = filled(12, state=state, snapshot_budget_bytes=40 * size, snapshot_memory_bytes=3 * size)
    read: list[int] = []
    from_file = np.fromfile

    def noted(file: object, dtype: np.dtype, count: int) -> np.ndarray:
        read.append(count)
        return from_file(file, dtype, count)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "fromfile", noted)
    for frame in range(12):
        found = recording.state(frame, ("count", "error", "no such array"))
        assert set(found) == {"count", "error"} and found["count"] == frame
        assert np.array_equal(found["error"], np.arange(frame, frame + 7))
        assert not any(value.flags.writeable for value in found.values())
    assert read and set(read) == {7, 1}, "maps stay on disk"
    assert np.array_equal(recording.states("error")[:, 0], np.arange(12.0)) and set(read) == {7, 1}
    assert (recording.state(0)["map"] == 0).all() and 40_000 in read


def test_without_room_on_disk_what_fits_into_memory_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(snapshots.tempfile, "mkdtemp", lambda **_: str(tmp_path / "missing"))
    size = map_of(0)["map"].nbytes
    recording = filled(100, state=map_of, best=37, snapshot_budget_bytes=40 * size, snapshot_memory_bytes=8 * size)
    assert len(recording.state_frames) <= 8
    assert [recording.kept(frame) for frame in (0, 37, 99)] == [0, 37, 99]
    assert all((recording.state(frame)["map"] == recording.kept(frame)).all() for frame in range(100))


def test_the_budget_must_be_positive() -> None:
    with pytest.raises(EngineError, match="budget"):
        Recording(snapshot_budget_bytes=0)


# On disk


def assert_same(a: Recording, b: Recording) -> None:
    assert (a.columns, len(a), a.best, a.outcome, a.metadata) == (b.columns, len(b), b.best, b.outcome, b.metadata)
    for name in a.columns:
        assert a.column(name).tobytes() == b.column(name).tobytes()
    for frame in range(len(a)):
        assert a.kept(frame) == b.kept(frame)
    for frame in {a.kept(frame) for frame in range(len(a))}:
        left, right = a.state(frame), b.state(frame)
        assert left.keys() == right.keys()
        for key in left:
            assert left[key].dtype == right[key].dtype and left[key].shape == right[key].shape
            assert left[key].tobytes() == right[key].tobytes()


arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.complex64, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


@settings(deadline=None, max_examples=40)
@given(
    table=hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 4))),
    state=st.dictionaries(st.text("abcxyzé_", min_size=1, max_size=6), arrays, min_size=0, max_size=3),
    metadata=st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=8) | st.integers() | st.booleans()),
    budget=st.integers(64, 4096),
    ended=st.booleans(),
)
def test_round_trip_is_exact(tmp_path_factory, table, state, metadata, budget, ended) -> None:
    path = tmp_path_factory.mktemp("recordings") / "run.npz"
    recording = Recording(metadata, snapshot_budget_bytes=budget)
    names = ["loss", "b", "ü", "d"][: table.shape[1]]
    for row in table:
        recording.append(dict(zip(names, row, strict=True)), state)
    if ended:
        recording.finish(Outcome("diverged", "Diverged: größer."))
    assert recording.save(path) == path
    assert_same(recording, Recording.load(path, snapshot_budget_bytes=budget))
    with np.load(path, allow_pickle=False) as archive:  # any reader of archives will do
        assert archive["columns"].shape == (len(names), len(table))


def test_large_recordings_pass_through_files_and_go_on(tmp_path: Path) -> None:
    size = map_of(0)["map"].nbytes
    budget = {"snapshot_budget_bytes": 16 * size, "snapshot_memory_bytes": 2 * size}
    recording = filled(50, state=map_of, best=21, **budget)
    recording.save(tmp_path / "run.npz")
    again = Recording.load(tmp_path / "run.npz", **budget)
    assert_same(recording, again)
    for each in (recording, again):
        for frame in range(50, 80):
            each.append({"step": frame, "loss": 100.0, "twice": 0.0}, map_of(frame))
    assert_same(recording, again)
    smaller = Recording.load(tmp_path / "run.npz", snapshot_budget_bytes=4 * size)
    assert [smaller.kept(frame) for frame in (0, 21, 49)] == [0, 21, 49]


def test_metadata_must_be_plain(tmp_path: Path) -> None:
    recording = filled(2)
    recording.metadata["device"] = object()
    with pytest.raises(EngineError, match="JSON"):
        recording.save(tmp_path / "run.npz")
    assert not list(tmp_path.iterdir())


def test_saving_where_one_cannot_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="missing"):
        filled(2).save(tmp_path / "missing" / "run.npz")


def good(tmp_path: Path) -> bytes:
    path = filled(5).save(tmp_path / "good.npz")
    return path.read_bytes()


def rewritten(tmp_path: Path, **members: np.ndarray | None) -> bytes:
    """A recording some of whose arrays are others."""
    with np.load(filled(5).save(tmp_path / "good.npz"), allow_pickle=False) as archive:
        arrays = {**archive, **members}
    np.savez(tmp_path / "other.npz", **{name: array for name, array in arrays.items() if array is not None})
    return (tmp_path / "other.npz").read_bytes()


def header(tmp_path: Path, **changes: object) -> np.ndarray:
    with np.load(filled(5).save(tmp_path / "good.npz"), allow_pickle=False) as archive:
        values = {**json.loads(archive["header"].tobytes()), **changes}
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


GARBAGE = {
    "empty": lambda p: b"",
    "text": lambda p: b"ATOM      1  N   MET A   1",
    "truncated": lambda p: good(p)[:-200],
    "half": lambda p: good(p)[: len(good(p)) // 2],
    "other archive": lambda p: rewritten(p, header=None),
    "other header": lambda p: rewritten(p, header=np.zeros(9, np.uint8)),
    "other format": lambda p: rewritten(p, header=header(p, format="else")),
    "newer": lambda p: rewritten(p, header=header(p, version=99)),
    "best outside": lambda p: rewritten(p, header=header(p, best=5)),
    "no stride": lambda p: rewritten(p, header=header(p, stride=0)),
    "names": lambda p: rewritten(p, header=header(p, columns=["a"])),
    "outcome": lambda p: rewritten(p, header=header(p, outcome={"kind": "won"})),
    "metadata": lambda p: rewritten(p, header=header(p, metadata=3)),
    "no frames": lambda p: rewritten(p, frames=np.zeros(0, np.int64)),
    "frames beyond": lambda p: rewritten(p, frames=np.array([0, 1, 2, 3, 7])),
    "frames twice": lambda p: rewritten(p, frames=np.array([0, 1, 1, 3, 4])),
    "fewer states": lambda p: rewritten(p, **{"state.rotation": np.zeros((3, 1, 3, 3))}),
    "objects": lambda p: rewritten(p, columns=np.zeros((3, 5), np.float32)),
    "flat": lambda p: rewritten(p, columns=np.zeros(5)),
}


@pytest.mark.parametrize("which", GARBAGE)
def test_garbage_is_refused_in_one_line_that_names_the_file(which: str, tmp_path: Path) -> None:
    path = tmp_path / "victim.npz"
    path.write_bytes(GARBAGE[which](tmp_path))
    with pytest.raises(EngineError, match=r"victim\.npz") as caught:
        Recording.load(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_is_seen_or_does_not_matter(tmp_path: Path) -> None:
    recording = filled(5)
    data = good(tmp_path)
    path = tmp_path / "flipped.npz"
    for place in range(0, len(data), 13):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            again = Recording.load(path)
        except EngineError as error:
            assert "flipped.npz" in str(error)
        else:
            assert_same(recording, again)


def test_an_absurd_size_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = filled(5).save(tmp_path / "good.npz")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "huge.npz", "w") as huge:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "columns.npy":
                claim = b"(3, 599999999999), }"
                assert b"(3, 5), }" + b" " * 11 in data
                data = data.replace(b"(3, 5), }" + b" " * 11, claim)
            huge.writestr(name, data)
    with pytest.raises(EngineError, match="size"):
        Recording.load(tmp_path / "huge.npz")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no such file"):
        Recording.load(tmp_path / "none.npz")
    with pytest.raises(EngineError):
        Recording.load(tmp_path)
