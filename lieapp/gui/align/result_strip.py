"""The result, always in the same place: all pairs, the core, both TM-scores, the rotation."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

__all__ = ["ResultStrip", "StripContent"]

# Two RMSDs that agree this well are the same answer; the line then says so.
_SAME_RMSD_ANGSTROM = 1e-4
_SAME_SCORE = 5e-7
_SPACING = 12
_MARGIN = 12
_NARROWEST = 400


@dataclass(frozen=True)
class StripContent:
    """The numbers of one pose.

    Attributes
    ----------
    rmsd, kabsch_rmsd : float
        RMSD over the reported pairs at this pose, and the smallest possible one, in Å.
    pairs : int
    core_rmsd, core_cutoff : float
        RMSD of the pruned core at its own best fit, and the cut-off of the pruning, in Å.
    core_pairs : int
    tm_mobile, tm_target : float
        TM-scores at this pose, normalised by the length of the mobile and of the target.
    mobile_length, target_length : int
    angle_degrees : float
    evaluations : float or None
        Cost of the pose; None for a pose that no run computed.
    pose : str
        Which pose this is, such as ``"best pose"`` or ``"pose at step 34"``.
    total_pairs : int or None
        All pairs, of which `pairs` are reported; None if they are the same.
    """

    rmsd: float
    kabsch_rmsd: float
    pairs: int
    core_rmsd: float
    core_cutoff: float
    core_pairs: int
    tm_mobile: float
    tm_target: float
    mobile_length: int
    target_length: int
    angle_degrees: float
    evaluations: float | None
    pose: str
    total_pairs: int | None = None


class _Figure(QWidget):
    """A large number over a small line that says what it is, and shorter lines for narrow windows."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.number = QLabel("–")
        self.number.setObjectName("figure")
        self.number.setAccessibleName(name)
        self.caption = QLabel(" ")
        self.caption.setObjectName("caption")
        self.caption.setAccessibleName(f"{name}: what it is of")
        self._tip = tip
        self._captions: tuple[str, ...] = (" ",)
        self._widest: list[float] = []
        self._level = 0
        for label in (self.number, self.caption):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            # How wide the strip may become is decided by the strip, for all figures together.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.number)
        layout.addWidget(self.caption)

    @property
    def levels(self) -> int:
        """How many captions there are, from the longest to the shortest."""
        return len(self._captions)

    def set_text(self, number: str, *captions: str) -> None:
        """Set a number and its captions, longest first; the first is always in the tooltip."""
        self.number.setText(number)
        if len(captions) != len(self._captions):
            self.forget_widths()
        self._captions = captions
        for label in (self.number, self.caption):
            label.setToolTip(f"{captions[0]}\n{self._tip}")

    def forget_widths(self) -> None:
        """Give back the room that earlier texts needed."""
        self._widest = []

    def width_at(self, level: int) -> float:
        """Return the width that the figure needs with one of its captions.

        A replay writes 30 captions a second. What was once needed is kept, so that the figures stay where they are.
        """
        for label in (self.number, self.caption):
            label.ensurePolished()
        if len(self._widest) != self.levels:
            self._widest = [0.0] * self.levels
        metrics = QFontMetricsF(self.caption.font())
        number = QFontMetricsF(self.number.font()).horizontalAdvance(self.number.text())
        needed = max(number, metrics.horizontalAdvance(self._captions[level])) + 2.0
        self._widest[level] = max(self._widest[level], needed)
        return self._widest[level]

    def show_level(self, level: int) -> None:
        """Show one of the captions."""
        self._level = level
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        text = self._captions[min(self._level, self.levels - 1)]
        metrics = QFontMetricsF(self.caption.font())
        self.caption.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(self.width(), 20)))


