"""How a run ended, in a word for programs and a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from lieapp.engine.errors import EngineError

__all__ = ["OUTCOME_KINDS", "Outcome", "OutcomeKind"]

OutcomeKind = Literal["converged", "limit", "diverged", "cancelled", "failed"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)

_EXIT_STATUS: dict[str, int] = {"converged": 0, "limit": 0, "diverged": 1, "failed": 1, "cancelled": 130}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    kind : {"converged", "limit", "diverged", "cancelled", "failed"}
    message : str
        One or more full sentences for people, such as "Diverged at evaluation 12: step too large."
    details : str
        What helps whoever looks into a failure (a traceback); empty otherwise.
    """

    kind: OutcomeKind
    message: str
    details: str = ""

    def __post_init__(self) -> None:
        if self.kind not in OUTCOME_KINDS:
            raise EngineError(f"Unknown outcome {self.kind!r}: expected one of {', '.join(OUTCOME_KINDS)}")

    @property
    def succeeded(self) -> bool:
        """Whether the run did what it was asked to: it converged or used its budget."""
        return self.kind in ("converged", "limit")

    @property
    def exit_status(self) -> int:
        """Exit status of a command whose run ended so: 0, 1 (diverged, failed) or 130 (cancelled)."""
        return _EXIT_STATUS[self.kind]

    def to_dict(self) -> dict[str, str]:
        """Return the outcome as plain values for JSON."""
        return {"kind": self.kind, "message": self.message, "details": self.details}

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> "Outcome":
        """Return the outcome that `to_dict` described.

        Raises
        ------
        EngineError
            If a key is missing or the kind is unknown.
        """
        try:
            return cls(values["kind"], values["message"], values.get("details", ""))  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"Not an outcome: {values!r}") from error
