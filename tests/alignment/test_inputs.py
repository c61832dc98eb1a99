"""From a job's files to arrays: models, checksums, selections, weights, starts, reference answers."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.inputs import AlignInputs, load_inputs, pair_inputs, pinned, start_matrix
from lieapp.alignment.rigid import rotation_angle
from lieapp.alignment.spec import AlignJob
from lieapp.alignment.superposition import prune_core, superpose
from lieapp.structures.errors import StructureError
from tests.alignment.adk import CORE, points
from tests.alignment.small import LENGTH, hinge, write_pair, write_pdb


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return write_pair(tmp_path)


def load(files: tuple[str, str], **options: Any) -> AlignInputs:
    return load_inputs(job_from_options(*files, **options))


def test_points_are_those_of_the_files(files: tuple[str, str]) -> None:
    inputs = load(files)
    np.testing.assert_array_equal(inputs.mobile_points, hinge(0.0))
    np.testing.assert_allclose(inputs.target_points, hinge(0.6)[:, [1, 2, 0]] + [30.0, -12.0, 5.0], atol=1e-9)
    assert inputs.pairing.fit.all()
    assert inputs.pairing.report.all()
    assert inputs.fit_residues == inputs.report_residues == LENGTH
    np.testing.assert_array_equal(inputs.weights, np.ones(LENGTH))
    np.testing.assert_allclose(inputs.fit_weights, 1.0 / LENGTH)
    with pytest.raises(ValueError, match="read-only"):
        inputs.mobile_points[0, 0] = 0.0


def test_exact_answers(files: tuple[str, str]) -> None:
    inputs = load(files, fit="A:1-20")
    assert inputs.fit_residues == 20
    assert inputs.report_residues == LENGTH
    assert inputs.kabsch.rmsd < 1e-3, "the first helix is the same in both forms"
    assert inputs.core.pairs == prune_core(inputs.mobile_points, inputs.target_points).pairs
    assert inputs.core_mask.sum() == inputs.core.pairs
    job = job_from_options(*files, objective="tm")
    objective = inputs.objective(job)
    assert objective.value_for_people(0.0) == pytest.approx(20 / LENGTH), "L is the whole length of the target"
    assert inputs.reference(objective) is inputs.reference(objective)


def test_selections(files: tuple[str, str]) -> None:
    inputs = load(files, fit="A:1-20", report="21-40")
    np.testing.assert_array_equal(np.flatnonzero(inputs.pairing.fit), np.arange(20))
    np.testing.assert_array_equal(np.flatnonzero(inputs.pairing.report), np.arange(20, 40))
    assert inputs.fit_mobile.shape == (20, 3)
    core = load(files, fit="core")
    everything = load(files)
    np.testing.assert_array_equal(core.pairing.fit, everything.core_mask)
    rest = load(files, fit="core", report="not core")
    np.testing.assert_array_equal(rest.pairing.report, ~everything.core_mask)


def test_core_of_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    one = write_pdb(tmp_path / "one.pdb", rng.normal(0.0, 40.0, (12, 3)))
    two = write_pdb(tmp_path / "two.pdb", rng.normal(0.0, 40.0, (12, 3)))
    with pytest.raises(AlignmentError, match="no core"):
        load((str(one), str(two)), fit="core", pairing="number")


def test_bad_input_is_named(files: tuple[str, str], tmp_path: Path) -> None:
    for options, message in [
        ({"mobile_model": 3}, r"opened\.pdb: there is no model 3; the file has model 1"),
        ({"mobile_chain": "Z"}, "Z"),
        ({"fit": "A:90-95"}, "chain A has no residue 90-95"),
        ({"fit": "A:1-2"}, "three"),
        ({"pairing": "structure"}, "not available"),
    ]:
        with pytest.raises((StructureError, AlignmentError), match=message):
            load(files, **options)
    with pytest.raises(StructureError, match="missing"):
        load((str(tmp_path / "missing.pdb"), files[1]))


def test_models_by_their_numbers(tmp_path: Path) -> None:
    many = str(write_pdb(tmp_path / "many.pdb", hinge(0.0), models=3))
    one = str(write_pdb(tmp_path / "one.pdb", hinge(0.3)))
    inputs = load((many, one), mobile_model=2)
    assert inputs.mobile_model == 1
    assert inputs.mobile.model_count == 3, "the other models are kept, so that they can be moved and written too"
    np.testing.assert_allclose(inputs.mobile_points, hinge(0.0) + np.array([1.0, 0.0, 0.0]), atol=1e-9)
    with pytest.raises(AlignmentError, match="3 models"):
        load((many, one), mobile_model=4)


def test_changed_file_is_refused(files: tuple[str, str]) -> None:
    job = job_from_options(*files)
    sealed = pinned(job, load_inputs(job))
    assert sealed.mobile.sha256
    assert load_inputs(sealed).kabsch.rmsd == load_inputs(job).kabsch.rmsd
    path = Path(files[0])
    path.write_text(path.read_text().replace("ALA", "GLY", 1))
    with pytest.raises(AlignmentError, match=r"opened\.pdb: the file has changed"):
        load_inputs(sealed)
    load_inputs(job)


def test_compressed_copy_has_the_same_checksum(files: tuple[str, str]) -> None:
    job = job_from_options(*files)
    sealed = pinned(job, load_inputs(job))
    copy = Path(files[0] + ".gz")
    copy.write_bytes(gzip.compress(Path(files[0]).read_bytes()))
    moved = sealed.changed(mobile=sealed.mobile.model_copy(update={"path": str(copy)}))
    assert load_inputs(moved).kabsch.rmsd == load_inputs(job).kabsch.rmsd


def weighted(tmp_path: Path, kind: str, *, occupancy: Any = None, b_factor: Any = None) -> AlignInputs:
    mobile = write_pdb(tmp_path / "m.pdb", hinge(0.0), occupancy=occupancy, b_factor=b_factor)
    target = write_pdb(tmp_path / "t.pdb", hinge(0.6))
    return load((str(mobile), str(target)), weights=kind)


def test_weights(tmp_path: Path) -> None:
    half = np.where(np.arange(LENGTH) < 20, 1.0, 0.5)
    inputs = weighted(tmp_path, "occupancy", occupancy=half)
    np.testing.assert_allclose(inputs.weights, half)
    np.testing.assert_allclose(inputs.fit_weights, half / half.sum())
    assert inputs.kabsch.rmsd == superpose(inputs.mobile_points, inputs.target_points, half).rmsd

    b = np.linspace(0.0, 90.0, LENGTH)
    inputs = weighted(tmp_path, "b-factor", b_factor=b)
    assert (np.diff(inputs.weights) < 0.0).all()
    assert inputs.weights.max() / inputs.weights.min() < 3.0, "no atom dominates"

    inputs = weighted(tmp_path, "plddt", b_factor=b)
    np.testing.assert_allclose(inputs.weights, np.round(b, 2) / 100.0)
    with pytest.raises(AlignmentError, match="pLDDT"):
        weighted(tmp_path, "plddt", b_factor=b + 20.0)
    with pytest.raises(AlignmentError, match="weight zero"):
        weighted(tmp_path, "plddt", b_factor=0.0 * b)


def test_starts(files: tuple[str, str]) -> None:
    inputs = load(files)
    center = inputs.target_points.mean(axis=0)

    def start(**options: Any) -> Any:
        return start_matrix(job_from_options(*files, **options), inputs)

    np.testing.assert_array_equal(start(start="identity"), np.eye(4))
    for matrix in (start(start="centroids"), start(start="random", seed=4)):
        moved = inputs.mobile_points @ matrix[:3, :3].T + matrix[:3, 3]
        np.testing.assert_allclose(moved.mean(axis=0), center, atol=1e-9)
    np.testing.assert_array_equal(start(start="centroids")[:3, :3], np.eye(3))
    np.testing.assert_array_equal(start(start="random", seed=4), start(start="random", seed=4))
    assert rotation_angle(start(start="random", seed=4)[:3, :3] @ start(start="random", seed=5)[:3, :3].T) > 0.01
    pose = np.eye(4)
    pose[:3, 3] = [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(start(start_pose=pose.tolist()), pose)


# -- real structures ----------------------------------------------------------------------------------------------


def adk(structures_dir: Path, **options: Any) -> tuple[AlignJob, AlignInputs]:
    job = job_from_options(
        str(structures_dir / "adk" / "4AKE.pdb"), str(structures_dir / "adk" / "1AKE.pdb"), **options
    )
    return job, load_inputs(job)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("options", "pairs", "rmsd"),
    [
        ({}, 214, 7.130700),
        ({"mobile_chain": "B", "target_chain": "B"}, 214, 6.897998),
        ({"mobile_chain": "B", "target_chain": "A"}, 214, 6.879661),
        ({"mobile_chain": "A,B", "target_chain": "A,B"}, 428, 18.448661),
        ({"mobile_chain": "A", "target_chain": "A", "atoms": "backbone"}, 856, 7.154454),
        ({"mobile_chain": "A", "target_chain": "A", "atoms": "heavy"}, 1656, 7.191267),
        ({"mobile_chain": "A", "target_chain": "A", "fit": "A:1-29,60-121,160-214"}, 214, 1.975054),
        ({"mobile_chain": "A", "target_chain": "A", "fit": "core"}, 214, 1.082837),
    ],
)
def test_adk(structures_dir: Path, options: dict[str, Any], pairs: int, rmsd: float) -> None:
    _, inputs = adk(structures_dir, **options)
    assert len(inputs.pairing) == pairs
    assert inputs.kabsch.rmsd == pytest.approx(rmsd, abs=1e-6)


@pytest.mark.shared_data
def test_adk_points_agree_with_gemmi(structures_dir: Path) -> None:
    _, inputs = adk(structures_dir, mobile_chain="A", target_chain="A")
    np.testing.assert_array_equal(inputs.mobile_points, points(structures_dir / "adk" / "4AKE.pdb", "A"))
    np.testing.assert_array_equal(inputs.target_points, points(structures_dir / "adk" / "1AKE.pdb", "A"))
    _, core = adk(structures_dir, fit="A:1-29,60-121,160-214")
    np.testing.assert_array_equal(np.flatnonzero(core.pairing.fit), CORE)


@pytest.mark.shared_data
def test_nucleic_acids_have_their_own_d0(structures_dir: Path) -> None:
    path = str(structures_dir / "diverse" / "1bna.pdb")
    job = job_from_options(path, path, mobile_chain="A", target_chain="B", objective="tm")
    inputs = load_inputs(job)
    assert inputs.pairing.polymer == "nucleic"
    assert inputs.objective(job).scale == 0.4


@pytest.mark.shared_data
def test_pairing_and_answer_from_read_structures(structures_dir: Path) -> None:
    job, inputs = adk(structures_dir)
    again = pair_inputs(job, inputs.mobile, inputs.target)
    assert again.kabsch.rmsd == inputs.kabsch.rmsd
