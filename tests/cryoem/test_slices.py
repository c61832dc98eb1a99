"""Slices and their adjoint: algebra at every size, and projections that are known by formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lieapp.cryoem.angles import euler_to_matrix, uniform_rotations
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.plane import HalfPlane, fourier_to_map, make_hermitian, map_to_fourier
from lieapp.cryoem.simulation import project
from lieapp.cryoem.slices import SliceOperator, SliceTable, gridding_envelope

BOXES = pytest.mark.parametrize("box", [8, 9, 16, 17])
WAYS = pytest.mark.parametrize("interpolation", ["trilinear", "nearest"])


def random_volume(box: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((box, box, box), dtype=torch.complex128, generator=generator)


def operator(box: int, interpolation: str = "trilinear", images: int = 6, **options: object) -> SliceOperator:
    rotations = uniform_rotations(images, np.random.default_rng(box))
    return SliceOperator(HalfPlane(box), rotations, interpolation=interpolation, dtype=torch.float64, **options)  # type: ignore[arg-type]


@BOXES
@WAYS
@pytest.mark.parametrize("padding", [1, 2])
def test_adjoint(box: int, interpolation: str, padding: int) -> None:
    slices = operator(box, interpolation, padding=padding)
    x = random_volume(slices.edge)
    y = torch.randn((6, len(slices.plane)), dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
    forward = torch.vdot(y.flatten(), slices.forward(x).flatten())
    back = torch.vdot(slices.adjoint(y).flatten(), x.flatten())
    assert abs(forward - back) < 1e-12 * abs(forward)


@BOXES
@WAYS
def test_second_derivative_is_symmetric_and_not_negative(box: int, interpolation: str) -> None:
    slices = operator(box, interpolation)
    factor = torch.rand((6, len(slices.plane)), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x, y = random_volume(box, 1), random_volume(box, 2)
    left = torch.vdot(y.flatten(), slices.normal(x, factor=factor).flatten())
    right = torch.vdot(slices.normal(y, factor=factor).flatten(), x.flatten())
    assert abs(left - right) < 1e-12 * abs(left)
    energy = torch.vdot(x.flatten(), slices.normal(x, factor=factor).flatten())
    assert energy.real > 0.0
    assert abs(energy.imag) < 1e-12 * energy.real


@BOXES
def test_tables_that_are_kept_and_made_anew_agree(box: int) -> None:
    kept, anew = operator(box), operator(box, cache_bytes=0)
    x, rows = random_volume(box), torch.tensor([4, 1])
    assert torch.equal(kept.forward(x, rows), anew.forward(x, rows))
    assert torch.equal(kept.forward(x)[rows], kept.forward(x, rows))
    assert torch.equal(kept.forward(x, slice(1, 3)), anew.forward(x, slice(1, 3)))


@BOXES
def test_unrotated_slice_is_the_central_plane(box: int) -> None:
    plane = HalfPlane(box)
    slices = SliceOperator(plane, np.eye(3)[None], dtype=torch.float64)
    x = random_volume(box)
    center = box // 2
    assert torch.allclose(slices.forward(x)[0], x[center, plane.ky + center, plane.kx + center], atol=1e-14)


@BOXES
def test_slices_of_a_real_map_are_those_of_its_projection(box: int) -> None:
    # About the z axis by a quarter turn every point lies on the grid.
    values = torch.randn((box, box, box), dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    quarter = euler_to_matrix(90.0, 0.0, 0.0)
    slices = SliceOperator(HalfPlane(box), np.stack([np.eye(3), quarter]), dtype=torch.float64)
    points = slices.forward(map_to_fourier(values))
    projection = slices.plane.from_images(values.sum(0))
    assert torch.allclose(points[0], projection, atol=1e-10)
    # A point (x, y) of the map lies at A (x, y): (1, 0) goes to (0, -1).
    turned = slices.plane.to_images(points)
    moved = slices.plane.to_images(projection)
    expected = torch.rot90(moved, 1, (0, 1)) if box % 2 else torch.roll(torch.rot90(moved, 1, (0, 1)), 1, 0)
    assert torch.allclose(turned[1], expected, atol=1e-10)


@BOXES
def test_maps_and_half_planes_come_back(box: int) -> None:
    plane = HalfPlane(box)
    images = torch.randn((3, box, box), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    points = plane.from_images(images)
    assert torch.allclose(plane.from_images(plane.to_images(points)), points, atol=1e-12)
    volume = make_hermitian(map_to_fourier(torch.randn((box, box, box), dtype=torch.float64)))
    inverse = torch.fft.fftshift(torch.fft.ifftn(torch.fft.ifftshift(volume)))
    assert inverse.imag.abs().max() < 1e-12
    assert torch.allclose(fourier_to_map(volume), inverse.real, atol=1e-12)
    assert torch.allclose(make_hermitian(volume), volume)


def test_half_planes_hold_every_frequency_once() -> None:
    plane = HalfPlane(17, 5)
    both = {(int(x), int(y)) for x, y in zip(plane.kx, plane.ky, strict=True)}
    both |= {(-x, -y) for x, y in both}
    assert both == {(x, y) for x in range(-5, 6) for y in range(-5, 6) if x * x + y * y <= 25}
    assert len(both) == 2 * len(plane) - 1
    assert (int(plane.kx[0]), int(plane.ky[0])) == (0, 0)


def test_shifts_move_images() -> None:
    plane = HalfPlane(16)
    image = plane.to_images(plane.from_images(torch.randn((16, 16), dtype=torch.float64)))
    moved = plane.to_images(plane.from_images(image) * plane.shift_phases(torch.tensor([[3.0, -2.0]]))[0])
    assert torch.allclose(moved, torch.roll(image, (-2, 3), (0, 1)), atol=1e-12)


@pytest.mark.parametrize(("box", "radius"), [(3, None), (8, 4), (8, 0)])
def test_impossible_planes_are_refused(box: int, radius: int | None) -> None:
    with pytest.raises(CryoemError):
        HalfPlane(box, radius)


def test_wrong_rotations_are_refused() -> None:
    with pytest.raises(CryoemError, match="images, 3, 3"):
        SliceOperator(HalfPlane(8), np.eye(3))
    with pytest.raises(CryoemError, match="padding"):
        SliceOperator(HalfPlane(8), np.eye(3)[None], padding=0)


def test_projections_converge_with_padding() -> None:
    """Of a Gaussian off the centre, whose projection is known, with all angles."""
    box, sigma = 32, 2.0
    center = np.array([5.0, -3.0, 2.0])
    line = np.arange(box) - box // 2
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    squared = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
    values = np.exp(-0.5 * squared / sigma**2).astype(np.float32)
    rotations = uniform_rotations(8, np.random.default_rng(5))
    shifts = np.random.default_rng(6).uniform(-3.0, 3.0, (8, 2))
    yy, xx = np.meshgrid(line, line, indexing="ij")
    errors = []
    for padding in (1, 2, 4):
        images = project(values, rotations, shifts_pixel=shifts, padding=padding)
        off = 0.0
        for image, rotation, shift in zip(images, rotations, shifts, strict=True):
            at = (rotation @ center)[:2] - shift
            flat = np.exp(-0.5 * ((xx - at[0]) ** 2 + (yy - at[1]) ** 2) / sigma**2) * np.sqrt(2 * np.pi) * sigma
            off = max(off, float(np.abs(image - flat).max() / flat.max()))
        errors.append(off)
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < 0.3 * errors[1]
    assert errors[1] < 0.015


def test_envelope_is_that_of_interpolation() -> None:
    """The map of an interpolated spectrum is the map times the envelope."""
    box = 16
    point = torch.zeros((box, box, box), dtype=torch.float64)
    point[8, 8, 12] = 1.0
    rotations = uniform_rotations(400, np.random.default_rng(8))
    slices = SliceOperator(HalfPlane(box), rotations, dtype=torch.float64)
    points = slices.forward(map_to_fourier(point))
    plane = slices.plane
    k = torch.stack((plane.kx, plane.ky)).to(torch.float64)
    at = torch.from_numpy(rotations[:, :2, 0]) * 4.0
    exact = torch.polar(torch.ones((), dtype=torch.float64), -2 * torch.pi / box * (at @ k))
    inner = plane.radii < plane.radius - 1  # beyond, cells reach over the edge of what is used
    exact, points = exact[:, inner], points[:, inner]
    gain = torch.vdot(exact.flatten(), points.flatten()).real / exact.abs().square().sum()
    assert abs(gain - gridding_envelope(box)[8, 8, 12]) < 0.02


@pytest.mark.parametrize("complex_values", [False, True])
def test_many_points_are_written_as_few_are(complex_values: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    points, voxels = 40_000, 1000
    index = torch.randint(voxels, (points, 8), generator=generator, dtype=torch.int32)
    weight = torch.rand((points, 8), generator=generator)
    kind = torch.complex64 if complex_values else torch.float32
    values = torch.randn(points, generator=generator, dtype=kind)
    expected = values.new_zeros(voxels).index_add_(0, index.view(-1), (weight * values[:, None]).view(-1))
    assert torch.equal(SliceTable(index, weight).write(values, voxels), expected)
    assert torch.equal(SliceTable(index[:0], weight[:0]).write(values[:0], voxels), values.new_zeros(voxels))