class ResultStrip(QFrame):
    """Three lines that never go away, and the button that fits the core.

    Signals
    -------
    fit_core_clicked()
    """

    fit_core_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Result")
        self.rmsd = _Figure("RMSD of all pairs", "Root mean square distance of the reported pairs at the pose shown.")
        self.core = _Figure(
            "RMSD of the core",
            "The pairs that remain when the farthest are pruned and the rest refitted until all are below the cut-off.",
        )
        self.tm = _Figure(
            "TM-scores",
            "TM-score at the pose shown, normalised by the length of the mobile | of the target: 1 is identical, "
            "below 0.17 is what unrelated structures give.",
        )
        self.rotation = _Figure("Rotation", "Rotation angle of the transform, and what the pose cost.")
        self.fit_core = QPushButton("Fit core")
        self.fit_core.setToolTip("Maximise the TM-score from the pose shown: the parts that agree then lie together")
        self.fit_core.setEnabled(False)
        self.fit_core.clicked.connect(self.fit_core_clicked)
        self._figures = (self.rmsd, self.core, self.tm, self.rotation)
        self._shape: tuple[int, ...] = ()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_MARGIN, 6, _MARGIN, 6)
        layout.setSpacing(_SPACING)
        # The strip decides itself how narrow it may be, see `minimumSizeHint`.
        layout.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        for widget in (self.rmsd, self.core, self.fit_core, self.tm, self.rotation):
            layout.addWidget(widget, 0 if widget is self.fit_core else 1)

    def clear(self, reason: str = "") -> None:
        """Show that there is no result, and why."""
        self.rmsd.set_text("–", reason or "no pairs")
        for figure in (self.core, self.tm, self.rotation):
            figure.set_text("–", " ")
        self.fit_core.setEnabled(False)
        self._arrange()

    def show_scores(self, content: StripContent) -> None:
        """Show the numbers of a pose."""
        pairs, mobile, target = content.pairs, content.mobile_length, content.target_length
        if self._shape != (pairs, mobile, target):
            self._shape = (pairs, mobile, target)
            self._forget_widths()
        # Where other pairs drive the fit than are reported, Kabsch's pose need not have the least RMSD.
        if abs(content.rmsd - content.kabsch_rmsd) < _SAME_RMSD_ANGSTROM:
            against = ("equals Kabsch", "= Kabsch")
        else:
            against = (f"Kabsch {content.kabsch_rmsd:.2f} Å", f"Kabsch {content.kabsch_rmsd:.2f}")
        total = content.total_pairs
        reported = f"all {pairs} pairs" if total is None or total == pairs else f"{pairs} of {total} pairs"
        self.rmsd.set_text(
            f"{content.rmsd:.2f} Å",
            f"{reported}, {against[0]}",
            f"{pairs} pairs, {against[1]}",
            against[1],
        )
        if content.core_pairs:
            self.core.set_text(
                f"{content.core_rmsd:.2f} Å",
                f"core, {content.core_pairs} pairs below {content.core_cutoff:g} Å",
                f"core, {content.core_pairs} pairs < {content.core_cutoff:g} Å",
                f"core, {content.core_pairs} pairs",
                "core",
            )
        else:
            self.core.set_text("–", f"no core below {content.core_cutoff:g} Å", "no core")
        if mobile == target and abs(content.tm_mobile - content.tm_target) < _SAME_SCORE:
            scores = f"{content.tm_mobile:.3f}"
            lengths = (f"TM-score, both lengths {mobile}", f"TM-score, length {mobile}", "TM-score")
        else:
            scores = f"{content.tm_mobile:.3f} | {content.tm_target:.3f}"
            lengths = (f"TM-scores, lengths {mobile} | {target}", f"TM, lengths {mobile} | {target}", "TM-scores")
        self.tm.set_text(scores, *lengths)
        cost = "" if content.evaluations is None else f", {content.evaluations:.10g} evaluations"
        self.rotation.set_text(
            f"{content.angle_degrees:.1f}°",
            f"rotation, {content.pose}{cost}",
            f"rotation, {content.pose}",
            content.pose,
        )
        self.fit_core.setEnabled(True)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        needed = sum(figure.width_at(0) for figure in self._figures)
        return QSize(round(needed) + self._fixed_width(len(self._figures)), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # Events come already while the base class is being made.
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "_shape"):
            self._forget_widths()
            self._arrange()

    def _forget_widths(self) -> None:
        for figure in self._figures:
            figure.forget_widths()

    def _fixed_width(self, figures: int) -> int:
        return 2 * _MARGIN + self.fit_core.sizeHint().width() + figures * _SPACING

    def _arrange(self) -> None:
        """Shorten captions until all fit, from the right; drop the rotation, then the button, if nothing else helps."""
        figures = list(self._figures)
        while True:
            levels = _levels(figures, self.width() - self._fixed_width(len(figures)))
            if levels is not None or len(figures) == 3:
                break
            figures.pop()
        self.rotation.setVisible(len(figures) == 4)
        # It is in the Run menu as well; numbers are nowhere else.
        self.fit_core.setVisible(levels is not None)
        for figure, level in zip(figures, levels or [figure.levels - 1 for figure in figures], strict=True):
            figure.show_level(level)
            # Where not even the shortest captions fit, the numbers do: those are never cut.
            figure.setMinimumWidth(round(figure.width_at(level) if levels else figure.number.sizeHint().width()))


def _levels(figures: list[_Figure], room: float) -> list[int] | None:
    """Return which caption each figure shows so that all fit into the room, or None if they cannot."""
    levels = [0] * len(figures)
    while True:
        widths = [figure.width_at(level) for figure, level in zip(figures, levels, strict=True)]
        if sum(widths) <= room:
            return levels
        shorter = [k for k, figure in enumerate(figures) if levels[k] + 1 < figure.levels]
        if not shorter:
            return None
        # All keep pace, and the first figures keep their words longest.
        best = min(shorter, key=lambda k: (levels[k], -k))
        levels[best] += 1
