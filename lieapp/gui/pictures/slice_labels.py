"""Where the labels of the marks on a slice go, so that none covers another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF

from lieapp.gui.pictures.slice_items import MarkItem, Side

__all__ = ["arrange_labels"]

_SIDES: tuple[Side, ...] = ("right", "left", "above", "below")
_COVERED = 0.12
"""Share of a label that may lie under others; a label that is covered more is left out, its tooltip stays."""


def arrange_labels(items: Sequence[MarkItem], place: Callable[[QPointF], QPointF], area: QRectF) -> None:
    """Choose the sides of labels: the side that an item prefers where there is room, else another one.

    Parameters
    ----------
    items : sequence of MarkItem
        The most important first: those behind it give way.
    place : callable(QPointF) -> QPointF
        From the coordinates of the items to pixels.
    area : QRectF
        Where labels are seen, in pixels.
    """
    seen = [item for item in items if item.isVisible()]
    places = [place(item.pos()) for item in seen]
    discs = [item.disc_rect().translated(at) for item, at in zip(seen, places, strict=True)]
    taken: list[QRectF] = []
    for number, (item, at) in enumerate(zip(seen, places, strict=True)):
        if not item.label:
            continue
        # A disc is small, and its sign would be gone at once.
        others = [*taken, *4 * [disc for other, disc in enumerate(discs) if other != number]]
        best, least = None, _COVERED
        for side in dict.fromkeys((item.preferred_side, *_SIDES)):
            box = item.label_rect(side).translated(at)
            covered = (_area(box) - _area(box & area) + sum(_area(box & other) for other in others)) / _area(box)
            if covered < least:
                best, least = side, covered
            if covered == 0.0:
                break
        item.show_label(best)
        if best is not None:
            taken.append(item.label_rect(best).translated(at))


def _area(box: QRectF) -> float:
    return max(box.width(), 0.0) * max(box.height(), 0.0)
