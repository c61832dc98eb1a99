"""Check that a file is there as a whole or not at all, whatever happens while it is written."""

from pathlib import Path

import pytest

from lieapp.engine.errors import EngineError
from lieapp.engine.whole_file import written_whole


def test_it_takes_its_place_when_everything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with written_whole(path) as temporary:
        temporary.write_text("after")
        assert path.read_text() == "before" and temporary.parent == tmp_path
    assert path.read_text() == "after" and [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("raised", "seen"), [(OSError(28, "No space left"), EngineError), (ValueError("x"), ValueError)]
)
def test_what_was_there_stays_when_it_fails(tmp_path: Path, raised: Exception, seen: type[Exception]) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(seen, match="No space left" if seen is EngineError else "x"), written_whole(path) as temporary:
        temporary.write_text("half")
        raise raised
    assert path.read_text() == "before" and [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(EngineError, match=r"Cannot write .*nowhere"), written_whole(path) as temporary:
        temporary.write_text("")
