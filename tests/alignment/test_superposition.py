"""The exact answers are right: against published values, other programs, and properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.fragments import fragment_poses
from lieapp.alignment.inputs import load_inputs
from lieapp.alignment.objectives import GDT_HA_CUTOFFS, GDT_TS_CUTOFFS, Objective, make_objective
from lieapp.alignment.rigid import pose_matrix, random_rotations, rotation_angle
from lieapp.alignment.superposition import (
    critical_points,
    deviations_at,
    gdt_ha,
    gdt_maximised,
    gdt_ts,
    prune_core,
    rmsd_at,
    superpose,
    superpose_robust,
    tm_score,
)
from tests.alignment.adk import BACKBONE, CORE, LID, NMP, points

Points = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)


def cloud(seed: int, count: int = 30, noise: float = 0.0) -> tuple[Points, Points, NDArray[np.float64], Points]:
    """Return a random cloud, its moved and noisy copy, and the rotation and translation."""
    rng = np.random.default_rng(seed)
    mobile = rng.normal(0.0, 10.0, (count, 3)) + rng.normal(0.0, 30.0, 3)
    rotation = random_rotations(1, rng)[0]
    translation = rng.normal(0.0, 50.0, 3)
    return mobile, mobile @ rotation.T + translation + rng.normal(0.0, 1.0, (count, 3)) * noise, rotation, translation


def check_proper(rotation: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


# -- closed form ------------------------------------------------------------------------------------------------------


@given(seeds)
def test_recovers_a_known_motion(seed: int) -> None:
    mobile, target, rotation, translation = cloud(seed)
    fit = superpose(mobile, target)
    np.testing.assert_allclose(fit.rotation, rotation, atol=1e-10)
    np.testing.assert_allclose(fit.translation, translation, atol=1e-8)
    assert fit.rmsd < 1e-12
    np.testing.assert_array_equal(fit.matrix, pose_matrix(fit.rotation, fit.translation))


@given(seeds, st.floats(0.01, 20.0))
@settings(deadline=None)
def test_agrees_with_scipy(seed: int, noise: float) -> None:
    from scipy.spatial.transform import Rotation

    mobile, target, _, _ = cloud(seed, noise=noise)
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(mobile))
    fit = superpose(mobile, target, weights)
    w = weights / weights.sum()
    expected, root = Rotation.align_vectors(target - w @ target, mobile - w @ mobile, weights=w)
    check_proper(fit.rotation)
    assert fit.rmsd == pytest.approx(root, rel=1e-7)
    assert rotation_angle(fit.rotation @ expected.as_matrix().T) < 1e-5
    assert rmsd_at(mobile, target, fit.rotation, fit.translation, weights) == pytest.approx(fit.rmsd, rel=1e-12)


@pytest.mark.filterwarnings("ignore")
@given(seeds, st.floats(0.01, 20.0))
@settings(max_examples=20, deadline=None)
def test_agrees_with_biopython(seed: int, noise: float) -> None:
    from Bio.SVDSuperimposer import SVDSuperimposer

    mobile, target, _, _ = cloud(seed, noise=noise)
    peer = SVDSuperimposer()
    peer.set(target, mobile)
    peer.run()
    rotation, translation = peer.get_rotran()
    fit = superpose(mobile, target)
    assert fit.rmsd == pytest.approx(peer.get_rms(), rel=1e-9)
    np.testing.assert_allclose(fit.rotation, rotation.T, atol=1e-6)
    np.testing.assert_allclose(fit.translation, translation, atol=1e-4)


@given(seeds)
def test_no_nearby_pose_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mobile, target, _, _ = cloud(seed, noise=5.0)
    fit = superpose(mobile, target)
    from lieapp.alignment.rigid import rotation_exp

    center = mobile.mean(axis=0)
    for _ in range(10):
        turn = rotation_exp(rng.normal(0.0, 0.01, 3)) @ fit.rotation
        shift = fit.rotation @ center + fit.translation + rng.normal(0.0, 0.01, 3) - turn @ center
        assert rmsd_at(mobile, target, turn, shift) >= fit.rmsd


@given(seeds)
def test_weight_zero_is_absence_and_two_is_repetition(seed: int) -> None:
    mobile, target, _, _ = cloud(seed, noise=4.0)
    weights = np.random.default_rng(seed).integers(0, 3, len(mobile)).astype(float)
    repeated = np.repeat(np.arange(len(mobile)), weights.astype(int))
    one, other = superpose(mobile, target, weights), superpose(mobile[repeated], target[repeated])
    np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-8)
    assert one.rmsd == pytest.approx(other.rmsd, rel=1e-12)


@given(seeds)
def test_offset_of_1000_angstroms_changes_nothing(seed: int) -> None:
    mobile, target, _, _ = cloud(seed, noise=3.0)
    near, far = superpose(mobile, target), superpose(mobile + 1000.0, target - 1000.0)
    assert far.rmsd == pytest.approx(near.rmsd, abs=1e-10)
    np.testing.assert_allclose(far.rotation, near.rotation, atol=1e-9)


@given(seeds)
def test_there_and_back(seed: int) -> None:
    mobile, target, _, _ = cloud(seed, noise=3.0)
    there, back = superpose(mobile, target), superpose(target, mobile)
    np.testing.assert_allclose(there.matrix @ back.matrix, np.eye(4), atol=1e-8)
    assert there.rmsd == pytest.approx(back.rmsd, rel=1e-12)


def test_tiny_rmsd_is_not_lost_to_cancellation() -> None:
    mobile, target, _, _ = cloud(3)
    rng = np.random.default_rng(4)
    noisy = target + rng.normal(0.0, 1e-9, target.shape)
    assert 1e-9 < superpose(mobile, noisy).rmsd < 3e-9


@given(seeds)
def test_mirror_image_is_not_reflected(seed: int) -> None:
    mobile, _, _, _ = cloud(seed)
    mirrored = mobile * [1.0, 1.0, -1.0]
    fit = superpose(mobile, mirrored)
    check_proper(fit.rotation)
    assert fit.rmsd > 1.0
    # The singular values say what the best proper rotation can reach.
    x, y = mobile - mobile.mean(axis=0), mirrored - mirrored.mean(axis=0)
    s = np.linalg.svd(x.T @ y / len(x))[1]
    expected = (x**2).sum() / len(x) + (y**2).sum() / len(y) - 2 * (s[0] + s[1] - s[2])
    assert fit.rmsd == pytest.approx(np.sqrt(expected), rel=1e-9)


def test_identical_structures() -> None:
    mobile, _, _, _ = cloud(0)
    fit = superpose(mobile, mobile)
    np.testing.assert_allclose(fit.matrix, np.eye(4), atol=1e-12)
    assert fit.rmsd < 1e-13


def test_one_point_is_translated() -> None:
    fit = superpose(np.array([[1.0, 2.0, 3.0]]), np.array([[5.0, 5.0, 5.0]]))
    np.testing.assert_array_equal(fit.rotation, np.eye(3))
    np.testing.assert_array_equal(fit.translation, [4.0, 3.0, 2.0])
    assert fit.rmsd == 0.0


@pytest.mark.parametrize("count", [2, 3, 7])
def test_collinear_points(count: int) -> None:
    mobile = np.outer(np.arange(count), [1.0, 2.0, 2.0]) + 5.0
    target = np.outer(np.arange(count), [3.0, 0.0, 0.0])
    fit = superpose(mobile, target)
    check_proper(fit.rotation)
    assert fit.rmsd < 1e-12


@given(seeds, st.integers(3, 12))
def test_coplanar_points(seed: int, count: int) -> None:
    mobile, _, rotation, translation = cloud(seed, count)
    mobile[:, 2] = 7.0
    fit = superpose(mobile, mobile @ rotation.T + translation)
    check_proper(fit.rotation)
    assert fit.rmsd < 1e-11
    if np.linalg.svd(mobile - mobile.mean(axis=0))[1][1] > 0.1:
        np.testing.assert_allclose(fit.rotation, rotation, atol=1e-8)


def test_coincident_points() -> None:
    fit = superpose(np.ones((4, 3)), np.zeros((4, 3)))
    check_proper(fit.rotation)
    assert fit.rmsd == 0.0


@pytest.mark.parametrize(
    ("mobile", "target", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), "no pairs"),
        (np.zeros((4, 3)), np.zeros((5, 3)), r"\(4, 3\) and \(5, 3\)"),
        (np.zeros((4, 2)), np.zeros((4, 2)), "shape"),
        (np.full((4, 3), np.nan), np.zeros((4, 3)), "finite"),
        (np.zeros((4, 3)), np.array([[np.inf, -np.inf, 0.0]] * 4), "finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_bad_points_are_refused(mobile: Points, target: Points, message: str) -> None:
    with pytest.raises(AlignmentError, match=message):
        superpose(mobile, target)


# -- adenylate kinase: the table of the data's README -----------------------------------------------------------------


@pytest.fixture(scope="module")
def adk(structures_dir: Path) -> Path:
    return structures_dir / "adk"


@pytest.fixture(scope="module")
def pair(adk: Path) -> tuple[Points, Points]:
    return points(adk / "4AKE.pdb", "A"), points(adk / "1AKE.pdb", "A")


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("mobile", "target", "names", "count", "rmsd", "angle"),
    [
        pytest.param("4AKE.pdb A", "1AKE.pdb A", ("CA",), 214, 7.130700, 122.423, id="CA"),
        pytest.param("4AKE.cif A", "1AKE.pdb A", ("CA",), 214, 7.130700, 122.423, id="CA-mmCIF"),
        pytest.param("4AKE.pdb A", "1AKE.pdb A", BACKBONE, 856, 7.154454, 122.652, id="backbone"),
        pytest.param("4AKE.pdb A", "1AKE.pdb A", None, 1656, 7.191267, 121.240, id="heavy"),
        pytest.param("4AKE.pdb B", "1AKE.pdb B", ("CA",), 214, 6.897998, 134.830, id="B-B"),
        pytest.param("4AKE.pdb B", "1AKE.pdb A", ("CA",), 214, 6.879661, 127.127, id="B-A"),
        pytest.param("4AKE.pdb A", "1AKE.pdb B", ("CA",), 214, 7.144384, 99.535, id="A-B"),
        pytest.param("4AKE.pdb AB", "1AKE.pdb AB", ("CA",), 428, 18.448661, 173.270, id="both-chains"),
        pytest.param("adk_open.pdb _", "adk_closed.pdb _", ("CA",), 214, 6.908967, 22.070, id="charmm"),
        pytest.param("1AKE.pdb A", "1AKE.pdb B", ("CA",), 214, 0.351987, 177.877, id="near-180-closed"),
        pytest.param("4AKE.pdb A", "4AKE.pdb B", ("CA",), 214, 0.607165, 178.751, id="near-180-open"),
    ],
)
def test_kabsch_on_adk(
    adk: Path, mobile: str, target: str, names: tuple[str, ...] | None, count: int, rmsd: float, angle: float
) -> None:
    x, y = (
        np.concatenate([points(adk / file, chain, names) for chain in chains])
        for file, chains in (text.split(" ") for text in (mobile, target))
    )
    assert len(x) == len(y) == count
    fit = superpose(x, y)
    assert fit.rmsd == pytest.approx(rmsd, abs=1e-6)
    assert np.rad2deg(rotation_angle(fit.rotation)) == pytest.approx(angle, abs=1e-3)


@pytest.mark.shared_data
@pytest.mark.parametrize(("domain", "count", "rmsd"), [(CORE, 146, 1.975054), (NMP, 30, 1.576049), (LID, 38, 0.470656)])
def test_domains_of_adk(pair: tuple[Points, Points], domain: NDArray[np.int64], count: int, rmsd: float) -> None:
    fit = superpose(pair[0][domain], pair[1][domain])
    assert len(domain) == count
    assert fit.rmsd == pytest.approx(rmsd, abs=1e-6)


@pytest.mark.shared_data
def test_three_domains_each_by_its_own_fit(pair: tuple[Points, Points]) -> None:
    fits = [superpose(pair[0][domain], pair[1][domain]) for domain in (CORE, NMP, LID)]
    total = sum(
        float((deviations_at(pair[0][d], pair[1][d], fit.rotation, fit.translation) ** 2).sum())
        for d, fit in zip((CORE, NMP, LID), fits, strict=True)
    )
    assert np.sqrt(total / 214) == pytest.approx(1.746100, abs=1e-6)
    core, nmp, lid = (fit.rotation for fit in fits)
    assert np.rad2deg(rotation_angle(core)) == pytest.approx(119.021, abs=1e-3)
    assert np.rad2deg(rotation_angle(core.T @ nmp)) == pytest.approx(44.82, abs=0.01)
    assert np.rad2deg(rotation_angle(core.T @ lid)) == pytest.approx(52.16, abs=0.01)


@pytest.mark.shared_data
def test_pose_and_start_of_adk(pair: tuple[Points, Points]) -> None:
    x, y = pair
    fit = superpose(x, y)
    np.testing.assert_allclose(
        fit.rotation,
        [
            [-0.14468732, -0.02229302, 0.98922626],
            [-0.98379484, 0.11023287, -0.14140872],
            [-0.10589282, -0.99365574, -0.03788106],
        ],
        atol=1e-8,
    )
    np.testing.assert_allclose(fit.translation, [36.63958456, 42.25829181, 15.56652266], atol=1e-6)
    assert rmsd_at(x, y, np.eye(3), np.zeros(3)) == pytest.approx(75.0466, abs=1e-4)
    centered = rmsd_at(x, y, np.eye(3), y.mean(axis=0) - x.mean(axis=0))
    assert centered == pytest.approx(23.5286, abs=1e-4)


@pytest.mark.shared_data
def test_core_of_adk(pair: tuple[Points, Points]) -> None:
    core = prune_core(*pair)
    assert core.pairs == core.mask.sum() == 112
    assert core.rmsd == pytest.approx(1.083, abs=5e-4)
    assert core.rmsd == pytest.approx(superpose(pair[0][core.mask], pair[1][core.mask]).rmsd)
    assert set(np.flatnonzero(core.mask)) <= set(CORE), "the core lies in the CORE domain"


@pytest.mark.shared_data
def test_critical_points_of_adk(pair: tuple[Points, Points]) -> None:
    found = critical_points(*pair)
    assert [point.rmsd for point in found] == pytest.approx([7.130700, 25.667, 29.495, 31.732], abs=5e-4)
    assert [point.index for point in found] == [0, 1, 2, 3]


@pytest.mark.shared_data
def test_tm_score_of_adk(pair: tuple[Points, Points]) -> None:
    x, y = pair
    kabsch = superpose(x, y)
    at_kabsch = deviations_at(x, y, kabsch.rotation, kabsch.translation)
    assert tm_score(at_kabsch, length=214) == pytest.approx(0.56607, abs=5e-6)
    objective = make_objective("tm", length=214)
    best = superpose_robust(objective, x, y)
    assert best.value == pytest.approx(0.684185, abs=1e-6)
    assert best.agreeing == best.starts > 8
    at_best = deviations_at(x, y, best.rotation, best.translation)
    assert tm_score(at_best, length=214) == pytest.approx(best.value, abs=1e-12)
    assert rmsd_at(x, y, best.rotation, best.translation) == pytest.approx(8.007, abs=1e-3)
    assert np.rad2deg(rotation_angle(best.rotation.T @ kabsch.rotation)) == pytest.approx(13.12, abs=0.01)
    assert np.count_nonzero(at_best <= objective.scale) == 149
    assert np.count_nonzero(at_best <= 5.0) == 148
    core = superpose(x[CORE], y[CORE])
    by_core = tm_score(deviations_at(x, y, core.rotation, core.translation), length=214)
    assert by_core == pytest.approx(0.68327, abs=5e-6)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["tm", "huber", "geman-mcclure"])
def test_robust_fit_from_kabsch_and_from_random_rotations(pair: tuple[Points, Points], name: str) -> None:
    x, y = pair
    objective = make_objective(name, length=214)
    kabsch = superpose(x, y).matrix
    centers = y.mean(axis=0), x.mean(axis=0)
    rotations = random_rotations(20, np.random.default_rng(7))
    starts = [kabsch, *(pose_matrix(r, centers[0] - r @ centers[1]) for r in rotations)]
    ends = [superpose_robust(objective, x, y, starts=[start]) for start in starts]
    for end in ends:
        assert end.value == pytest.approx(ends[0].value, abs=1e-9)
        assert (np.diff(end.history) <= 1e-12).all(), "reweighting never goes up"
        assert end.iterations < 100
    if name == "tm":
        assert ends[0].value == pytest.approx(0.684185, abs=1e-6)


@pytest.mark.shared_data
def test_gdt_of_adk(pair: tuple[Points, Points]) -> None:
    x, y = pair
    # The program TMscore finds 0.5678 and 0.4124, by a search with other seeds.
    assert gdt_maximised(x, y, GDT_TS_CUTOFFS, length=214) == pytest.approx(0.5678, abs=1e-4)
    assert gdt_maximised(x, y, GDT_HA_CUTOFFS, length=214) >= 0.4124
    best = superpose_robust(make_objective("gdt", length=214), x, y)
    assert "best found" in best.method
    assert (np.diff(best.history) <= 0.0).all()
    at_best = deviations_at(x, y, best.rotation, best.translation)
    assert gdt_ha(at_best, length=214) < gdt_ts(at_best, length=214) <= 0.5678 + 1e-4
    kabsch = superpose(x, y)
    assert gdt_ts(at_best, length=214) > gdt_ts(deviations_at(x, y, kabsch.rotation, kabsch.translation), length=214)


# -- robust poses and cores as properties -----------------------------------------------------------------------------


def outliers(seed: int) -> tuple[Points, Points, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    mobile, target, rotation, translation = cloud(seed, 60, noise=0.2)
    target[:15] += rng.normal(0.0, 15.0, (15, 3))
    return mobile, target, pose_matrix(rotation, translation)


@pytest.mark.parametrize("name", ["tm", "gdt", "geman-mcclure", "huber"])
@given(seeds)
@settings(max_examples=10, deadline=None)
def test_robust_fit_ignores_outliers(name: str, seed: int) -> None:
    mobile, target, pose = outliers(seed)
    objective: Objective = make_objective(name, length=60)
    best = superpose_robust(objective, mobile, target)
    check_proper(best.rotation)
    inliers = slice(15, None)
    limit = 1.0 if name == "huber" else 0.5
    at_best = deviations_at(mobile[inliers], target[inliers], best.rotation, best.translation)
    at_truth = deviations_at(mobile[inliers], target[inliers], pose[:3, :3], pose[:3, 3])
    assert abs(at_best.mean() - at_truth.mean()) < limit
    assert (np.diff(best.history) <= 1e-12 * best.history[0]).all()


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_robust_fit_moves_with_the_structures(seed: int) -> None:
    mobile, target, _ = outliers(seed)
    rotation = random_rotations(1, np.random.default_rng(seed + 1))[0]
    objective = make_objective("tm", length=60)
    here = superpose_robust(objective, mobile, target)
    there = superpose_robust(objective, mobile, target @ rotation.T + 1000.0)
    assert there.loss == pytest.approx(here.loss, rel=1e-8)
    np.testing.assert_allclose(there.rotation, rotation @ here.rotation, atol=1e-5)


@pytest.mark.parametrize("name", ["rmsd", "tm", "gdt", "huber", "geman-mcclure"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_points_and_identical_structures(name: str, count: int) -> None:
    mobile = np.random.default_rng(0).normal(0.0, 5.0, (count, 3))
    objective = make_objective(name, length=max(count, 30))
    best = superpose_robust(objective, mobile, mobile + 3.0)
    check_proper(best.rotation)
    assert best.loss < 1e-6
    assert np.isfinite(best.matrix).all()


def test_rmsd_is_answered_by_kabsch() -> None:
    mobile, target, _, _ = cloud(5, noise=3.0)
    best = superpose_robust(make_objective("rmsd", length=30), mobile, target)
    assert best.value == superpose(mobile, target).rmsd
    assert best.method == "Kabsch"


def test_no_start_is_refused() -> None:
    mobile, target, _, _ = cloud(5)
    with pytest.raises(AlignmentError, match="start"):
        superpose_robust(make_objective("tm", length=30), mobile, target, starts=[])


@given(seeds)
@settings(deadline=None)
def test_core_is_within_the_cutoff(seed: int) -> None:
    mobile, target, _ = outliers(seed)
    core = prune_core(mobile, target, cutoff=1.5)
    distances = deviations_at(mobile, target, core.superposition.rotation, core.superposition.translation)
    assert (distances[core.mask] <= 1.5).all()
    assert core.pairs >= 40
    assert core.rmsd == pytest.approx(float(np.sqrt((distances[core.mask] ** 2).mean())))


def test_no_core() -> None:
    mobile = np.random.default_rng(0).normal(0.0, 20.0, (12, 3))
    target = np.random.default_rng(1).normal(0.0, 20.0, (12, 3))
    core = prune_core(mobile, target, cutoff=0.01)
    assert core.pairs == 0
    assert np.isnan(core.rmsd)
    np.testing.assert_array_equal(core.superposition.matrix, superpose(mobile, target).matrix)
    with pytest.raises(AlignmentError, match="positive"):
        prune_core(mobile, target, cutoff=0.0)


def test_everything_is_core_where_all_is_near() -> None:
    mobile, target, _, _ = cloud(2, noise=0.1)
    core = prune_core(mobile, target)
    assert core.mask.all()
    assert core.rmsd == superpose(mobile, target).rmsd


@given(seeds)
def test_critical_points_are_stationary(seed: int) -> None:
    mobile, target, _, _ = cloud(seed, noise=8.0)
    found = critical_points(mobile, target)
    assert [point.rmsd for point in found] == sorted(point.rmsd for point in found)
    assert found[0].rmsd == pytest.approx(superpose(mobile, target).rmsd, rel=1e-10)
    center = mobile.mean(axis=0)
    for point in found:
        check_proper(point.rotation)
        moved = (mobile - center) @ point.rotation.T
        torque = np.cross(moved, target - target.mean(axis=0)).mean(axis=0)
        np.testing.assert_allclose(torque, 0.0, atol=1e-9)
        # The number of negative curvatures is the index.
        m = point.rotation @ ((mobile - center).T @ (target - target.mean(axis=0))) / len(mobile)
        curvature = np.linalg.eigvalsh(2.0 * (np.trace(m) * np.eye(3) - 0.5 * (m + m.T)))
        assert np.count_nonzero(curvature < 0.0) == point.index


def test_many_pairs_are_screened_and_then_all_polished() -> None:
    mobile, target, _, _ = cloud(9, 6000, noise=1.0)
    target[::3] += 20.0
    objective = make_objective("geman-mcclure", length=6000)
    best = superpose_robust(objective, mobile, target)
    polished = superpose_robust(objective, mobile, target, starts=[best.matrix])
    assert best.loss == pytest.approx(polished.loss, rel=1e-12)
    assert best.iterations < 60
    inliers = np.arange(6000) % 3 > 0
    assert rmsd_at(mobile[inliers], target[inliers], best.rotation, best.translation) < 1.8


# -- fragments --------------------------------------------------------------------------------------------------------


@given(seeds)
@settings(max_examples=25)
def test_reference_finds_a_short_common_part(seed: int) -> None:
    """A fifth of two chains that are strangers otherwise agrees: no fit of all pairs leads there."""
    rng = np.random.default_rng(seed)
    mobile = np.cumsum(rng.normal(0.0, 2.2, (150, 3)), axis=0)
    target = np.cumsum(rng.normal(0.0, 2.2, (150, 3)), axis=0)
    rotation = random_rotations(1, rng)[0]
    start = int(rng.integers(0, 120))
    target[start : start + 30] = (mobile @ rotation.T + [40.0, 0.0, 0.0])[start : start + 30]
    objective = make_objective("tm", length=150)
    planted = superpose(mobile[start : start + 30], target[start : start + 30])
    at_planted = tm_score(deviations_at(mobile, target, planted.rotation, planted.translation), length=150)
    assert superpose_robust(objective, mobile, target).value >= at_planted - 1e-9


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("mobile", "target", "score"),
    [("d1jwyb_", "d1puja_", 0.13007), ("d1qq5a_", "d3chy__", 0.19609), ("d1ng4a2", "d3cox_2", 0.09286)],
)
def test_reference_is_no_worse_than_tm_align(structures_dir: Path, mobile: str, target: str, score: float) -> None:
    """Scores of TM-align 20220412 with ``-I``, held to the same pairs."""
    files = [str(structures_dir / f"ripc/{name}.pdb.gz") for name in (mobile, target)]
    job = job_from_options(*files, objective="tm")
    inputs = load_inputs(job)
    assert inputs.reference(inputs.objective(job)).value >= score


def test_fragments_of_few_or_degenerate_pairs() -> None:
    objective = make_objective("tm", length=30)
    assert fragment_poses(objective, np.zeros((3, 3)), np.zeros((3, 3)), np.full(3, 1 / 3)) == []
    line = np.arange(20.0)[:, None] * [3.8, 0.0, 0.0]
    for x, y in ((line, line), (np.zeros((20, 3)), np.zeros((20, 3)))):
        poses = fragment_poses(objective, x - x.mean(axis=0), y - y.mean(axis=0), np.full(20, 0.05))
        assert 1 <= len(poses) <= 6
        for rotation, shift in poses:
            check_proper(rotation)
            assert np.isfinite(shift).all()
