"""Styles, colours and camera from the View menu, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lieapp.gui.application.actions import ACTIONS, color_action
from lieapp.gui.application.messages import MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.window.main_window import MainWindow
from lieapp.scene.coloring import COLOR_SCHEMES, residue_colors
from lieapp.scene.geometry import STYLES

Finish = Callable[[MainWindow], None]


def colors(window: MainWindow, slot: str = "mobile") -> np.ndarray:
    return window.workbench.viewer.scene._bodies[slot].colors.copy()  # type: ignore[index]


def test_every_style_and_every_scheme_has_an_action() -> None:
    assert {f"style_{style}" for style in STYLES} == {name for name in ACTIONS if name.startswith("style_")}
    assert {color_action(name) for name in COLOR_SCHEMES} == {name for name in ACTIONS if name.startswith("color_")}


def test_the_ribbon_is_the_default_and_the_choice_is_remembered(
    paired: MainWindow, message_center: MessageCenter, qtbot
) -> None:
    scene = paired.workbench.viewer.scene
    assert scene.style == "ribbon" and paired.actions_["style_ribbon"].isChecked()
    for style in STYLES[1:]:
        paired.actions_[f"style_{style}"].trigger()
        assert scene.style == style and scene.style_of("target") == style
    for identifier in ("color_chain", "perspective", "smooth_camera"):
        paired.actions_[identifier].trigger()
    paired.preferences.save()
    again = MainWindow(message_center, Preferences(paired.preferences.path))
    assert again.workbench.viewer.scene.style == STYLES[-1]
    assert again.actions_[f"style_{STYLES[-1]}"].isChecked() and again.actions_["color_chain"].isChecked()
    assert again.workbench.viewer.perspective and not again.workbench.viewer.motion.smooth
    assert again.workbench.view.color_scheme == "chain"
    again.close()
    again.deleteLater()


@pytest.mark.parametrize("scheme", [name for name in COLOR_SCHEMES if name not in ("deviation", "uniform")])
def test_schemes_colour_both_structures_and_stay_while_scrubbing(paired: MainWindow, scheme: str) -> None:
    inputs = paired.controller.inputs
    assert inputs is not None
    paired.actions_[color_action(scheme)].trigger()
    assert np.array_equal(colors(paired), residue_colors(inputs.mobile, scheme))
    assert np.array_equal(colors(paired, "target"), residue_colors(inputs.target, scheme))
    assert paired.workbench.viewer.key.isVisible()


def test_schemes_colour_a_structure_without_a_partner(window: MainWindow, hinge: tuple[Path, Path], qtbot) -> None:
    window.actions_["color_chain"].trigger()
    window.controller.desk.open_files([str(hinge[0])])
    scene = window.workbench.viewer.scene
    qtbot.waitUntil(lambda: scene.structure("mobile") is not None, timeout=60_000)
    structure = scene.structure("mobile")
    for scheme in ("chain", "index"):
        window.actions_[color_action(scheme)].trigger()
        assert np.array_equal(colors(window), residue_colors(structure, scheme))
        assert window.workbench.viewer.key.isVisible()
    window.actions_["color_deviation"].trigger()
    assert len(np.unique(colors(window), axis=0)) == 1 and not window.workbench.viewer.key.isVisible()


def test_the_deviation_colours_follow_the_frame(paired: MainWindow, finish: Finish) -> None:
    before = colors(paired)
    assert not paired.workbench.viewer.key.isVisible()  # before a run it says nothing
    paired.actions_["align"].trigger()
    finish(paired)
    paired.controller.skip()
    end = colors(paired)
    assert not np.array_equal(before, end) and paired.workbench.viewer.key.isVisible()
    paired.controller.show_frame(0)
    assert not np.array_equal(colors(paired), end)
    paired.actions_["color_secondary"].trigger()
    fixed = colors(paired)
    paired.controller.show_frame(3)
    assert np.array_equal(colors(paired), fixed)
    paired.actions_["color_deviation"].trigger()
    paired.controller.show_best()
    assert np.array_equal(colors(paired), end)
    paired.actions_["color_uniform"].trigger()
    assert len(np.unique(colors(paired), axis=0)) == 1 and not paired.workbench.viewer.key.isVisible()


def test_the_screw_axis_follows_the_pose(paired: MainWindow, finish: Finish) -> None:
    scene = paired.workbench.viewer.scene
    assert scene._axis is None
    paired.actions_["screw_axis"].trigger()
    assert scene._axis is not None
    paired.actions_["align"].trigger()
    finish(paired)
    paired.controller.skip()
    end = scene._axis
    paired.controller.show_frame(1)
    assert scene._axis is not None and scene._axis is not end
    paired.actions_["screw_axis"].trigger()
    assert scene._axis is None


@pytest.mark.parametrize("axis", "xyz")
def test_looking_along_an_axis(paired: MainWindow, axis: str) -> None:
    viewer = paired.workbench.viewer
    viewer.motion.smooth = False
    paired.actions_[f"look_{axis}"].trigger()
    away = viewer.scene.viewpoint.rotation[2]  # the axis that points at the viewer
    expected = np.zeros(3)
    expected["xyz".index(axis)] = 1.0
    assert abs(away @ expected) == pytest.approx(1.0)


def test_one_of_a_group_is_ticked_from_the_start(paired: MainWindow) -> None:
    for word, other in (("style", "style_tube"), ("color", "color_chain"), ("theme", "theme_light")):
        group = [action for name, action in ((n, paired.actions_[n]) for n in ACTIONS) if name.startswith(f"{word}_")]
        assert sum(action.isChecked() for action in group) == 1
        paired.actions_[other].trigger()
        assert [action.objectName() for action in group if action.isChecked()] == [other]
