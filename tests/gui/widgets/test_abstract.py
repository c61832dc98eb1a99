"""Check that what lacks a method is refused when it is made, not when the method is called."""

from __future__ import annotations

from abc import abstractmethod

import pytest
from PySide6.QtCore import QObject

from lieapp.gui.align.controller import AlignController
from lieapp.gui.align.panel import AlignPanel
from lieapp.gui.align.workbench import AlignWorkbench
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.panel import CryoemPanel
from lieapp.gui.cryoem.workbench import CryoemWorkbench
from lieapp.gui.landscape.controller import LandscapeController
from lieapp.gui.landscape.panel import LandscapePanel
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.widgets.abstract import AbstractQt

KINDS = (
    *(AlignController, LandscapeController, CryoemController),
    *(AlignPanel, LandscapePanel, CryoemPanel),
    *(AlignWorkbench, LandscapeWorkbench, CryoemWorkbench),
)


class Shape(QObject, metaclass=AbstractQt):
    @abstractmethod
    def area(self) -> float:
        """Return it."""


class Square(Shape):
    def __init__(self, edge: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.edge = edge

    def area(self) -> float:
        return self.edge**2


class Line(Shape):
    pass


def test_what_lacks_a_method_cannot_be_made() -> None:
    assert Square(2.0).area() == 4.0
    for kind in (Shape, Line):
        with pytest.raises(TypeError, match=f"{kind.__name__} does not define area"):
            kind()


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_workbenches_give_all_that_they_must(kind: AbstractQt) -> None:
    assert not kind.__abstractmethods__
