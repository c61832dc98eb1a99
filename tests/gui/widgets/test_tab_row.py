"""Rows of tabs: pages are made when they are first shown, and words are never cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLabel, QLayout, QWidget

from lieapp.gui.widgets.tab_row import TabPages
from lieapp.gui.widgets.theme import theme

TITLES = ("Progress", "Growth", "Basins", "Sweep", "Spectrum")


@pytest.fixture
def made() -> list[str]:
    """Titles of the pages that were made, in order."""
    return []


@pytest.fixture
def pages(qtbot, made: list[str]) -> TabPages:
    found = TabPages("Plots")
    qtbot.addWidget(found)

    def maker(title: str) -> QWidget:
        made.append(title)
        return QLabel(title)

    for title in TITLES:
        found.add(title, title, lambda title=title: maker(title))
    return found


def test_pages_are_made_once_when_they_are_shown(pages: TabPages, made: list[str]) -> None:
    told: list[QWidget] = []
    pages.page_made.connect(told.append)
    assert made == []
    for _ in range(2):
        pages.row._group.button(3).click()
        page = pages.stack.currentWidget()
        assert isinstance(page, QLabel)
        assert page.text() == "Sweep"
    assert made == ["Sweep"]
    assert told == [page]
    pages.make_pages()
    assert sorted(made) == sorted(TITLES)
    assert [pages.stack.widget(place).text() for place in range(5)] == list(TITLES)  # type: ignore[attr-defined]


def test_tabs_go_on_in_a_second_row_where_words_would_be_cut(pages: TabPages) -> None:
    buttons = pages.row._group.buttons()
    # A column of a splitter may be narrower than its words.
    pages.layout().setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
    pages.resize(900, 300)
    pages.show()
    assert len({button.y() for button in buttons}) == 1
    words = sum(button.fontMetrics().horizontalAdvance(button.text()) for button in buttons)
    pages.resize(round(0.8 * words), 300)
    pages.layout().activate()
    assert len({button.y() for button in buttons}) == 2
    pages.resize(900, 300)
    pages.layout().activate()
    assert len({button.y() for button in buttons}) == 1


@pytest.fixture(params=["styled", "bare"])
def style(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[None]:
    """The program's style, or none."""
    theme().set_mode("light")
    sheet = qapp.styleSheet()
    if request.param == "bare":
        qapp.setStyleSheet("")
    yield
    qapp.setStyleSheet(sheet)


@pytest.mark.usefixtures("style")
def test_few_tabs_share_a_narrow_column_by_their_words(qtbot) -> None:
    pages = TabPages("Views")
    qtbot.addWidget(pages)
    for title in ("Maps", "A long title", "Images", "Fourier"):
        pages.add(title, title, QLabel(title))
    pages.layout().setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
    buttons = pages.row._group.buttons()
    words = sum(button.fontMetrics().horizontalAdvance(button.text()) for button in buttons)
    width = words + 60
    assert width < 4 * max(button.sizeHint().width() for button in buttons)
    pages.resize(width, 300)
    pages.show()
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    assert len({button.y() for button in buttons}) == 1
    for button in buttons:
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()), button.text()
