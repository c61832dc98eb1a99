"""Keeps the 3-D view, the result strip and the deviation plots in step with the pose shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from lieapp.engine.best import name_of_best
from lieapp.gui.align.controller import AlignController
from lieapp.gui.align.deviation_plot import DeviationPlot
from lieapp.gui.align.deviation_ribbon import DeviationRibbon
from lieapp.gui.align.geometry_desk import shown_side
from lieapp.gui.align.result_strip import ResultStrip, StripContent
from lieapp.gui.align.selection_model import SelectionModel
from lieapp.gui.align.session import SLOTS, SlotName
from lieapp.gui.viewer.deviation_key import DEVIATION_LEGEND
from lieapp.gui.viewer.viewer import MoleculeViewer
from lieapp.scene.coloring import legend_for, residue_colors
from lieapp.scene.colors import deviation_colors
from lieapp.scene.geometry import Style
from lieapp.scene.molecular_scene import Ghost
from lieapp.scene.screw import screw_motion

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.report import PoseScores
    from lieapp.scene.geometry import Geometry
    from lieapp.structures.structure import Structure

__all__ = ["PoseView"]

_SCORES_MILLISECONDS = 90
# A ghost that lies in what it is a ghost of would only tint it.
_SAME_POSE_ANGSTROM = 0.3


class PoseView(QObject):
    """Shows the pose of the controller in all views of it.

    Attributes
    ----------
    color_scheme : str
        A name of `lieapp.scene.coloring.COLOR_SCHEMES`.
    show_pair_lines, show_ghosts, show_screw_axis : bool
        What the View menu says; call `refresh` after a change.
    """

    def __init__(
        self,
        controller: AlignController,
        viewer: MoleculeViewer,
        strip: ResultStrip,
        deviation: DeviationPlot,
        ribbon: DeviationRibbon,
        selection: SelectionModel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._viewer = viewer
        self._strip = strip
        self._deviation = deviation
        self._ribbon = ribbon
        self._selection = selection
        self.color_scheme = "deviation"
        self.show_screw_axis = False
        self.show_pair_lines = False
        self.show_ghosts = True
        self._structures: tuple[object, object] = (None, None)
        self._inputs: AlignInputs | None = None
        self._kabsch: WeakKeyDictionary[AlignInputs, float] = WeakKeyDictionary()
        self._labels: list[str] = []
        self._timer = QTimer(self, singleShot=True, interval=_SCORES_MILLISECONDS)
        self._timer.timeout.connect(self.show_scores)
        self._static_colors: tuple[object, ...] = ()
        self.pose: NDArray[np.float64] = np.eye(4)

    def refresh(self) -> None:
        """Show the pose; the scores follow a little later while the replay runs."""
        if self._controller.inputs is None and self._controller.desk.pairing:
            return  # what is shown stays until the pairs are there
        self._show_structures()
        inputs = self._controller.inputs
        self.pose = self._controller.pose() if inputs is not None else np.eye(4)
        scene = self._viewer.scene
        scene.set_pose("mobile", self.pose)
        ghosts = []
        if self.show_ghosts:
            ghosts = [
                Ghost(matrix, run.color)
                for run, matrix in self._controller.other_poses()
                if self._apart(matrix) > _SAME_POSE_ANGSTROM
            ]
        scene.set_ghosts(ghosts)
        self._show_screw_axis(inputs)
        if not self._controller.playback.playing:
            self._timer.stop()
            self.show_scores()
        elif not self._timer.isActive():
            self._timer.start()

    def _apart(self, matrix: NDArray[np.float64]) -> float:
        """Return how far a pose is from the one shown, as the RMSD of the mobile pairs between them."""
        inputs = self._controller.inputs
        if inputs is None:
            return 0.0
        difference = matrix - self.pose
        moved = inputs.mobile_points @ difference[:3, :3].T + difference[:3, 3]
        return float(np.sqrt((moved**2).sum(axis=1).mean()))

    def show_hand_pose(self, matrix: NDArray[np.float64]) -> None:
        """Show the scores of a pose that is being dragged; the view shows the pose itself."""
        self.pose = np.asarray(matrix, dtype=float)
        if not self._timer.isActive():
            self._timer.start()

    def set_style(self, style: Style) -> None:
        """Draw both structures in a style; large ones a little later, when their shapes are made."""
        controller, scene = self._controller, self._viewer.scene
        inputs = controller.inputs
        if inputs is None and controller.session.slots and not controller.desk.pairing:
            controller.desk.geometry.style = style
            self._show_alone()
            return

        def show() -> None:
            if inputs is not None and inputs is self._inputs:
                for side in SLOTS:
                    geometry = controller.desk.geometry.take(inputs, side)
                    if geometry is not None:
                        scene.set_structure(side, *shown_side(inputs, side), geometry=geometry)
            scene.set_style(style)

        controller.desk.geometry.in_style(style, inputs, show)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _show_structures(self) -> None:
        controller, scene = self._controller, self._viewer.scene
        inputs, slots = controller.inputs, controller.session.slots
        if inputs is not None:
            shown: tuple[object, object] = (inputs, inputs)
        else:
            shown = (slots.get("mobile"), slots.get("target"))
        if shown == self._structures and inputs is self._inputs:
            return
        self._structures, self._inputs = shown, inputs
        self._static_colors = ()
        self._selection.set_inputs(inputs)
        if inputs is None:
            self._show_alone()
        else:
            for side in SLOTS:
                scene.set_structure(
                    side, *shown_side(inputs, side), geometry=controller.desk.geometry.take(inputs, side)
                )
            residues = inputs.mobile.residues
            self._labels = [residues.label(int(index)) for index in inputs.pairing.mobile_residues]
        self._show_pair_lines()
        scene.set_pose("mobile", controller.pose() if inputs is not None else np.eye(4))
        scene.fit_view()

    def _show_alone(self) -> None:
        """Show structures that are no pair; large ones as soon as their shapes are made."""
        controller, scene = self._controller, self._viewer.scene
        style = controller.desk.geometry.style
        for side in SLOTS:
            slot = controller.session.slots.get(side)
            if slot is None:
                scene.set_structure(side, None)
                scene.set_style(style, side)
                continue
            structure, model = slot.structure, slot.model

            def show(
                geometry: Geometry, side: SlotName = side, structure: Structure = structure, model: int = model
            ) -> None:
                now = controller.session.slots.get(side)
                if self._inputs is None and now is not None and (now.structure, now.model) == (structure, model):
                    scene.set_structure(side, structure, model, geometry=geometry)
                    self._show_colors_alone()
                    scene.fit_view()

            controller.desk.geometry.alone(structure, model, show)

    def _show_pair_lines(self) -> None:
        inputs = self._inputs
        if inputs is None or not self.show_pair_lines:
            self._viewer.scene.set_pair_lines(False)
        else:
            self._viewer.scene.set_pair_lines(True, inputs.mobile_points, inputs.target_points)

    def set_pair_lines(self, on: bool) -> None:
        """Join the pairs by lines, or do not."""
        self.show_pair_lines = on
        self._show_pair_lines()

    def show_scores(self) -> None:
        """Show the numbers of the pose, and the colours that follow from them."""
        inputs = self._controller.inputs
        if inputs is None:
            self._strip.clear(self._controller.session.problem or "")
            self._deviation.set_deviations([], np.empty(0))
            self._ribbon.set_deviations([], np.empty(0))
            self._show_colors_alone()
            return
        from lieapp.alignment.report import score_pose

        scores = score_pose(inputs, self.pose[:3, :3], self.pose[:3, 3])
        self._strip.show_scores(self._content(inputs, scores))
        self._deviation.set_deviations(self._labels, scores.deviations)
        self._ribbon.set_deviations(self._labels, scores.deviations)
        self._selection.set_deviations(scores.deviations)
        self._show_colors(inputs, scores.deviations)

    def _show_colors(self, inputs: AlignInputs, deviations: NDArray[np.float64]) -> None:
        """Colour by the scheme; only the deviation changes with the pose, and before a run it says nothing."""
        viewer, scene, scheme = self._viewer, self._viewer.scene, self.color_scheme
        if scheme == "deviation" and self._controller.session.current is not None:
            distances = inputs.residue_deviations(deviations)
            scene.set_residue_colors("mobile", deviation_colors(distances))
        # Colours of the file are the same at every pose: they are made once.
        wanted = (scheme, inputs, self._controller.session.current is None)
        if wanted == self._static_colors:
            return
        self._static_colors = wanted
        if scheme == "deviation":
            compared = self._controller.session.current is not None
            unpaired = None
            if compared:
                unpaired = np.isnan(inputs.residue_deviations(deviations)) & (inputs.mobile.residues.guide_atom >= 0)
            else:
                scene.set_residue_colors("mobile", None)
            scene.set_residue_colors("target", None)
            scene.set_hatched("mobile", unpaired)
            viewer.set_legend(DEVIATION_LEGEND if compared else None)
            return
        scene.set_hatched("mobile", None)
        self._color({slot: shown_side(inputs, slot) for slot in reversed(SLOTS)})

    def _show_colors_alone(self) -> None:
        """Colour structures that are no pair by the scheme; there is no deviation to show."""
        slots, scene = self._controller.session.slots, self._viewer.scene
        shown: dict[SlotName, tuple[Structure, int, None]] = {}
        for slot in reversed(SLOTS):
            held = slots.get(slot)
            if held is not None and scene.structure(slot) is held.structure:
                shown[slot] = (held.structure, held.model, None)
        self._color(shown)

    def _color(self, shown: Mapping[SlotName, tuple[Structure, int, NDArray[np.bool_] | None]]) -> None:
        """Colour structures by a scheme that needs no pairs; the key is that of the last of them."""
        scene, scheme = self._viewer.scene, self.color_scheme
        plain = scheme in ("uniform", "deviation")
        legend = None
        for slot, (structure, model, drawn) in shown.items():
            scene.set_residue_colors(slot, None if plain else residue_colors(structure, scheme, model))
            legend = None if plain else legend_for(structure, scheme, model, drawn)
        self._viewer.set_legend(legend)

    def _show_screw_axis(self, inputs: AlignInputs | None) -> None:
        scene = self._viewer.scene
        if inputs is None or not self.show_screw_axis:
            scene.set_screw_axis(None)
            return
        motion = screw_motion(self.pose)
        scene.set_screw_axis(
            motion.point,
            motion.direction,
            angle=motion.angle,
            translation=motion.translation,
            start=inputs.mobile_points.mean(axis=0),
        )

    def _content(self, inputs: AlignInputs, scores: PoseScores) -> StripContent:
        controller = self._controller
        current = controller.session.current
        if current is None:
            pose, cost = "start pose", None
        else:
            best = controller.frame == current.recording.best and current.finished
            by = current.recording.best_by
            pose = name_of_best("pose", by) if best else f"pose at step {controller.frame}"
            cost = current.value("evaluations", controller.frame)
        pairing, core = inputs.pairing, inputs.core
        return StripContent(
            rmsd=scores.rmsd,
            kabsch_rmsd=self._kabsch_rmsd(inputs),
            pairs=int(np.count_nonzero(pairing.report)),
            core_rmsd=core.rmsd,
            core_cutoff=core.cutoff,
            core_pairs=core.pairs,
            tm_mobile=scores.tm_mobile,
            tm_target=scores.tm_target,
            mobile_length=pairing.mobile_length,
            target_length=pairing.target_length,
            angle_degrees=scores.angle_degrees,
            evaluations=cost,
            pose=pose,
            total_pairs=len(pairing),
        )

    def _kabsch_rmsd(self, inputs: AlignInputs) -> float:
        """Return the RMSD of the reported pairs at Kabsch's pose for the pairs that drive the fit."""
        found = self._kabsch.get(inputs)
        if found is None:
            from lieapp.alignment.report import score_pose

            found = score_pose(inputs, inputs.kabsch.rotation, inputs.kabsch.translation).rmsd
            self._kabsch[inputs] = found
        return found
