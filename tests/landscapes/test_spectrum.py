"""The spectrum along a path against what is known of it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from lieapp.engine.recording import Recording
from lieapp.export.landscape_studies import write_study
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.problem import open_landscape
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.spectrum import PathSpectrum, spectrum_along, thinned
from lieapp.landscapes.texts import load_text


def recorded(name: str, optimizer: str, steps: int) -> tuple[LandscapeJob, Recording]:
    job = LandscapeJob(landscape=name, limits={"steps": steps}).with_optimizer(optimizer)
    run = open_landscape(job)[1]
    run.complete()
    return job, run.recording


@pytest.mark.parametrize("name", ["saddle", "muller-brown", "so3-alignment", "matrix-factorisation"])
def test_ends_are_the_curvatures_that_were_observed(name: str) -> None:
    job, recording = recorded(name, "sgd", 30)
    found = spectrum_along(job, recording, most=12)
    assert found.exact
    assert (len(found), found.values.shape[1]) == (12, job.description.dimension)
    assert found.frames[0] == 0
    assert found.frames[-1] == len(recording) - 1
    for column, place in (("lowest_curvature", 0), ("highest_curvature", -1)):
        observed = recording.column(column)[found.frames]
        np.testing.assert_allclose(found.values[:, place], observed, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found.evaluations, recording.column("evaluations")[found.frames])


def test_strict_saddle_has_its_known_spectrum_and_loses_its_negative_part() -> None:
    job, recording = recorded("strict-saddle-100", "sgd", 800)
    found = spectrum_along(job, recording, most=6)
    known = np.sort(np.concatenate((-np.linspace(0.1, 1.0, 10), np.linspace(0.1, 5.0, 90))))
    np.testing.assert_allclose(found.values[0], known, atol=1e-6)
    assert found.negative[0] == 10
    assert (np.diff(found.negative) <= 0).all()
    assert found.cost == 6 * 100 * 2


def test_large_models_by_lanczos() -> None:
    job, recording = recorded("transformer-tiny", "adam", 4)
    found = spectrum_along(job, recording, most=2)
    assert not found.exact
    assert found.frames.tolist() == [0, 4]
    assert found.cost > 2 * 40
    problem = open_landscape(job, load_text())[0]
    leaves, oracle = problem.parameters(), problem.oracle

    def product(vector: np.ndarray) -> np.ndarray:
        flat = torch.as_tensor(vector.ravel(), dtype=torch.float32)
        parts = [part.reshape(p.shape) for part, p in zip(flat.split([p.numel() for p in leaves]), leaves, strict=True)]
        return torch.cat([part.reshape(-1) for part in oracle.hvp(parts)]).double().numpy()

    operator = LinearOperator((problem.size, problem.size), matvec=product, dtype=np.float64)
    ends = eigsh(operator, k=2, which="BE", return_eigenvectors=False, tol=1e-3, v0=np.ones(problem.size))
    assert found.values[0, 0] == pytest.approx(ends.min(), rel=0.02)
    highest = found.values[0][np.isfinite(found.values[0])][-1]
    assert highest == pytest.approx(ends.max(), rel=0.02)


def test_a_run_that_does_not_repeat_itself_is_refused() -> None:
    job, recording = recorded("transformer-tiny", "adam", 2)
    with pytest.raises(LandscapeError, match="did not repeat itself"):
        spectrum_along(job.changed(seed=1), recording, most=2)


def test_cancelling_returns_what_is_there() -> None:
    job, recording = recorded("saddle", "sgd", 30)
    asked = iter([False, False, False, True])
    found = spectrum_along(job, recording, stopped=lambda: next(asked))
    assert found.frames.tolist() == [0, 1, 2]
    assert len(spectrum_along(job, recording, stopped=lambda: True)) == 0
    with pytest.raises(LandscapeError, match="no frame"):
        spectrum_along(job, Recording())


@pytest.mark.parametrize(("frames", "most"), [(1, 5), (5, 5), (100, 7), (101, 2), (3, 1)])
def test_thinning_keeps_the_ends(frames: int, most: int) -> None:
    kept = thinned(frames, most)
    assert kept[0] == 0
    assert kept[-1] == frames - 1
    assert kept == sorted(set(kept))
    assert len(kept) <= max(most, 2)


def test_table_and_figure(tmp_path: Path) -> None:
    job, recording = recorded("saddle", "sgd", 10)
    found: PathSpectrum = spectrum_along(job, recording)
    (table,) = write_study(found, tmp_path / "spectrum.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [float(row["eigenvalue"]) for row in rows] == found.values.ravel().tolist()
    (figure,) = write_study(found, tmp_path / "spectrum.svg", title="SGD")
    assert "eigenvalues of the Hessian" in figure.read_text(encoding="utf-8")
