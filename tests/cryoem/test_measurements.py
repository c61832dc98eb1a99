"""Gradients, diagonals, stencil and estimates of small data sets in float64: exact algebra and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.fit import VolumeFit, open_fits
from lieapp.cryoem.measurements import Measurements, Piece
from lieapp.cryoem.metrics import Shells
from lieapp.cryoem.oracle import CryoemOracle
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import make_hermitian
from lieapp.cryoem.preconditioners import HutchinsonEstimate, exact_diagonal, hermitian_signs, positive, row_sums
from lieapp.cryoem.reference import conjugate_gradients, weighted_backprojection
from lieapp.cryoem.stencil import NormalStencil

BOXES = pytest.mark.parametrize("box", [8, 9])
WAYS = pytest.mark.parametrize("interpolation", ["trilinear", "nearest"])


def particles(box: int, count: int, *, ctf: bool = True, seed: int = 0) -> Particles:
    rng = np.random.default_rng(seed)
    return Particles(
        rng.standard_normal((count, box, box)).astype(np.float32),
        uniform_rotations(count, rng),
        rng.standard_normal((count, 2)),
        4.0,
        ctf=CtfParameters.build(rng.uniform(1e4, 2e4, count)) if ctf else None,
    )


def measured(box: int, interpolation: str = "trilinear", count: int = 7, **options: object) -> Measurements:
    return Measurements(particles(box, count), interpolation=interpolation, dtype=torch.float64, **options)  # type: ignore[arg-type]


def hermitian(box: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return make_hermitian(torch.randn((box, box, box), dtype=torch.complex128, generator=generator))


def full_plane_loss(data: Measurements, volume: torch.Tensor) -> float:
    """Half the mean squared residual over the full plane, by its definition."""
    model = data.operator.forward(volume)
    if data.transfer is not None:
        model = model * data.transfer
    squares = (model - data.data).abs().square()
    return 0.5 * float(2.0 * squares.sum() - squares[:, 0].sum()) / len(data)


@BOXES
@WAYS
def test_loss_and_gradient(box: int, interpolation: str) -> None:
    data = measured(box, interpolation)
    volume, direction = hermitian(box), hermitian(box, 1)
    loss, gradient = data.batch().gradient(volume)
    assert float(loss) == pytest.approx(full_plane_loss(data, volume), rel=1e-12)
    assert float(data.batch().loss(volume)) == pytest.approx(float(loss), rel=1e-14)
    step = 1e-5
    change = (full_plane_loss(data, volume + step * direction) - full_plane_loss(data, volume - step * direction)) / 2
    assert float((gradient.conj() * direction).sum().real) == pytest.approx(change / step, rel=1e-8)
    assert torch.allclose(gradient, make_hermitian(gradient), atol=1e-13)


@WAYS
def test_diagonal_is_that_of_brute_force(interpolation: str) -> None:
    box = 8
    data = measured(box, interpolation)
    batch = data.batch()
    diagonal, center = batch.diagonal(), box // 2
    assert data.operator.mask is not None
    found = torch.zeros_like(diagonal)
    for z, y, x in data.operator.mask.nonzero().tolist():
        unit = torch.zeros((box, box, box), dtype=torch.float64)
        unit[z, y, x] = unit[2 * center - z, 2 * center - y, 2 * center - x] = 1.0
        found[z, y, x] = batch.product(unit)[z, y, x]
    assert torch.allclose(diagonal, found, atol=1e-14)
    assert diagonal.max() > 0.0
    assert torch.allclose(exact_diagonal(data), diagonal, atol=1e-14)


@BOXES
@WAYS
def test_stencil_is_the_second_derivative(box: int, interpolation: str) -> None:
    data = measured(box, interpolation)
    batch, stencil = data.batch(), NormalStencil(data)
    volume = hermitian(box)
    product = batch.product(volume)
    assert torch.allclose(stencil.product(volume), product, atol=1e-13)
    assert torch.allclose(stencil.diagonal(), batch.diagonal(), atol=1e-14)
    assert torch.allclose(stencil.row_sums(), row_sums(data), atol=1e-13)
    energy = 0.5 * float((volume.conj() * product).sum().real)
    assert stencil.energy(volume) == pytest.approx(energy, rel=1e-12)
    damped = NormalStencil(data, 0.3)
    used = data.operator.masked(volume)
    assert torch.allclose(damped.product(volume), product + 0.3 * used, atol=1e-13)
    assert damped.energy(volume) == pytest.approx(energy + 0.15 * float(used.abs().square().sum()), rel=1e-12)


def test_second_derivative_is_symmetric() -> None:
    batch = measured(9).batch()
    x, y = hermitian(9, 1), hermitian(9, 2)
    left, right = (
        torch.vdot(y.flatten(), batch.product(x).flatten()),
        torch.vdot(batch.product(y).flatten(), x.flatten()),
    )
    assert abs(left - right) < 1e-12 * abs(left)


def test_no_step_of_one_over_row_sums_overshoots() -> None:
    data = measured(9, count=40)
    stencil = NormalStencil(data, 1e-8)
    scale = torch.where(stencil.row_sums() > 1e-6, stencil.row_sums().clamp_min(1e-6) ** -0.5, 0.0)
    vector = hermitian(9) * (scale > 0)
    for _ in range(200):
        vector = scale * stencil.product(scale * vector)
        size = torch.linalg.vector_norm(vector)
        vector = vector / size
    assert float(size) <= 1.0 + 1e-9
    assert stencil.largest_eigenvalue() <= float(stencil.row_sums().max())


def test_nearest_has_a_diagonal_second_derivative() -> None:
    """So one probe is exact, and one step of 1 solves all images."""
    data = measured(9, "nearest", count=60)
    estimate = HutchinsonEstimate(Shells(9), start="shells", memory=0.0, clamp=0.0)
    batch = data.batch()
    estimate.update(batch.product, torch.Generator().manual_seed(0), torch.zeros((), dtype=torch.float64))
    assert torch.allclose(estimate.mean(), batch.diagonal(), atol=1e-14)
    start, diagonal = data.operator.masked(hermitian(9)), batch.diagonal()
    gradient = batch.gradient(start)[1]
    solved = start - torch.where(diagonal > 0, gradient / diagonal.clamp_min(1e-30), 0.0)
    assert batch.gradient(solved)[1].abs().max() < 1e-12


@pytest.mark.parametrize("start", ["row-sum", "shells", "ones"])
def test_hutchinson_is_within_a_tenth_after_a_hundred_probes(start: str) -> None:
    data = measured(16, count=60)
    shells, generator = Shells(16), torch.Generator().manual_seed(1)
    estimate = HutchinsonEstimate(shells, start=start)  # type: ignore[arg-type]
    parts = torch.arange(60).split(20)
    for k in range(100):
        estimate.update(data.batch(parts[k % 3]).product, generator, torch.zeros((), dtype=torch.float64))
    exact = data.batch().diagonal()
    off = torch.linalg.vector_norm(shells.pick(estimate.mean() - exact)) / torch.linalg.vector_norm(shells.pick(exact))
    assert float(off) < 0.1
    smooth = torch.linalg.vector_norm(shells.pick(estimate.diagonal() - exact))
    assert float(smooth / torch.linalg.vector_norm(shells.pick(exact))) < 0.12
    assert (estimate.diagonal() > 0.0).all()


def test_running_values_come_back() -> None:
    data, like = measured(8), torch.zeros((), dtype=torch.float64)
    first = HutchinsonEstimate(Shells(8))
    generator = torch.Generator().manual_seed(2)
    first.update(data.batch().product, generator, like)
    second = HutchinsonEstimate(Shells(8))
    second.load_state_dict(first.state_dict(), like)
    state = generator.get_state()
    one = first.update(data.batch().product, generator, like)
    generator.set_state(state)
    assert torch.equal(second.update(data.batch().product, generator, like), one)


@BOXES
def test_signs_are_those_of_partners(box: int) -> None:
    signs = hermitian_signs(box, torch.Generator().manual_seed(3), torch.zeros(()))
    core = signs if box % 2 else signs[1:, 1:, 1:]
    assert torch.equal(core.abs(), torch.ones_like(core))
    assert torch.equal(core, core.flip((0, 1, 2)))
    assert abs(float(core.mean())) < 0.2


def test_bounds_of_a_preconditioner() -> None:
    shells = Shells(8)
    values = torch.rand((8, 8, 8), dtype=torch.float64) - 0.2
    assert (positive(values, shells, 0.1) > 0.0).all()
    paper = positive(values, shells, 0.0)
    assert float(paper.min()) == pytest.approx(max(float(values.abs().min()), 1.0 / float(shells.count[-1])))


@WAYS
def test_minimiser_has_no_gradient(interpolation: str) -> None:
    fit = VolumeFit(particles(9, 80), interpolation=interpolation, dtype=torch.float64)  # type: ignore[arg-type]
    best = fit.minimiser
    assert best is not None
    gradient = fit.measurements.batch().gradient(best)[1] + fit.precision * best
    assert gradient.abs().max() < 1e-5 * fit.backprojection.abs().max()
    assert fit.gap(best) == 0.0
    other = fit.measurements.operator.masked(hermitian(9))
    whole = fit.measurements.batch()
    ridge = 0.5 * 1e-8 * float(other.abs().square().sum() - best.abs().square().sum())
    assert fit.gap(other) == pytest.approx(
        (float(whole.loss(other) - whole.loss(best)) + ridge) / fit.curvature, rel=1e-6
    )


def test_conjugate_gradients_solve() -> None:
    stencil = NormalStencil(measured(8, count=60), 0.01)
    wanted = stencil._mask * hermitian(8)  # type: ignore[operator]
    found = conjugate_gradients(stencil.product, stencil.product(wanted), stencil.diagonal(), tolerance=1e-12)
    assert torch.allclose(found, wanted, atol=1e-8)


def test_weighted_backprojection_recovers_what_all_points_agree_on() -> None:
    right, weights = hermitian(8), torch.rand((8, 8, 8), dtype=torch.float64) + 0.5
    assert torch.allclose(weighted_backprojection(right * weights, weights), right)
    assert weighted_backprojection(right, torch.zeros_like(weights)).abs().max() == 0.0


def test_fits_have_unit_curvature_and_an_empty_volume_loses_a_half() -> None:
    (fit,) = open_fits(
        particles(9, 30),
        halves=False,
        interpolation="trilinear",
        prior="none",
        dtype=torch.float64,
        device=torch.device("cpu"),
    )
    zero = torch.zeros((9, 9, 9), dtype=torch.complex128)
    assert float(fit.measurements.batch().loss(zero)) / fit.curvature == pytest.approx(0.5)
    assert fit.stencil is not None
    assert fit.stencil.largest_eigenvalue(200) / fit.curvature == pytest.approx(1.0, rel=1e-3)


def test_half_sets_share_no_image() -> None:
    fits = open_fits(
        particles(8, 31),
        halves=True,
        interpolation="trilinear",
        prior="none",
        dtype=torch.float64,
        device=torch.device("cpu"),
    )
    assert sorted(len(fit.measurements) for fit in fits) == [15, 16]
    assert fits[0].unit == fits[1].unit
    rows = [tuple(row) for fit in fits for row in torch.view_as_real(fit.measurements.data)[:, 1].tolist()]
    assert len(set(rows)) == 31


def test_wiener_prior_damps_shells_without_signal() -> None:
    fit = VolumeFit(particles(9, 60), prior="wiener", dtype=torch.float64)  # pure noise
    assert isinstance(fit.precision, torch.Tensor)
    assert fit.minimiser is not None
    plain = VolumeFit(particles(9, 60), dtype=torch.float64)
    assert plain.minimiser is not None
    assert fit.shells.power(fit.minimiser)[1:].sum() < 0.2 * plain.shells.power(plain.minimiser)[1:].sum()


# -- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 3, 7])
def test_pieces_add_up_to_the_batch(most: int) -> None:
    whole, split = measured(9), measured(9, most_at_once=most)
    volume = hermitian(9)
    for one, other in zip(whole.batch().gradient(volume), split.batch().gradient(volume), strict=True):
        assert torch.allclose(one, other, rtol=1e-13, atol=1e-14)
    assert torch.allclose(whole.batch().product(volume), split.batch().product(volume), atol=1e-14)
    assert torch.allclose(whole.batch().diagonal(), split.batch().diagonal(), atol=1e-15)


def test_short_memory_splits_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An allocation fails as that of a GPU does as soon as more than three images are computed at once."""
    data, expected = measured(9), measured(9).batch().gradient(hermitian(9))
    whole = Piece.gradient

    def short(piece: Piece, volume: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if len(piece.data) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(piece, volume)

    monkeypatch.setattr(Piece, "gradient", short)
    loss, gradient = data.batch().gradient(hermitian(9))
    assert float(loss) == pytest.approx(float(expected[0]), rel=1e-13)
    assert torch.allclose(gradient, expected[1], atol=1e-13)
    assert data.most_at_once <= 3
    assert "at most 2 images" in data.messages[-1]
    monkeypatch.setattr(Piece, "gradient", lambda piece, volume: (_ for _ in ()).throw(torch.OutOfMemoryError("no")))
    with pytest.raises(torch.OutOfMemoryError):
        data.batch().gradient(hermitian(9))


def test_no_particles_are_refused() -> None:
    with pytest.raises(CryoemError, match="none"):
        Measurements(particles(8, 3).take([]))


# -- the oracle -------------------------------------------------------------------------------------------------------


def oracle_of(box: int, kind: str = "none", halves: bool = False) -> CryoemOracle:
    fits = open_fits(
        particles(box, 12),
        halves=halves,
        interpolation="trilinear",
        prior="none",
        dtype=torch.float64,
        device=torch.device("cpu"),
    )
    generator = torch.Generator().manual_seed(4)
    leaves = [torch.randn((box, box, box, 2), dtype=torch.float64, generator=generator).requires_grad_() for _ in fits]
    oracle = CryoemOracle(
        fits,
        leaves,
        preconditioner=kind,  # type: ignore[arg-type]
        estimates=[HutchinsonEstimate(fit.shells) for fit in fits] if kind == "hutchinson" else [],
        generator=generator,
    )
    oracle.set_batches([fit.measurements.batch(torch.arange(4)) for fit in fits])
    return oracle


@BOXES
@pytest.mark.parametrize("halves", [False, True])
def test_oracle_is_exact_at_any_parameters(box: int, halves: bool) -> None:
    """Also at volumes that are not Hermitian: the loss is that of their Hermitian part."""
    oracle = oracle_of(box, halves=halves)
    oracle.gradient()
    grads = [leaf.grad.clone() for leaf in oracle.parameters if leaf.grad is not None]
    generator = torch.Generator().manual_seed(5)
    vectors = [torch.randn(leaf.shape, dtype=torch.float64, generator=generator) for leaf in oracle.parameters]
    product = oracle.hvp(vectors)
    step, losses, changed = 1e-4, [], []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for leaf, vector in zip(oracle.parameters, vectors, strict=True):
                leaf += sign * step * vector
        losses.append(float(oracle.gradient()))
        assert float(oracle.loss()) == pytest.approx(losses[-1], rel=1e-12)
        changed.append([leaf.grad.clone() for leaf in oracle.parameters if leaf.grad is not None])
        with torch.no_grad():
            for leaf, vector in zip(oracle.parameters, vectors, strict=True):
                leaf -= sign * step * vector
    slope = sum(float((g * v).sum()) for g, v in zip(grads, vectors, strict=True))
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slope, rel=1e-7)
    for up, down, expected in zip(*changed, product, strict=True):
        assert torch.allclose((up - down) / (2 * step), expected, atol=1e-9)


