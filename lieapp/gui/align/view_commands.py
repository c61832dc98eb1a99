"""What the View menu does to the 3-D view: styles, colours, camera, extras. Most of it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lieapp.gui.align.workbench import AlignWorkbench
from lieapp.gui.application.actions import ActionSet, color_action
from lieapp.gui.application.preferences import Preferences
from lieapp.scene.coloring import COLOR_SCHEMES
from lieapp.scene.geometry import STYLES, Style

__all__ = ["AXES", "ViewCommands"]

AXES = ("x", "y", "z")


class ViewCommands:
    """Handlers of the actions that change the 3-D view.

    Parameters
    ----------
    preferences : Preferences
    workbench : callable() -> AlignWorkbench
        The workbench; it is made after its actions.
    """

    def __init__(self, preferences: Preferences, workbench: Callable[[], AlignWorkbench]) -> None:
        self._preferences = preferences
        self._workbench = workbench

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the handlers by the ids of their actions."""
        handlers: dict[str, Callable[..., object]] = {
            "perspective": self._set_perspective,
            "smooth_camera": self._set_smooth,
            "pair_lines": lambda on: self._workbench().view.set_pair_lines(on),
            "ghosts": partial(self._set_view, "show_ghosts"),
            "screw_axis": partial(self._set_view, "show_screw_axis"),
        }
        for style in STYLES:
            handlers[f"style_{style}"] = partial(self._set_style, style)
        for scheme in COLOR_SCHEMES:
            handlers[color_action(scheme)] = partial(self._set_scheme, scheme)
        for axis in AXES:
            handlers[f"look_{axis}"] = lambda axis=axis: self._workbench().viewer.look_along(axis)
        return handlers

    def restore(self, actions: ActionSet) -> None:
        """Show what was remembered, and tick the actions that say so."""
        preferences, workbench = self._preferences, self._workbench()
        style = _known(preferences.text("style"), STYLES)
        scheme = _known(preferences.text("color_scheme"), tuple(COLOR_SCHEMES))
        perspective = preferences.flag("perspective")
        smooth = preferences.flag("smooth_camera", True)
        workbench.view.set_style(style)
        workbench.view.color_scheme = scheme
        workbench.viewer.motion.smooth = smooth
        if perspective:
            workbench.viewer.set_perspective(True)
        for identifier, on in (
            (f"style_{style}", True),
            (color_action(scheme), True),
            ("perspective", perspective),
            ("smooth_camera", smooth),
            ("ghosts", workbench.view.show_ghosts),
        ):
            actions.set_checked(identifier, on)

    # -- handlers -------------------------------------------------------------------------------------------------

    def _set_style(self, style: Style, on: bool) -> None:
        # Of an exclusive group the action that is switched off reports as well.
        if on:
            self._preferences.set_text("style", style)
            self._workbench().view.set_style(style)

    def _set_scheme(self, scheme: str, on: bool) -> None:
        if on:
            self._preferences.set_text("color_scheme", scheme)
            self._set_view("color_scheme", scheme)

    def _set_perspective(self, on: bool) -> None:
        self._preferences.set_flag("perspective", on)
        self._workbench().viewer.set_perspective(on)

    def _set_smooth(self, on: bool) -> None:
        self._preferences.set_flag("smooth_camera", on)
        self._workbench().viewer.motion.smooth = on

    def _set_view(self, name: str, value: object) -> None:
        view = self._workbench().view
        setattr(view, name, value)
        view.refresh()


def _known(word: str, words: tuple[Style, ...] | tuple[str, ...]) -> Style:
    return word if word in words else words[0]  # type: ignore[return-value]
