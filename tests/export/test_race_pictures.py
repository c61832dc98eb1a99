"""A race in 3-D: every copy is where its run was within the budget, and what is written is opened again."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.engine.outcome import Outcome
from lieapp.engine.recording import Recording
from lieapp.export.alignment_bundle import export_race
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.captions import Caption, KeyEntry, caption_room
from lieapp.export.errors import ExportError
from lieapp.export.quantities import Curve, curves_of
from lieapp.export.race_pictures import (
    first_arrival,
    frame_within,
    race_moment,
    write_race_movie,
    write_race_picture,
    write_race_turntable,
)
from lieapp.export.reel import MovieLook
from lieapp.scene.colors import rgba
from lieapp.scene.errors import SceneError
from tests.export.test_alignment_figures import TITLES, texts_of

SMALL = MovieLook(size=(200, 150), style="tube")


@pytest.fixture(scope="module")
def curves(race: list[AlignmentResult]) -> list[Curve]:
    return curves_of(race, TITLES)


@pytest.fixture(scope="module")
def egl(curves: list[Curve], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of the race; a skip where this machine does not draw without a display."""
    try:
        return write_race_picture(curves, tmp_path_factory.mktemp("race") / "race.png", MovieLook(size=(400, 300)))
    except SceneError as error:
        if "gl" in os.environ.get("LIEAPP_REQUIRE", "").split(","):
            raise
        pytest.skip(f"gl: {error}")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def shown(picture: np.ndarray, color: str, tolerance: int = 8) -> np.ndarray:
    return np.abs(picture - np.round(rgba(color)[:3] * 255).astype(int)).max(axis=-1) <= tolerance


@pytest.mark.parametrize("budget", [0.0, 1.0, 7.5, 20.0, 1e9])
def test_each_entrant_is_at_its_last_recorded_pose_within_the_budget(curves: list[Curve], budget: float) -> None:
    moment = race_moment(curves, budget)
    for curve, pose, entry in zip(curves, moment.poses, moment.entries, strict=True):
        frame = frame_within(curve, budget)
        spent, gap = curve.columns("evaluations", "gap")
        assert spent[frame] <= budget
        assert frame == len(spent) - 1 or spent[frame + 1] > budget
        assert np.array_equal(pose, replace(curve.result, frame=frame).matrix)
        assert entry.text.startswith(f"{curve.title}  gap {max(gap[frame], 0):.3f} Å")
        assert (entry.color, entry.dash) == (curve.color, curve.dash)


def test_copies_in_one_place_are_drawn_once_and_said(curves: list[Curve]) -> None:
    start, end = race_moment(curves, 0.0), race_moment(curves, 1e9)
    assert start.drawn.tolist() == [True, False, False]
    assert [entry.text.endswith("where 1 is") for entry in start.entries] == [False, True, True]
    for entry, curve in zip(end.entries, curves, strict=True):
        outcome = curve.result.recording.outcome
        assert outcome is not None
        assert (f"{outcome.kind} at" in entry.text) == (outcome.kind in ("converged", "diverged"))
    apart = race_moment(curves, first_arrival(curves))
    assert apart.drawn.sum() > 1


def test_the_first_arrival_is_the_first(curves: list[Curve]) -> None:
    when = first_arrival(curves)
    gaps = [curve.columns("evaluations", "gap") for curve in curves]
    largest = max(gap[0] for _, gap in gaps)
    assert any((gap[spent <= when] <= 0.01 * largest).any() for spent, gap in gaps)
    assert not any((gap[spent < when] <= 0.01 * largest).any() for spent, gap in gaps)


def test_a_run_that_blew_up_stays_where_it_was_last_known(curves: list[Curve]) -> None:
    recording = Recording()
    state = curves[0].result.recording.state(0)
    for step, loss in enumerate((4.0, 3.0, np.nan)):
        values = {"step": step, "evaluations": step, "loss": loss, "gap": loss, "rmsd": loss}
        recording.append(values, {key: value + (np.nan if np.isnan(loss) else 0.0) for key, value in state.items()})
    recording.finish(Outcome("diverged", "Diverged at evaluation 2."))
    curve = replace(curves[0], result=replace(curves[0].result, recording=recording))
    assert [frame_within(curve, budget) for budget in (0, 1, 2, 9)] == [0, 1, 1, 1]
    assert "diverged at 2" in race_moment([curve], 9).entries[0].text


