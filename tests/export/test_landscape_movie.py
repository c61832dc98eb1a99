"""Movies of landscapes are opened again, and their frames looked at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.engine.job import open_job, report_job
from lieapp.export import movie_files
from lieapp.export.captions import KeyEntry
from lieapp.export.errors import ExportError
from lieapp.export.landscape_figures import LandscapeResult
from lieapp.export.landscape_frames import LandscapeFrames
from lieapp.export.landscape_movie import check_filmed, write_landscape_movie
from lieapp.export.landscape_traces import Trace
from lieapp.export.movie_moments import even_budgets
from lieapp.export.movie_writing import ExportCancelled
from lieapp.export.reel import MovieLook
from lieapp.landscapes.commands import job_from_options
from lieapp.landscapes.planes import curvature_plane
from lieapp.scene.colors import CURVATURE_DOWN, CURVATURE_UP, optimizer_color, rgba

SMALL = MovieLook(size=(640, 360))
BARE = MovieLook(size=(1280, 720), captions=False)
PICTURE = np.s_[72:620, 94:674]
"""Pixels of the contours in a frame of 1280 x 720."""
CURVES = np.s_[24:620, 780:]


def results_of(name: str, optimizers: Sequence[str], **options: object) -> list[LandscapeResult]:
    found = []
    for optimizer in optimizers:
        job = job_from_options(name, optimizer=optimizer, **options)
        _, run = open_job(job)
        for _ in run:
            pass
        found.append(LandscapeResult(optimizer, job, run.recording, report_job(job, run.recording)))
    return found


@pytest.fixture(scope="module")
def race() -> list[LandscapeResult]:
    """Descent along the ridge of a saddle, and DEO, which leaves it."""
    return results_of("saddle", ("sgd", "deo"), start=(0.5, 1e-4), evaluations=60)


@pytest.fixture(scope="module")
def frames(race: list[LandscapeResult], tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    files = write_landscape_movie(race, tmp_path_factory.mktemp("film") / "race", BARE)
    assert [path.name for path in files] == [f"frame_{k:05d}.png" for k in range(len(files))]
    return [pixels(path) for path in files]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def count(picture: np.ndarray, color: str) -> int:
    """Return how many pixels have a colour."""
    wanted = np.round(rgba(color)[:3] * 255).astype(int)
    return int((np.abs(picture - wanted).max(axis=-1) <= 12).sum())


def frames_of(result: LandscapeResult, size: tuple[int, int] = BARE.size) -> tuple[LandscapeFrames, Trace]:
    name = result.job.optimizer.name
    trace = Trace(result.title, result.recording, optimizer_color(name), ())
    return LandscapeFrames(result.job.surface, [trace], size, captions=False), trace


def test_paths_and_curves_grow(frames: list[np.ndarray], race: list[LandscapeResult]) -> None:
    assert len(frames) == 61  # one for every evaluation
    assert {frame.shape for frame in frames} == {(720, 1280, 3)}
    for result in race:
        color = optimizer_color(result.job.optimizer.name)
        for part in (PICTURE, CURVES):
            some = [count(frames[k][part], color) for k in (0, 12, 60)]
            assert some[0] < some[1] < some[2] and some[0] + 30 < some[2], (result.title, some)


def test_what_lies_still_stays(frames: list[np.ndarray]) -> None:
    # The lower minimum: nobody comes near, and its sign is white with an index in it.
    low = [frame[490:532, 362:408] for frame in frames]
    assert all((each == low[0]).all() for each in low)
    assert (low[0].min(axis=-1) > 250).sum() > 30 and (low[0].max(axis=-1) < 110).sum() > 10
    # The key of the signs below.
    assert all((frame[670:] == frames[0][670:]).all() for frame in frames)
    assert (frames[0][670:].max(axis=-1) < 90).sum() > 100


def test_the_dimer_is_drawn_where_there_is_one(race: list[LandscapeResult]) -> None:
    for result, least in zip(race, (0, 40), strict=True):
        drawing, trace = frames_of(result)
        pictures = [drawing.draw(k, (), (), [trace.spot(k)])[..., :3].astype(int)[PICTURE] for k in range(0, 60, 4)]
        seen = [count(picture, CURVATURE_DOWN) + count(picture, CURVATURE_UP) for picture in pictures]
        assert max(seen) >= least and (least or max(seen) == 0), result.title


def test_all_runs_are_shown_at_equal_evaluations(race: list[LandscapeResult]) -> None:
    for result in race:
        _, trace = frames_of(result)
        spent = result.recording.column("evaluations")
        for budget in (0.0, 7.5, 30.0, 1e9):
            spot = trace.spot(budget)
            assert spent[spot.frame] <= budget
            assert spot.frame == len(spent) - 1 or spent[spot.frame + 1] > budget
            assert spot.place.tolist() == result.recording.state(spot.frame)["point"].tolist()
            assert spot.loss == result.recording.column("loss")[spot.frame]


def test_moments_are_even_and_end_at_the_end() -> None:
    assert even_budgets(4.0, 4.0, 300) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert even_budgets(4.0, 90.0, 300) == [0.0, 1.0, 2.0, 3.0, 4.0, 90.0]
    some = even_budgets(1000.0, 2000.0, 11)
    assert len(some) == 11 and some[-1] == 2000.0 and np.allclose(np.diff(some[:-1]), 1000.0 / 9)


def test_words_and_numbers_are_written(race: list[LandscapeResult]) -> None:
    result = race[0]
    trace = Trace(result.title, result.recording, "#D55E00", ())
    drawing = LandscapeFrames(result.job.surface, [trace], (1280, 720))
    bare = LandscapeFrames(result.job.surface, [trace], (1280, 720), captions=False)
    spots, entries = [trace.spot(9)], [KeyEntry("sgd  loss 0.1", "#D55E00")]
    picture = drawing.draw(9, ["saddle", "after 9 evaluations"], entries, spots)[..., :3].astype(int)
    plain = bare.draw(9, (), (), spots)[..., :3].astype(int)
    assert (picture[:60, :400] != plain[:60, :400]).any(axis=-1).sum() > 300
    assert count(picture[:40, 690:], "#D55E00") > 150
    rows = np.flatnonzero((picture[:60, :400].max(axis=-1) < 90).any(axis=1))
    heights = np.diff([*np.flatnonzero(np.diff(rows) > 1).tolist(), len(rows) - 1])
    assert heights.max() >= 14, "a line of letters, from the top of l to the bottom of p"


@pytest.mark.parametrize("size", [(1280, 720), (800, 600), (360, 640), (64, 48)])
def test_pictures_of_any_shape(race: list[LandscapeResult], size: tuple[int, int], tmp_path: Path) -> None:
    files = write_landscape_movie(race, tmp_path / "race", MovieLook(size=size), most_frames=3)
    assert {pixels(path).shape for path in files} == {(size[1], size[0], 3)} and len(files) == 3


def test_a_plane_of_many_dimensions(tmp_path: Path) -> None:
    race = results_of("strict-saddle-100", ("sgd", "adam"), evaluations=80)
    with pytest.raises(ExportError, match="on a plane"):
        write_landscape_movie(race, tmp_path / "race", BARE)
    plane = curvature_plane(race[0].job)
    files = write_landscape_movie(race, tmp_path / "race", BARE, plane=plane, most_frames=6)
    first, last = pixels(files[0]), pixels(files[-1])
    # Their paths lie upon each other, their curves do not.
    for name, part in (("adam", PICTURE), ("adam", CURVES), ("sgd", CURVES)):
        assert count(last[part], optimizer_color(name)) > count(first[part], optimizer_color(name)) + 10, name


def test_many_frames_are_fast(race: list[LandscapeResult]) -> None:
    """The contours are drawn once: a frame costs a small part of that."""
    result = race[1]
    start = time.thread_time()
    drawing, trace = frames_of(result)
    once = time.thread_time() - start
    each = []
    for k in range(30):
        start = time.thread_time()
        drawing.draw(k, (), (), [trace.spot(k)])
        each.append(time.thread_time() - start)
    assert np.median(each) < 0.1 * once


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of imageio's reader
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_and_gif_are_read_again(race: list[LandscapeResult], tmp_path: Path) -> None:
    fractions: list[float] = []
    look = MovieLook(size=(321, 181))
    film = tmp_path / "race.gif"
    assert write_landscape_movie(race, film, look, most_frames=8, frames_per_second=10, progress=fractions.append) == [
        film
    ]
    assert fractions == pytest.approx([(k + 1) / 8 for k in range(8)])
    with Image.open(film) as movie:
        assert (movie.n_frames, movie.size) == (8, (321, 181))
        movie.seek(7)
        assert movie.info["duration"] == 1100  # held for a second
    imageio = pytest.importorskip("imageio.v3")
    pytest.importorskip("imageio_ffmpeg")
    write_landscape_movie(race, tmp_path / "race.mp4", look, most_frames=8, frames_per_second=10)
    read = imageio.imread(tmp_path / "race.mp4", plugin="FFMPEG")
    assert read.shape == (8 + 10, 182, 322, 3)
    assert np.abs(read[0].astype(int) - read[7]).mean() > 0.5


@pytest.mark.parametrize("name", ["race.mp4", "race.gif", "race"])
def test_cancelling_leaves_nothing_behind(race: list[LandscapeResult], tmp_path: Path, name: str) -> None:
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    asked: list[None] = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(ExportCancelled):
        write_landscape_movie(race, tmp_path / name, SMALL, cancelled=cancelled)
    assert len(asked) == 3 and list(tmp_path.iterdir()) == []


def test_what_cannot_be_filmed_is_said_before(race: list[LandscapeResult], tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    with pytest.raises(ExportError, match="no run"):
        write_landscape_movie([], tmp_path / "race")
    with pytest.raises(ExportError, match="network"):
        check_filmed([job_from_options("transformer-tiny", optimizer="sgd")])
    with pytest.raises(ExportError, match="several starts"):
        check_filmed([job_from_options("strict-saddle-100", optimizer="sgd", seed=seed) for seed in (0, 1)])
    with pytest.raises(ExportError, match="one landscape"):
        check_filmed([race[0].job, job_from_options("himmelblau", optimizer="sgd")])
    monkeypatch.setattr(movie_files, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"lieapp\[movie\]"):
        write_landscape_movie(race, tmp_path / "race.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_diverges_is_filmed_as_far_as_it_goes(tmp_path: Path) -> None:
    race = results_of("saddle", ("sgd",), start=(0.5, 0.3), evaluations=40, set={"lr": 50.0})
    files = write_landscape_movie(race, tmp_path / "race", SMALL)
    assert files and pixels(files[-1]).shape == (360, 640, 3)
