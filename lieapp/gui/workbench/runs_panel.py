"""Every run as a row: its line, its name, what it cost, what it reached. Nothing is lost when a setting changes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.plots.curve import readable_color, sample_pen
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.elided_label import ElidedLabel
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.marking import mark
from lieapp.gui.widgets.scrolling import scrolled
from lieapp.gui.widgets.theme import scaled
from lieapp.gui.widgets.words import with_minus

__all__ = ["RunsPanel", "Swatch", "metric_text"]


def metric_text(value: float | None, unit: str) -> str:
    """Return a gap, or a loss, for people: few digits, and nothing finer than what rounding leaves."""
    if value is None:
        return "–"
    shown = f"{value:.1e}".replace("e-0", "e-") if abs(value) < 0.01 else f"{value:.3g}"
    if abs(value) < 5e-10:
        shown = "0"
    return f"{shown} {unit}".rstrip()


# Widths of a row for letters of 12 pixels: below the first the buttons go that are in the context menu as well,
# below the second the numbers stand under the name.
_ROOMY, _TIGHT = 330, 250
_COLUMNS = ("cost", "reached", "outcome")


class Swatch(QWidget):
    """The line of a run as the plots draw it.

    Parameters
    ----------
    color : str
        ``"#RRGGBB"``.
    dash : tuple of float
    """

    def __init__(self, color: str, dash: tuple[float, ...]) -> None:
        super().__init__()
        self._color, self._dash = color, dash
        self.setFixedSize(QSize(26, 16))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = readable_color(self._color, self.palette().color(QPalette.ColorRole.Base).name())
        painter.setPen(sample_pen(color, self._dash, 2.0, self.width()))
        middle = round(self.height() / 2)
        painter.drawLine(QPoint(0, middle), QPoint(self.width(), middle))


class _Row(QFrame):
    """One run."""

    def __init__(self, panel: RunsPanel, run: RunEntry) -> None:
        super().__init__()
        self._panel, self.run = panel, run
        self._shown: tuple[object, ...] = ()
        self.setObjectName("runRow")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.name = QLabel(run.title)
        # A long name goes on below: a cut one would tell two runs apart no more.
        self.name.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.name.setSizePolicy(policy)
        self.cost, self.reached, self.outcome = QLabel(), QLabel(), ElidedLabel()
        for label in (self.cost, self.reached, self.outcome):
            label.setObjectName("caption")
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.eye = self._button("eye", "Show or hide this run", checkable=True)
        self.eye.setChecked(run.visible)
        self.pin = self._button("pin", "Keep this run when others are cleared", checkable=True)
        self.pin.setChecked(run.pinned)
        self.delete = self._button("trash-2", "Delete this run")
        self.eye.toggled.connect(lambda on: panel._set_visible(run, on))
        self.pin.toggled.connect(lambda on: panel._set_pinned(run, on))
        self.delete.clicked.connect(lambda: panel.deleted.emit(run))
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        for button in (self.eye, self.pin, self.delete):
            buttons.addWidget(button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 2, 2, 2)
        layout.setSpacing(6)
        self._middle = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(6)
        self._middle.addWidget(self.name, 1)
        numbers = QHBoxLayout()
        numbers.setSpacing(6)
        for label in (self.cost, self.reached, self.outcome):
            numbers.addWidget(label)
        numbers.addStretch(1)
        self._middle.addLayout(numbers)
        layout.addWidget(Swatch(run.color, run.dash))
        layout.addLayout(self._middle, 1)
        layout.addLayout(buttons)
        self.refresh()

    def _button(self, picture: str, tip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        set_icon(button, picture)
        button.setObjectName("row")
        button.setIconSize(QSize(14, 14))
        button.setFixedSize(20, 24)
        button.setToolTip(tip)
        button.setAccessibleName(f"{tip}: {self.run.title}")
        button.setCheckable(checkable)
        button.setAutoRaise(True)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_what_fits()

    @property
    def stacked(self) -> bool:
        """Whether the numbers stand under the name."""
        return self.width() < scaled(_TIGHT)

    def _show_what_fits(self) -> None:
        stacked = self.stacked
        directions = QBoxLayout.Direction
        direction = directions.TopToBottom if stacked else directions.LeftToRight
        if self._middle.direction() != direction:
            self._middle.setDirection(direction)
            self._middle.setSpacing(0 if stacked else 6)
        roomy = self.width() >= (_TIGHT if stacked else _ROOMY)
        self.delete.setVisible(roomy)
        self.pin.setVisible(roomy or self.run.pinned)

    def refresh(self) -> None:
        """Write what the recording holds by now."""
        run = self.run
        texts = f"{run.evaluations():.10g}", metric_text(run.metric_value(), run.metric.unit), run.outcome_text()
        shown = (*texts, run.title, run.visible, run.pinned)
        if shown == self._shown:
            return
        self._shown = shown
        # A line may end before the rate, not between its number and its unit.
        self.name.setText(run.title.replace("lr ", "lr\u00a0").replace(" Å", "\u00a0Å"))
        self.cost.setText(texts[0])
        self.reached.setText(with_minus(texts[1]))
        self.outcome.set_full_text(texts[2])
        for button, on in ((self.eye, run.visible), (self.pin, run.pinned)):
            if button.isChecked() != on:
                button.blockSignals(True)
                button.setChecked(on)
                button.blockSignals(False)
        set_icon(self.eye, "eye" if run.visible else "eye-off")
        outcome = run.recording.outcome
        message = outcome.message if outcome is not None else "Still running."
        judged = f"\nIts {run.metric.name} is that where its gradient is least, since it climbs." if run.climbs else ""
        self.setToolTip(f"{run.title}\n{message}{judged}")
        self.setAccessibleName(f"{run.title}: {texts[0]} evaluations, {run.metric.name} {texts[1]}, {texts[2]}")
        self._show_what_fits()

    def mark(self, current: bool) -> None:
        mark(self, "current", current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._panel.selected.emit(self.run)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Select):
            self._panel.selected.emit(self.run)
        elif event.key() == Qt.Key.Key_Delete:
            self._panel.deleted.emit(self.run)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._panel.menu_for(self.run).popup(event.globalPos())


class RunsPanel(QFrame):
    """The runs of a workbench, oldest first. What each reached is in the unit of its own metric.

    Parameters
    ----------
    metric : str
        Word for what runs are compared by.
    aim : str
        What the metric tells, for the line that stands here before the first run.

    Signals
    -------
    selected(RunEntry), deleted(RunEntry)
    visibility_changed(RunEntry), pinned(RunEntry)
    apply_settings(RunEntry), copy_command(RunEntry), copy_python(RunEntry)
    """

    selected = Signal(object)
    deleted = Signal(object)
    visibility_changed = Signal(object)
    pinned = Signal(object)
    apply_settings = Signal(object)
    copy_command = Signal(object)
    copy_python = Signal(object)

    def __init__(
        self, metric: str = "gap", aim: str = "its gap to the best possible answer", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Runs")
        self._rows: dict[str, _Row] = {}
        self._current: RunEntry | None = None
        self._title = title = QLabel("RUNS")
        title.setObjectName("sectionTitle")
        self.columns = QLabel(f"evaluations · {metric} · outcome")
        self.columns.setObjectName("caption")
        self.empty = QLabel(f"Every run will be listed here with its cost and {aim}.")
        self.empty.setObjectName("caption")
        self.empty.setWordWrap(True)
        inside = QWidget()
        inside.setObjectName("plain")
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._list.addWidget(self.empty)
        self._list.addStretch(1)
        self.scroll_area = scrolled(inside)
        # Its rows take the keyboard.
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setVerticalSpacing(4)
        layout.addWidget(title, 0, 0)
        layout.addWidget(self.columns, 0, 1, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.scroll_area, 1, 0, 1, 2)
        self.set_runs(())

    def set_runs(self, runs: Sequence[RunEntry], current: RunEntry | None = None) -> None:
        """List these runs."""
        keep = {run.id for run in runs}
        for identifier in [identifier for identifier in self._rows if identifier not in keep]:
            row = self._rows.pop(identifier)
            self._list.removeWidget(row)
            row.deleteLater()
        for position, run in enumerate(runs):
            if run.id not in self._rows:
                row = self._rows[run.id] = _Row(self, run)
                self._list.insertWidget(position + 1, row)
        self.empty.setVisible(not runs)
        self._show_columns()
        self.set_current(current)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_columns()
        current = self._current
        # What is in the panel has its new size already.
        if current is not None and self._was_in_sight(current, event.oldSize().height() - event.size().height()):
            QTimer.singleShot(0, self, lambda: self._bring_into_sight(current))

    def _show_columns(self) -> None:
        room = self.width() - self._title.sizeHint().width() - 32
        self.columns.setVisible(bool(self._rows) and self.columns.sizeHint().width() <= room)

    def set_current(self, run: RunEntry | None) -> None:
        """Mark the run that the scrub bar replays, and bring it into sight when it is another one."""
        if run is not self._current and run is not None and run.id in self._rows:
            # A row that has just been added has no place yet.
            QTimer.singleShot(0, self, lambda: self._bring_into_sight(run))
        self._current = run
        for row in self._rows.values():
            row.mark(row.run is run)

    def _was_in_sight(self, run: RunEntry, lost: int) -> bool:
        """Whether the row of a run was seen before the panel lost so many pixels of its height."""
        row = self._rows.get(run.id)
        if row is None:
            return False
        top = row.y() - self.scroll_area.verticalScrollBar().value()
        return top + row.height() > 0 and top + row.height() <= self.scroll_area.viewport().height() + max(lost, 0)

    def _bring_into_sight(self, run: RunEntry) -> None:
        row = self._rows.get(run.id)
        if row is not None:
            # Only up and down: names go on below where the panel is narrow.
            bar, top = self.scroll_area.verticalScrollBar(), row.y()
            bottom = top + row.height() - self.scroll_area.viewport().height()
            bar.setValue(min(max(bar.value(), bottom), top))

    def refresh(self) -> None:
        """Write what the recordings hold by now."""
        for row in self._rows.values():
            row.refresh()
        # The same widths in every row, so that the numbers stand in columns.
        for name in _COLUMNS:
            labels = [getattr(row, name) for row in self._rows.values()]
            widest = max((label.sizeHint().width() for label in labels), default=0)
            for label, row in zip(labels, self._rows.values(), strict=True):
                # Where the numbers stand under the name they may need all the room that there is.
                least = 24 if row.stacked and label is row.outcome else widest
                if label.minimumWidth() != least:
                    label.setMinimumWidth(least)

    def menu_for(self, run: RunEntry) -> QMenu:
        """Return the context menu of a row."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Apply these settings", lambda: self.apply_settings.emit(run))
        menu.addAction("Copy as command", lambda: self.copy_command.emit(run))
        menu.addAction("Copy as Python", lambda: self.copy_python.emit(run))
        menu.addSeparator()
        menu.addAction("Unpin" if run.pinned else "Pin", lambda: self._rows[run.id].pin.toggle())
        menu.addAction("Delete", lambda: self.deleted.emit(run))
        return menu

    def _set_visible(self, run: RunEntry, on: bool) -> None:
        run.visible = on
        self.refresh()
        self.visibility_changed.emit(run)

    def _set_pinned(self, run: RunEntry, on: bool) -> None:
        run.pinned = on
        self.pinned.emit(run)
