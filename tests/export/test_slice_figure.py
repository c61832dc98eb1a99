"""The slice for print: contours, paths and marks stand where the slice says."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.alignment.loss_surface import LossSurface
from lieapp.alignment.slice import Slice, axes_plane, compute_slice, start_plane
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.quantities import curves_of
from lieapp.export.slice_figure import draw_slice, write_slice_figure
from tests.export.test_alignment_figures import texts_of


@pytest.fixture(scope="module")
def turns(hinge: AlignmentResult) -> Slice:
    surface = LossSurface.of_inputs(hinge.inputs, hinge.inputs.objective(hinge.job))
    found = compute_slice(start_plane(surface, hinge.recording.state(0)["rotation"][0]), points=41)
    assert found is not None
    return found


def test_paths_are_those_of_the_runs(turns: Slice, race: list[AlignmentResult]) -> None:
    figure = draw_slice(turns, curves_of(race, ["Adam", "SGD", "Adam, se(3)"]))
    axes, bar = figure.axes
    drawn = {line.get_label(): np.column_stack(line.get_data()) for line in axes.get_lines()}
    for title, result in zip(("Adam", "SGD", "Adam, se(3)"), race, strict=True):
        recording = result.recording
        expected = turns.plane.project(recording.states("rotation")[:, 0], recording.states("translation")[:, 0])
        points = drawn[title][np.isfinite(drawn[title]).all(axis=1)]
        np.testing.assert_array_equal(points, expected.coordinates)
        # A run starts in the plane through its start and ends in the middle.
        assert np.hypot(*points[-1]) < 0.1
    assert bar.get_ylabel() == "RMSD (Å)"
    assert axes.get_xlabel() == turns.plane.axes[0].label
    assert axes.get_aspect() == 1.0
    for mark in turns.marks:
        label = mark.title if mark.in_plane else f"{mark.title} ({mark.distance:.1f} Å off)"
        np.testing.assert_array_equal(drawn[label], mark.places)


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_files_are_whole(turns: Slice, race: list[AlignmentResult], tmp_path: Path, kind: str) -> None:
    first, again = (
        write_slice_figure(turns, tmp_path / f"{name}.{kind}", curves_of(race[:2]), columns=2)
        for name in ("first", "again")
    )
    assert first.read_bytes() == again.read_bytes()
    if kind == "svg":
        texts = texts_of(ET.parse(first).getroot())
        assert {"Adam", "SGD", "minimum", "saddle 1", "RMSD (Å)"} <= set(texts)
    elif kind == "png":
        with Image.open(first) as picture:
            assert picture.width == 2160
    else:
        assert b"/FontFile2" in first.read_bytes()


@pytest.mark.peer("poppler")
def test_pdf_page_rendered_by_poppler(turns: Slice, race: list[AlignmentResult], tmp_path: Path) -> None:
    renderer = shutil.which("pdftoppm")
    if renderer is None:
        pytest.skip("peer: pdftoppm is not installed")
    path = write_slice_figure(turns, tmp_path / "slice.pdf", curves_of(race[:2]))
    subprocess.run([renderer, "-png", "-r", "150", str(path), str(tmp_path / "page")], check=True, timeout=60)
    (page,) = tmp_path.glob("page*.png")
    with Image.open(page) as picture:
        assert picture.width == pytest.approx(150 * 3.5, abs=2)
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    # Nothing is cut off: white all around, and the colours of the loss in the middle.
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge > 250).all()
    assert (np.ptp(pixels, axis=-1) > 60).mean() > 0.2


def test_shifts_fill_a_square_without_runs(hinge: AlignmentResult) -> None:
    surface = LossSurface.of_inputs(hinge.inputs, hinge.inputs.objective(hinge.job))
    found = compute_slice(axes_plane(surface, "shift-x", "shift-z"), points=11)
    assert found is not None
    axes, _ = draw_slice(found).axes
    assert axes.get_xlabel() == "shift along x (Å)"
    assert len(axes.get_lines()) == len(found.marks)
