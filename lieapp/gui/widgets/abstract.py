"""Qt objects with methods that every kind of them has to give: what lacks one is refused when it is made."""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

__all__ = ["AbstractQt"]

if TYPE_CHECKING:
    _QtType = type
else:
    _QtType = type(QObject)


class AbstractQt(ABCMeta, _QtType):
    """Metaclass of Qt classes with methods that are marked by `abc.abstractmethod`."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # `object.__new__` refuses abstract classes, but Qt's objects are not made by it.
        missing = sorted(cls.__abstractmethods__)
        if missing:
            raise TypeError(f"{cls.__name__} does not define {', '.join(missing)}")
        return super().__call__(*args, **kwargs)
