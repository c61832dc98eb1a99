"""The pages of help, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PROJECT

PAGES = [*sorted((PROJECT / "resources" / "help").glob("*.md")), PROJECT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_of_prose_are_at_most_120_letters(page: Path) -> None:
    fenced, long = False, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= line.startswith("```")
        if len(line) > 120 and not fenced and not line.startswith("|"):
            long.append(number)
    assert long == []
