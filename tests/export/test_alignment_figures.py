"""Figures are opened again: SVG as XML, PDF by its objects, PNG by its pixels."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from lieapp.alignment.commands import job_from_options
from lieapp.export.alignment_figures import draw_deviation, draw_progress, write_figures, write_progress_figure
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.export.figure_files import new_figure, save_figure
from lieapp.export.quantities import QUANTITIES, curves_of, gap_unit, quantity
from lieapp.scene.lines import tint
from tests.export.conftest import result_of_job

SVG = "{http://www.w3.org/2000/svg}"
TITLES = ["Adam", "SGD", "Adam, se(3)"]


def texts_of(root: ET.Element) -> list[str]:
    return ["".join(node.itertext()).strip() for node in root.iter(f"{SVG}text")]


def lines_of(root: ET.Element) -> list[ET.Element]:
    """The curves: paths of the axes that are clipped to them."""
    return [node for node in root.iter(f"{SVG}path") if "clip-path" in node.attrib]


@pytest.mark.parametrize("abscissa", ["evaluations", "step", "seconds"])
def test_svg_of_a_race(race: list[AlignmentResult], tmp_path: Path, abscissa: str) -> None:
    path = write_progress_figure(curves_of(race, TITLES), tmp_path / "race.svg", abscissa=abscissa)
    root = ET.parse(path).getroot()
    texts = texts_of(root)
    assert set(TITLES) <= set(texts)
    assert "gap to the best possible (Å)" in texts
    assert any(QUANTITIES[abscissa].label in text for text in texts)
    curves = lines_of(root)
    assert len(curves) == 3
    # No two look alike, and the colours are those of the optimisers.
    styles = [re.findall(r"stroke(?:-dasharray)?: ([^;]+)", curve.attrib["style"]) for curve in curves]
    assert len({tuple(style) for style in styles}) == 3
    assert {style[-1].lower() for style in styles} == {"#0072b2", tint("#0072B2", 1).lower(), "#d55e00"}
    # Points are the frames; long flat stretches may be merged.
    corners = [len(re.findall(r"[ML]", curve.attrib["d"])) for curve in curves]
    assert all(10 < corner <= len(result.recording) for corner, result in zip(corners, race, strict=True))


def test_svg_holds_the_letters_it_needs(race: list[AlignmentResult], tmp_path: Path) -> None:
    path = write_progress_figure(curves_of(race, TITLES), tmp_path / "race.svg")
    root = ET.parse(path).getroot()
    (style,) = [node.text or "" for node in root.iter(f"{SVG}style") if "@font-face" in (node.text or "")]
    found = re.search(r"base64,([^)]+)\)", style)
    assert found is not None
    with TTFont(io.BytesIO(base64.b64decode(found.group(1)))) as font:
        letters = set(font.getBestCmap())
        glyphs = font["maxp"].numGlyphs
    needed = {ord(letter) for text in texts_of(root) for letter in text if not letter.isspace()}
    assert needed <= letters
    assert glyphs < 150
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("columns", [1, 2])
def test_widths_of_a_journal(race: list[AlignmentResult], tmp_path: Path, columns: int) -> None:
    width = {1: 3.5, 2: 7.2}[columns]
    curves = curves_of(race, TITLES)
    with Image.open(write_progress_figure(curves, tmp_path / "race.png", columns=columns)) as picture:
        assert picture.width == pytest.approx(300 * width, abs=1)
        assert picture.height < picture.width
        colors = picture.convert("RGB").getcolors(10**6)
        assert colors is not None
        # The curves of both optimisers are there, in their colours.
        assert {(0, 0x72, 0xB2), (0xD5, 0x5E, 0)} <= {color for count, color in colors if count > 100}
    pdf = write_progress_figure(curves, tmp_path / "race.pdf", columns=columns).read_bytes()
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert box is not None
    assert float(box.group(1)) == pytest.approx(72 * width, abs=0.5)


def test_pdf_embeds_truetype_and_draws_every_curve(race: list[AlignmentResult], tmp_path: Path) -> None:
    pdf = write_progress_figure(curves_of(race, TITLES), tmp_path / "race.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL)
    drawn = b"".join(content for stream in streams if (content := _inflated(stream)) is not None)
    strokes = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) RG", drawn)
    colors = {tuple(round(255 * float(part)) for part in stroke) for stroke in strokes}
    assert {(0, 0x72, 0xB2), (0xD5, 0x5E, 0)} <= colors


def _inflated(stream: bytes) -> bytes | None:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return None


@pytest.mark.peer("poppler")
def test_pdf_page_rendered_by_poppler(race: list[AlignmentResult], tmp_path: Path) -> None:
    renderer = shutil.which("pdftoppm")
    if renderer is None:
        pytest.skip("peer: pdftoppm is not installed")
    path = write_progress_figure(curves_of(race, TITLES), tmp_path / "race.pdf")
    subprocess.run([renderer, "-png", "-r", "150", str(path), str(tmp_path / "page")], check=True, timeout=60)
    (page,) = tmp_path.glob("page*.png")
    with Image.open(page) as picture:
        assert picture.width == pytest.approx(150 * 3.5, abs=2)
        assert len(set(picture.convert("L").tobytes())) > 20


def test_the_same_recording_gives_the_same_bytes(hinge: AlignmentResult, tmp_path: Path) -> None:
    first = write_figures(hinge, tmp_path / "first")
    again = write_figures(hinge, tmp_path / "again")
    assert [path.name for path in first] == [path.name for path in again]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_settings_of_the_user_do_not_matter(hinge: AlignmentResult, tmp_path: Path) -> None:
    from matplotlib import rc_context

    usual = write_progress_figure(curves_of([hinge]), tmp_path / "usual.png").read_bytes()
    with rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.dpi": 20}):
        assert write_progress_figure(curves_of([hinge]), tmp_path / "odd.png").read_bytes() == usual


def test_the_legend_is_clear_of_the_curves(race: list[AlignmentResult]) -> None:
    many = [race[0], race[1], race[2], race[0], race[1], race[2]]
    titles = [f"an entrant of the race {k}" for k in range(6)]
    for columns in (1, 2):
        figure = draw_progress(curves_of(many, titles), columns=columns)
        figure.canvas.draw()
        (axes,), (legend,) = figure.axes, figure.legends
        assert not legend.get_window_extent().overlaps(axes.get_window_extent())
        box, page = legend.get_window_extent(), figure.bbox
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and box.y1 <= page.y1
        assert axes.get_window_extent().height > 0.4 * axes.get_window_extent().width
        for label in (axes.xaxis.label, axes.yaxis.label):
            extent = label.get_window_extent()
            assert page.x0 - 1 <= extent.x0 and extent.x1 <= page.x1 + 1
            assert page.y0 - 1 <= extent.y0 and extent.y1 <= page.y1 + 1


@pytest.mark.parametrize("column", ["rmsd", "loss", "gradient_norm", "angle_degrees", "learning_rate", "hvps"])
@pytest.mark.parametrize("logarithmic", [None, False, True])
def test_any_column_is_drawn_as_recorded(race: list[AlignmentResult], column: str, logarithmic: bool | None) -> None:
    figure = draw_progress(curves_of(race), ordinate=column, logarithmic=logarithmic, reference=("least", 6.9))
    (axes,) = figure.axes
    expected = quantity(column).logarithmic if logarithmic is None else logarithmic
    assert axes.get_yscale() == ("log" if expected else "linear")
    *lines, reference = axes.get_lines()
    assert set(np.asarray(reference.get_ydata())) == {6.9}
    for line, result in zip(lines, race, strict=True):
        values = result.recording.column(column)
        floor = quantity(column).floor if expected else -np.inf
        assert np.array_equal(np.asarray(line.get_ydata()), np.maximum(values, floor))
        assert np.array_equal(np.asarray(line.get_xdata()), result.recording.column("evaluations"))


def test_an_rmsd_is_drawn_with_the_least_one(hinge: AlignmentResult, tmp_path: Path) -> None:
    path = write_progress_figure(curves_of([hinge]), tmp_path / "rmsd.svg", ordinate="rmsd")
    assert f"Kabsch: {hinge.inputs.kabsch.rmsd:.4f} Å" in texts_of(ET.parse(path).getroot())


@pytest.mark.parametrize(
    ("objective", "unit"),
    [("rmsd", "Å"), ("tm", "TM-score"), ("gdt", "GDT-TS (smooth)"), ("huber", "Å"), ("geman-mcclure", "Geman-McClure")],
)
def test_the_gap_has_the_unit_of_its_objective(hinge: AlignmentResult, objective: str, unit: str) -> None:
    files = (hinge.job.mobile.path, hinge.job.target.path)
    job = job_from_options(*files, optimizer="lbfgs", objective=objective, steps=4)
    result = result_of_job(job, hinge.inputs)
    assert gap_unit(result) == unit
    (axes,) = draw_progress(curves_of([result])).axes
    assert axes.get_ylabel() == f"gap to the best possible ({unit})"
    both = draw_progress(curves_of([hinge, result])).axes[0].get_ylabel()
    assert both == f"gap to the best possible ({unit if unit == 'Å' else f'Å or {unit}'})"


def test_deviation_is_that_of_the_pose(hinge: AlignmentResult) -> None:
    for result in (hinge, replace(hinge, frame=0)):
        (axes,) = draw_deviation(result).axes
        curve = axes.get_lines()[0]
        assert np.array_equal(np.asarray(curve.get_ydata()), result.scores.deviations)
        assert result.pose_text in curve.get_label()
        assert axes.get_ylabel() == "distance to partner (Å)"


def test_runs_that_cannot_be_told_apart_are_avoided(race: list[AlignmentResult]) -> None:
    curves = curves_of([race[0]] * 9 + [race[1]] * 3)
    assert len({(curve.color, curve.dash) for curve in curves}) == 12
    assert (curves[0].color, curves[0].dash) == ("#0072B2", ())


def test_a_run_of_one_frame_is_a_point(hinge: AlignmentResult, tmp_path: Path) -> None:
    job = job_from_options(hinge.job.mobile.path, hinge.job.target.path, steps=0)
    result = result_of_job(job, hinge.inputs)
    assert len(result.recording) == 1
    with Image.open(write_progress_figure(curves_of([result]), tmp_path / "one.png")) as picture:
        assert picture.width == 1050


def test_what_cannot_be_drawn_is_said(hinge: AlignmentResult, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no run"):
        draw_progress([])
    with pytest.raises(ExportError, match="beauty"):
        draw_progress(curves_of([hinge]), ordinate="beauty")
    with pytest.raises(ExportError, match="columns"):
        new_figure(3)
    with pytest.raises(ExportError, match=r"race\.bmp"):
        write_progress_figure(curves_of([hinge]), tmp_path / "race.bmp")
    with pytest.raises(ExportError, match="nowhere"):
        save_figure(draw_deviation(hinge), tmp_path / "nowhere" / "deviation.svg")
