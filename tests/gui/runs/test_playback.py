"""The clock of the replay."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lieapp.gui.runs.playback import REPLAY_SECONDS, SPEEDS, Playback

ticks = st.floats(min_value=0.001, max_value=0.25)


@given(frames=st.integers(2, 5000), seconds=ticks, speed=st.sampled_from([s for s in SPEEDS.values() if s < math.inf]))
def test_a_replay_lasts_as_long_as_promised(frames: int, seconds: float, speed: float) -> None:
    playback = Playback()
    playback.speed = speed
    playback.start()
    elapsed = 0.0
    while playback.playing:
        playback.advance(seconds, frames, growing=False)
        elapsed += seconds
    assert playback.frame == frames - 1
    assert REPLAY_SECONDS / speed - 1e-6 <= elapsed <= REPLAY_SECONDS / speed + 2 * seconds


@given(growth=st.lists(st.integers(0, 200), min_size=1, max_size=60), seconds=ticks)
def test_a_growing_replay_goes_forward_and_never_beyond_what_is_recorded(growth: list[int], seconds: float) -> None:
    playback = Playback()
    playback.start()
    frames, before = 0, 0
    for more in growth:
        frames += more
        shown = playback.advance(seconds, frames, growing=True)
        assert shown == -1 if frames == 0 else before <= shown <= frames - 1
        assert playback.playing  # more may come
        before = max(shown, 0)


def test_instant_shows_the_latest_frame_at_once() -> None:
    playback = Playback()
    playback.speed = math.inf
    playback.start()
    assert playback.advance(0.01, 500, growing=True) == 499
    assert playback.advance(0.01, 900, growing=False) == 899
    assert not playback.playing


def test_holding_stays_and_following_jumps() -> None:
    playback = Playback()
    playback.start()
    playback.hold(7)
    assert playback.advance(1.0, 100, growing=True) == 7
    playback.follow(100)
    assert playback.advance(0.0, 120, growing=True) == 119
    assert playback.advance(0.0, 500, growing=True) == 499  # with the latest, however fast it goes


def test_a_held_frame_that_is_gone_becomes_the_last() -> None:
    playback = Playback()
    playback.hold(50)
    assert playback.advance(0.1, 10, growing=False) == 9
