"""The bar at the bottom: its left part computes, its right part replays what was recorded."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QSlider, QToolButton, QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.runs.playback import SPEEDS
from lieapp.gui.widgets.action_button import ActionButton
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.quiet_label import QuietLabel

__all__ = ["RunBar"]

_SPEED_WIDTH, _SPEED_ROOM = 84, 44  # pixels: at least, and beside the words


class RunBar(QFrame):
    """Run, step, stop; first, previous, play, next, last; scrub; speed; where one is.

    Parameters
    ----------
    actions : ActionSet
    main : str
        What the first button does while nothing runs.
    start_words : str
        What is shown while no run is.

    Signals
    -------
    scrubbed(int)
        The user moved the time bar to this frame.
    speed_chosen(float)
    """

    scrubbed = Signal(int)
    speed_chosen = Signal(float)

    def __init__(
        self, actions: ActionSet, main: str = "Run", start_words: str = "start", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._main, self._start_words = main, start_words
        self.setObjectName("card")
        self.setAccessibleName("Run and replay")
        self._actions = actions
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        self.run_button = self._button(actions["align"], 20)
        for button in (self.run_button, self._button(actions["step"], 20), self._button(actions["stop"], 18)):
            layout.addWidget(button)
        layout.addSpacing(4)
        line = QFrame()
        line.setObjectName("line")
        layout.addWidget(line)
        layout.addSpacing(4)
        self.play_button = self._button(actions["replay"], 18)
        for identifier in ("frame_first", "frame_previous", "replay", "frame_next", "frame_last"):
            layout.addWidget(self.play_button if identifier == "replay" else self._button(actions[identifier], 18))
        layout.addSpacing(4)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Frame shown")
        self.slider.setToolTip("Drag through the recorded frames of the run (comma and full stop step)")
        self.slider.setMinimumWidth(96)
        self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.slider.valueChanged.connect(self.scrubbed)
        # Taking hold of the handle holds the replay, before it is moved.
        self.slider.sliderPressed.connect(lambda: self.scrubbed.emit(self.slider.value()))
        layout.addWidget(self.slider, 1)
        self.speed = QComboBox()
        self.speed.addItems(list(SPEEDS))
        self.speed.setCurrentText("1×")
        self.speed.setAccessibleName("Replay speed")
        self.speed.setToolTip("Speed of the replay; computing always runs as fast as it can")
        self.speed.currentTextChanged.connect(lambda text: self.speed_chosen.emit(SPEEDS[text]))
        self.speed.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        longest = max(self.speed.fontMetrics().horizontalAdvance(text) for text in SPEEDS)
        self.speed.setFixedWidth(max(_SPEED_WIDTH, longest + _SPEED_ROOM))
        layout.addWidget(self.speed)
        self.where = QuietLabel("no run yet")
        self.where.setAccessibleName("Where the replay is")
        usual = self.where.fontMetrics().horizontalAdvance("step 1000 of 1000 · 1000 evaluations")
        self.where.setMinimumWidth(min(usual, 240))  # large letters must leave room for the time bar
        self.where.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.where)
        self.text_buttons: dict[str, ActionButton] = {}
        for identifier in ("latest", "branch"):
            text_button = self.text_buttons[identifier] = ActionButton(actions[identifier])
            text_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            layout.addWidget(text_button)

    def show_position(self, frame: int, frames: int, evaluations: float | None, note: str = "") -> None:
        """Show which frame is shown.

        Parameters
        ----------
        frame, frames : int
            The frame, from 0, and how many there are.
        evaluations : float or None
            Cost of arriving there.
        note : str, optional
            Such as ``"best"``.
        """
        self.slider.blockSignals(True)
        self.slider.setEnabled(frames > 1)
        self.slider.setRange(0, max(frames - 1, 0))
        self.slider.setPageStep(max(frames // 10, 1))
        self.slider.setValue(max(frame, 0))
        self.slider.blockSignals(False)
        if frames == 0:
            self.where.short = ""
            self.where.setText(self._start_words)
            return
        text = f"step {frame} of {frames - 1}"
        self.where.short = f"{frame} / {frames - 1}" + (f" · {evaluations:.10g}" if evaluations is not None else "")
        if evaluations is not None:
            text += f" · {evaluations:.10g} evaluations" if evaluations != 1 else " · 1 evaluation"
        if note:
            text += f" · {note}"
        self.where.setText(text)

    def show_running(self, *, running: bool, paused: bool, playing: bool) -> None:
        """Show what the buttons do now: the first one runs, pauses or goes on."""
        action = self._actions["pause"] if running else self._actions["align"]
        if self.run_button.defaultAction() is not action:
            old = self.run_button.defaultAction()
            self.run_button.removeAction(old)
            self.run_button.setDefaultAction(action)
        self.run_button.setAccessibleName("Pause" if running else self._main)
        held = running and paused
        set_icon(self._actions["pause"], "play" if held else "pause", filled=held)
        self.run_button.setAccessibleName("Go on" if held else self.run_button.accessibleName())
        self.run_button.setToolTip("Go on" if running and paused else action.toolTip())
        self.play_button.setAccessibleName("Hold the replay" if playing else "Replay")

    @staticmethod
    def _button(action: QAction, size: int) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setIconSize(QSize(size, size))
        button.setAccessibleName(action.iconText())
        button.setAutoRaise(True)
        button.setFixedSize(32, 32)
        # A click must not take the keyboard away: Space pauses, and does not press this button again.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button