@pytest.mark.gl
def test_picture_of_a_race(egl: Path, curves: list[Curve]) -> None:
    picture = pixels(egl)
    assert picture.shape == (300, 400, 3)
    key = picture[int(300 * (1 - caption_room((400, 300), 2, len(curves))[1])) :]
    for curve in curves[:2]:
        assert shown(key, curve.color).sum() > 30, curve.title
    # The molecule keeps clear of the key.
    assert (key[:, 330:] == 255).all()
    scene = picture[60:240]
    assert (scene.max(axis=-1) - scene.min(axis=-1) > 60).mean() > 0.02


@pytest.mark.gl
def test_movie_of_a_race(egl: Path, curves: list[Curve], tmp_path: Path) -> None:
    files = write_race_movie(curves, tmp_path / "race", SMALL, most_frames=6)
    assert [path.name for path in files] == [f"frame_{k:05d}.png" for k in range(6)]
    frames = [pixels(path) for path in files]
    assert {frame.shape for frame in frames} == {(150, 200, 3)}
    below = slice(30, 100)
    assert (frames[0][below] != frames[2][below]).any(axis=-1).mean() > 0.05
    (gif,) = write_race_movie(curves, tmp_path / "race.gif", SMALL, most_frames=4, frames_per_second=4)
    with Image.open(gif) as movie:
        durations = []
        for index in range(movie.n_frames):
            movie.seek(index)
            durations.append(movie.info["duration"])
    assert sum(durations) == 2000  # four frames, and the last is held for a second


@pytest.mark.gl
def test_turn_of_a_race(egl: Path, curves: list[Curve], tmp_path: Path) -> None:
    look = replace(SMALL, captions=False, transparent=True)
    files = write_race_turntable(curves, tmp_path / "turn", look, evaluations=3, frames=3)
    alphas = []
    for path in files:
        with Image.open(path) as picture:
            alphas.append(np.asarray(picture)[..., 3])
    assert len(alphas) == 3 and all(alpha[0].max() == 0 and (alpha > 100).mean() > 0.03 for alpha in alphas)
    assert (alphas[0] != alphas[1]).any()


def test_a_race_without_egl_is_one_line_and_no_file(
    curves: list[Curve], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent")
    for write, name in ((write_race_picture, "race.png"), (write_race_movie, "race.gif")):
        with pytest.raises(SceneError, match="libegl1") as caught:
            write(curves, tmp_path / name, SMALL)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_race_is_said(curves: list[Curve], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no run"):
        write_race_picture([], tmp_path / "race.png")
    other = replace(curves[0], result=replace(curves[0].result, inputs=replace(curves[0].result.inputs)))
    with pytest.raises(ExportError, match="one pair"):
        write_race_movie([curves[1], other], tmp_path / "race.gif")
    with pytest.raises(ExportError, match=r"view\.jpg"):
        write_race_picture(curves, tmp_path / "view.jpg")
    empty = replace(curves[0], result=replace(curves[0].result, recording=Recording()))
    with pytest.raises(ExportError, match="no frame"):
        frame_within(empty, 1.0)


def test_figures_of_a_race_are_opened_again(race: list[AlignmentResult], tmp_path: Path) -> None:
    files = export_race(tmp_path, race, TITLES)
    assert [path.name for path in files] == [f"race.{kind}" for kind in ("svg", "pdf", "png", "csv", "json")]
    assert set(TITLES) <= set(texts_of(ET.parse(files[0]).getroot()))
    assert files[1].read_bytes().startswith(b"%PDF")
    with Image.open(files[2]) as picture:
        assert picture.width == 1050
    with files[3].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for title, result in zip(TITLES, race, strict=True):
        written = [float(row["gap"]) for row in rows if row["run"] == title]
        assert written == result.recording.column("gap").tolist()
    assert len(json.loads(files[4].read_text(encoding="utf-8"))["runs"]) == 3


def test_numbers_stand_at_the_copies_and_make_way() -> None:
    entries = [KeyEntry("one", "#D55E00"), KeyEntry("two", "#009E73"), KeyEntry("three", "#CC79A7")]
    blank = np.full((300, 400, 4), 255, dtype=np.uint8)
    marks = np.array([[200.0, 100.0], [200.0, 100.0], [206.0, 101.0]])
    written = Caption((400, 300), "#FFFFFF").write(blank, [], entries, marks)[..., :3].astype(int)
    above = written[:200]
    places = [np.argwhere(shown(above, entry.color)).mean(axis=0) for entry in entries]
    # The first two share a place, side by side; the third is apart from them.
    assert abs(places[0][0] - places[1][0]) < 2 and places[1][1] - places[0][1] > 6
    assert places[2][0] - places[0][0] > 6
    for entry in entries:
        assert shown(written[240:], entry.color).sum() > 20
