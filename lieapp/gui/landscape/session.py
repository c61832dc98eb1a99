"""What the Landscape workbench knows, without Qt: the choices, the runs, the entrants of a race."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lieapp.engine.metric import Metric
from lieapp.gui.runs.scene_session import SceneSession
from lieapp.gui.runs.session import Entry, optimizer_choice, override_words
from lieapp.optimizers.names import title_of

if TYPE_CHECKING:
    from lieapp.engine.presets import Preset
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["EVALUATIONS", "LandscapeChoices", "LandscapeSession", "Scene", "evaluations_for", "scene_of"]

EVALUATIONS = 300.0
"""Budget of a run unless the landscape has a reason for another one."""

_BUDGETS = {
    "muller-brown": 1000.0,
    "rosenbrock": 3000.0,
    "flat-saddle": 1000.0,
    "monkey-saddle": 600.0,
    "strict-saddle-100": 600.0,
    "deep-linear": 1000.0,
}
"""Landscapes on which nothing would be seen within `EVALUATIONS`."""

Scene = tuple[str, str | None, tuple[tuple[float, float], tuple[float, float]] | None, str | None]
"""What decides which loss it is: landscape, formula, domain, text."""


def evaluations_for(landscape: str) -> float:
    """Return the budget of a run on a landscape unless the user wants another one."""
    return _BUDGETS.get(landscape, EVALUATIONS)


def scene_of(job: LandscapeJob) -> Scene:
    """Return what decides which loss a job works on; runs of one scene may be drawn on one picture."""
    return job.landscape, job.formula, job.domain, job.text


@dataclass(frozen=True)
class LandscapeChoices:
    """What the left panel holds; names as in `LandscapeJob`.

    Attributes
    ----------
    formula : str
        The last one that could be read; used where the landscape is "formula".
    start : tuple of float or None
        None for the landscape's own.
    offset : float or None
        Distance of random starts from a saddle; None for the landscape's own.
    evaluations : float or None
        Budget of a run, and of each entrant of a race; None for the landscape's own.
    """

    landscape: str = "saddle"
    formula: str = "x^2 - y^2 + y^4"
    start: tuple[float, ...] | None = None
    offset: float | None = None
    text: str | None = None
    optimizer: str = "deo"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    evaluations: float | None = None
    seed: int = 0

    @property
    def budget(self) -> float:
        """Evaluations of a run."""
        return evaluations_for(self.landscape) if self.evaluations is None else self.evaluations

    @property
    def scene(self) -> Scene:
        """What decides which loss the next run works on."""
        formula = self.formula if self.landscape == "formula" else None
        text = self.text if self.landscape.startswith("transformer") else None
        return self.landscape, formula, None, text


class LandscapeSession(SceneSession):
    """State of the workbench. Entrants are optimisers: they race on whatever landscape is chosen, from its start."""

    def __init__(self) -> None:
        super().__init__()
        self.choices: LandscapeChoices = LandscapeChoices()
        self.take_preset(_opening_preset())

    # -- jobs -----------------------------------------------------------------------------------------------------

    def job(self, **changes: Any) -> LandscapeJob:
        """Return the job that the choices describe, with some of them changed.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """
        from lieapp.engine.limits import Limits
        from lieapp.landscapes.catalog import LANDSCAPES
        from lieapp.landscapes.spec import LandscapeJob, is_network

        choices = replace(self.choices, **changes)
        name = choices.landscape
        default = LandscapeJob.model_fields["limits"].get_default(call_default_factory=True)
        assert isinstance(default, Limits)
        # Every step costs an evaluation at least.
        steps = max(default.steps, int(choices.budget))
        return LandscapeJob(
            landscape=name,
            formula=choices.formula if name == "formula" else None,
            start=choices.start,
            offset=choices.offset if choices.start is None and LANDSCAPES[name].starts_beside_saddle else None,
            text=choices.text if is_network(name) else None,
            seed=choices.seed,
            optimizer=optimizer_choice(choices.optimizer, choices.overrides),
            limits=default.model_copy(update={"evaluations": choices.budget, "steps": steps}),
        )

    def race_entries(self) -> list[Entry]:
        """Return the entrants as they race now: on the chosen landscape, from its start, with the chosen seed.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """
        return [
            Entry(
                entrant.name,
                self.job(optimizer=entrant.job.optimizer.name, overrides=dict(entrant.job.optimizer.overrides)),
            )
            for entrant in self.entrants
        ]

    def take_preset(self, preset: Preset) -> None:
        """Take over the landscape, the start and the entrants of a prepared race."""
        base = replace(self.choices, start=None, offset=None, evaluations=None)
        known = {name: value for name, value in preset.changes.items() if name in LandscapeChoices.__dataclass_fields__}
        self.choices = replace(base, **{**known, "evaluations": _budget_or_none(preset, known)})
        self.entrants = [
            Entry(entrant.name, self.job(optimizer=entrant.optimizer, overrides=dict(entrant.overrides)))
            for entrant in preset.entrants
        ]

    # -- runs -----------------------------------------------------------------------------------------------------

    def title_of(self, job: LandscapeJob) -> str:
        """Return the optimiser and whatever was set by hand."""
        overrides = dict(job.optimizer.overrides)
        words = title_of(job.optimizer.name)
        if "mode" in overrides:
            words += f" {overrides.pop('mode')}"
        return ", ".join([words, *override_words(overrides)])

    def metric_of(self, job: LandscapeJob) -> Metric:
        """Runs are compared by their loss."""
        return Metric("loss", "", "linear")

    def scene(self) -> Scene:
        return self.choices.scene

    def scene_of(self, job: LandscapeJob) -> Scene:
        return scene_of(job)

    def budget(self) -> float:
        return self.choices.budget

    def choices_of(self, job: LandscapeJob) -> LandscapeChoices:
        """Return the choices that a job was made with."""
        evaluations = job.limits.evaluations
        return LandscapeChoices(
            landscape=job.landscape,
            formula=job.formula or self.choices.formula,
            start=job.start,
            offset=job.offset,
            text=job.text,
            optimizer=job.optimizer.name,
            overrides=dict(job.optimizer.overrides),
            evaluations=None if evaluations == evaluations_for(job.landscape) else evaluations,
            seed=job.seed,
        )


def _budget_or_none(preset: Preset, changes: Mapping[str, Any]) -> float | None:
    usual = evaluations_for(str(changes.get("landscape", "saddle")))
    return None if preset.evaluations == usual else preset.evaluations


def _opening_preset() -> Preset:
    from lieapp.landscapes.spec import PRESETS

    return PRESETS[0]