@pytest.mark.parametrize(("kind", "products"), [("none", 0.0), ("exact", 1.5), ("row-sum", 1.5), ("hutchinson", 1.0)])
def test_preconditioners_say_what_they_cost(kind: str, products: float) -> None:
    oracle = oracle_of(8, kind)
    for _ in range(2):
        diagonals = oracle.preconditioner()
    assert oracle.products == pytest.approx(products)  # 12 images in batches of 4; a probe, and row sums to start with
    if kind == "none":
        assert diagonals is None
    else:
        assert diagonals is not None
        assert diagonals[0].shape == (8, 8, 8, 1)
        assert (diagonals[0] > 0.0).all()


def test_probes_are_real_and_hermitian() -> None:
    (probe,) = oracle_of(8).probe()
    assert probe[..., 1].abs().max() == 0.0
    assert torch.equal(probe[1:, 1:, 1:, 0], probe[1:, 1:, 1:, 0].flip((0, 1, 2)))


def test_loss_gap_needs_a_minimiser() -> None:
    fit = VolumeFit(particles(8, 5), dtype=torch.float64)
    fit.stencil = None
    assert fit.minimiser is None
    assert math.isnan(fit.gap(hermitian(8)))
    # Without the stencil everything comes from passes over the images.
    again = VolumeFit(particles(8, 5), dtype=torch.float64)
    assert torch.allclose(fit.diagonal, again.diagonal, atol=1e-14)
    assert torch.allclose(fit.row_sums, again.row_sums, atol=1e-13)
