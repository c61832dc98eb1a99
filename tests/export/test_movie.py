"""Movies are opened again and their frames looked at."""

from __future__ import annotations

import gc
import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.export import movie_files
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.captions import Caption
from lieapp.export.drawings import DrawingRequest, parse_size
from lieapp.export.errors import ExportError
from lieapp.export.frame_painter import viewpoint_of
from lieapp.export.frames import draw_frames
from lieapp.export.movie import ExportCancelled, MovieLook, run_frames, write_run_movie, write_turntable
from lieapp.export.movie_files import check_movie_path, open_movie
from lieapp.export.picture import write_picture
from lieapp.scene.errors import SceneError

SMALL = MovieLook(size=(160, 120), style="tube")
NO_EGL = ("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent")


@pytest.fixture(scope="module")
def egl(hinge: AlignmentResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whether this machine draws without a display; the frames of a short run where it does."""
    folder = tmp_path_factory.mktemp("movie") / "run"
    try:
        write_run_movie(hinge, folder, SMALL, most_frames=8)
    except SceneError as error:
        if "gl" in os.environ.get("LIEAPP_REQUIRE", "").split(","):
            raise
        pytest.skip(f"gl: {error}")
    return folder


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))


@pytest.mark.gl
def test_frames_of_a_run_as_png(egl: Path, hinge: AlignmentResult) -> None:
    files = sorted(egl.iterdir())
    assert [path.name for path in files] == [f"frame_{k:05d}.png" for k in range(8)]
    frames = [pixels(path) for path in files]
    assert {frame.shape for frame in frames} == {(120, 160, 4)}
    assert all((frame[..., 3] == 255).all() for frame in frames)
    # Frames show a motion: the first differs from the last by more than the words.
    below = slice(40, 95)
    assert (frames[0][below] != frames[-1][below]).any(axis=-1).mean() > 0.05
    # Words are written in the corner, on white.
    assert frames[0][:30, :80, :3].min() < 90


@pytest.mark.gl
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of imageio's reader
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_is_read_again(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3")
    pytest.importorskip("imageio_ffmpeg")
    fractions: list[float] = []
    path = tmp_path / "run.mp4"
    look = replace(SMALL, size=(161, 121))
    files = write_run_movie(hinge, path, look, most_frames=6, frames_per_second=10, progress=fractions.append)
    assert files == [path]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["run.mp4"]
    frames = imageio.imread(path, plugin="FFMPEG")
    # Sides are even, and the last frame is held for a second.
    assert frames.shape == (6 + 10, 122, 162, 3)
    assert np.abs(frames[5].astype(int) - frames[-1]).mean() < 1.0
    assert np.abs(frames[0].astype(int) - frames[5]).mean() > 2.0
    assert imageio.immeta(path, plugin="FFMPEG")["fps"] == 10
    gc.collect()
    assert fractions == pytest.approx([(k + 1) / 6 for k in range(6)])


@pytest.mark.gl
def test_turntable_as_gif(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    path = tmp_path / "turn.gif"
    assert write_turntable(hinge, path, SMALL, frames=6, frames_per_second=12) == [path]
    with Image.open(path) as movie:
        assert (movie.n_frames, movie.size, movie.info["loop"]) == (6, (160, 120), 0)
        durations, frames = [], []
        for index in range(6):
            movie.seek(index)
            durations.append(movie.info["duration"])
            frames.append(np.asarray(movie.convert("RGB"), dtype=int))
    assert sum(durations) == 500  # 6 frames at 12 a second, though one is not a whole number of hundredths
    assert all(np.abs(one - other).mean() > 1.0 for one, other in itertools.pairwise(frames))


@pytest.mark.gl
def test_transparent_frames_without_words(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    look = replace(SMALL, captions=False, transparent=True, style="spheres")
    files = write_turntable(hinge, tmp_path / "turn", look, frames=2)
    for path in files:
        alpha = pixels(path)[..., 3]
        assert alpha[:5].max() == 0
        assert 0.05 < (alpha > 200).mean() < 0.9


@pytest.mark.gl
def test_a_shorter_movie_leaves_no_frames_of_a_longer_one(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("frame_00007.png", "notes.txt"):
        (folder / name).write_text("mine")
    write_turntable(hinge, folder, SMALL, frames=2)
    assert {path.name for path in folder.iterdir()} == {"frame_00000.png", "frame_00001.png", "notes.txt"}


@pytest.mark.gl
@pytest.mark.parametrize("name", ["run.mp4", "run.gif", "run"])
def test_cancelling_leaves_nothing_behind(egl: Path, hinge: AlignmentResult, tmp_path: Path, name: str) -> None:
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    folder = tmp_path / "movies"
    folder.mkdir()
    if "." in name:
        (folder / name).write_text("an earlier movie")
    before = {path.name for path in folder.iterdir()}
    asked: list[None] = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(ExportCancelled):
        write_run_movie(hinge, folder / name, SMALL, cancelled=cancelled)
    assert len(asked) == 3
    assert {path.name for path in folder.iterdir()} == before
    if "." in name:
        assert (folder / name).read_text() == "an earlier movie"


def test_without_egl_there_is_one_line_and_no_file(
    hinge: AlignmentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*NO_EGL)
    folder = tmp_path / "movies"
    folder.mkdir()
    with pytest.raises(SceneError, match="libegl1") as caught:
        write_run_movie(hinge, folder / "run.gif", SMALL)
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.gl
def test_picture_of_any_size(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    path = write_picture(hinge, tmp_path / "view.png", size=(300, 200), transparent=True)
    picture = pixels(path)
    assert picture.shape == (200, 300, 4)
    assert picture[0, 0, 3] == 0
    assert (picture[..., 3] > 200).mean() > 0.05


@pytest.mark.gl
@pytest.mark.slow
def test_4k(egl: Path, hinge: AlignmentResult, tmp_path: Path) -> None:
    picture = pixels(write_picture(hinge, tmp_path / "view.png", size=(3840, 2160), transparent=True))
    assert picture.shape == (2160, 3840, 4)
    (file,) = write_turntable(hinge, tmp_path / "turn.mp4", MovieLook(size=(3840, 2160)), frames=2)
    assert file.stat().st_size > 10_000


def test_frames_of_a_long_run(hinge: AlignmentResult) -> None:
    everything = run_frames(hinge)
    assert everything.tolist() == list(range(len(hinge.recording)))
    some = run_frames(hinge, 10)
    assert len(some) == 10
    assert (some[0], some[-1]) == (0, len(hinge.recording) - 1)


def test_a_turn_stays_within_the_picture() -> None:
    generator = np.random.default_rng(3)
    cloud = generator.normal(size=(200, 3)) * [30.0, 10.0, 20.0] + [5.0, -40.0, 100.0]
    view = viewpoint_of([cloud], 4 / 3, turning=True)
    for angle in np.linspace(0, 2 * np.pi, 17):
        cosine, sine = np.cos(angle), np.sin(angle)
        turned = view.turned(np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]))
        x, y, _ = turned.project(cloud, (400, 300)).T
        assert x.min() > 0 and x.max() < 400 and y.min() > 0 and y.max() < 300


def test_a_caption_stands_out_and_leaves_the_rest() -> None:
    for background, ink in (("#FFFFFF", 20), ("#1B1D21", 240)):
        blank = np.full((300, 400, 4), 255 if ink < 100 else 30, dtype=np.uint8)
        blank[..., 3] = 255
        written = Caption((400, 300), background).write(blank, ["step 34", "RMSD 7.131 Å"])
        assert written.shape == blank.shape
        changed = (written != blank).any(axis=-1)
        assert changed[:40, :200].any() and changed[-45:, :200].any()
        assert not changed[60:200].any() and not changed[:, 300:].any()
        assert abs(int(written[:40, :200, 0][changed[:40, :200]].astype(int).min() if ink < 100 else 240) - ink) < 12


@pytest.mark.parametrize(
    ("name", "said"),
    [("run.avi", "mp4"), ("nowhere/run.gif", "nowhere"), ("taken", "file"), ("folder.gif", "folder")],
)
def test_movies_that_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "taken").write_text("")
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(ExportError, match=said):
        check_movie_path(tmp_path / name)


def test_mp4_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_files, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"lieapp\[movie\]"):
        check_movie_path(tmp_path / "run.mp4")
    check_movie_path(tmp_path / "run.gif")
    check_movie_path(tmp_path / "run")


def test_transparency_is_for_png_files(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="transparent"):
        open_movie(tmp_path / "run.gif", (160, 120), 10, transparent=True)
    assert not any(path.name.startswith(".run") for path in tmp_path.iterdir())


def test_looks_that_cannot_be_drawn(hinge: AlignmentResult, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="4000x10"):
        write_turntable(hinge, tmp_path / "turn", MovieLook(size=(4000, 10)))
    with pytest.raises(ExportError, match="beauty"):
        write_turntable(hinge, tmp_path / "turn", MovieLook(style="beauty"))
    with pytest.raises(ExportError, match="1 frames"):
        write_turntable(hinge, tmp_path / "turn", frames=1)
    with pytest.raises(ExportError, match="0 frames a second"):
        write_turntable(hinge, tmp_path / "turn", frames_per_second=0)
    with pytest.raises(ExportError, match="png"):
        DrawingRequest(picture=tmp_path / "view.jpg").check()
    assert list(tmp_path.glob("*turn*")) == []


def test_sizes_are_read() -> None:
    assert parse_size("3840x2160") == (3840, 2160)
    assert parse_size("720×1280") == (720, 1280)
    for text in ("big", "800", "800x", "-5x10", "1x1", "9000x9000"):
        with pytest.raises(ExportError):
            parse_size(text)


def test_a_child_that_fails_gives_its_last_line(hinge: AlignmentResult, monkeypatch: pytest.MonkeyPatch) -> None:
    from lieapp.export import frames
    from lieapp.export.reel import frame_job

    job = frame_job(hinge.inputs, hinge.matrix[None])
    monkeypatch.setattr(frames.sys, "executable", "/no/python/here")
    with pytest.raises(SceneError, match="could not be drawn"):
        next(draw_frames(job))
