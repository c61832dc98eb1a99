from __future__ import annotations

import numpy as np
import pytest

from lieapp.scene.averaging import average_blocks


def _slowly(pixels: np.ndarray, count: int) -> np.ndarray:
    """Weigh every colour by its alpha, in floating point."""
    height, width = pixels.shape[0] // count, pixels.shape[1] // count
    blocks = pixels.astype(float).reshape(height, count, width, count, 4)
    alpha = blocks[..., 3:]
    total = alpha.sum(axis=(1, 3))
    colors = (blocks[..., :3] * alpha).sum(axis=(1, 3)) / np.where(total > 0, total, 1)
    return np.concatenate([colors, total / count**2], axis=-1)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("opaque", [True, False])
def test_it_is_the_mean_weighted_by_alpha(count: int, opaque: bool) -> None:
    # More rows than are taken at a time, and a number of them that does not divide.
    pixels = np.random.default_rng(7).integers(0, 256, (131 * count, 20 * count, 4), dtype=np.uint8)
    if opaque:
        pixels[..., 3] = 255
    else:
        pixels[: 10 * count, :, 3] = 0
    averaged = average_blocks(pixels, count)
    expected = _slowly(pixels, count)
    visible = expected[..., 3] > 0
    assert averaged.dtype == np.uint8
    assert averaged.shape == (131, 20, 4)
    assert np.abs(averaged[visible] - expected[visible]).max() <= 0.5
    assert np.array_equal(averaged[~visible][:, 3], np.zeros((~visible).sum()))


def test_a_transparent_background_leaves_no_fringe() -> None:
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0] = (200, 100, 50, 255)
    assert average_blocks(pixels, 2)[0, 0].tolist() == [200, 100, 50, 64]
