"""Find the loops of the bundled pair: print the tables that ``generate.py`` holds.

Run as ``python design_loops.py SEED``; it takes about a minute. Helices of given lengths are wanted along given axes:
four of domain 1 on a square and three of domain 2 on a triangle, tilted as in coiled coils, domain 2 turned about the
hinge. A loop is free in its dihedrals. From many random starts in the allowed regions of Ramachandran's plot the
dihedrals are bent (Levenberg and Marquardt) until the next helix lies on its axis; of the results the one with the
fewest unusual dihedrals and no clash is kept. Last, the linker is bent a second time so that it meets domain 2 after
the hinge rotation. Seed 2 gave the tables.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from generate import EXTENDED, HELIX, HINGE_ANGLE, Array, decorate, next_residue, rotation, superposed, trace

HELICES = (21, 20, 20, 21, 18, 17, 17)
LOOPS = (5, 5, 5, 6, 5, 5)
LINKER = 3  # which of the loops joins the domains
SPACING = 9.8  # Å between neighbouring helices
TILT = 9.0  # degrees against the axis of the bundle
HINGE_POINT = np.array([0.2, SPACING + 5.0, -17.0])
HINGE_AXIS = np.array([1.0, 0.25, 0.12])

# Centres of the allowed regions: alpha (twice, it is common), polyproline, beta, left-handed, bridge.
BASINS = np.radians(
    [(-65, -42), (-65, -42), (-75, 140), (-120, 130), (-75, 145), (57, 45), (80, 10), (-90, 0)], dtype=np.float64
)
STARTS = 400
ROUNDS = 2


class IdealHelix:
    """The helix of `generate.HELIX`: its axis in the frame of its first residue."""

    def __init__(self) -> None:
        self.dihedrals = np.radians([HELIX] * 40)
        points = trace(self.dihedrals)
        frame, origin = self.frame(points[0])
        after, end = self.frame(points[1])
        turn = after @ frame.T
        skew = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        axis = skew / np.linalg.norm(skew)
        shift = end - turn @ origin
        axis *= np.sign(axis @ shift)
        self.rise = float(axis @ shift)
        point = np.linalg.lstsq(np.eye(3) - turn, shift - self.rise * axis, rcond=None)[0]
        point += axis * (axis @ (origin - point))
        self.axis, self.point = frame.T @ axis, frame.T @ (point - origin)

    @staticmethod
    def frame(residue: Array) -> tuple[Array, Array]:
        """Return the axes (columns) and the origin (CA) of residues ``(..., 3, 3)``."""
        n, ca, c = residue[..., 0, :], residue[..., 1, :], residue[..., 2, :]
        x = (c - ca) / np.linalg.norm(c - ca, axis=-1, keepdims=True)
        z = np.cross(x, n - ca)
        z /= np.linalg.norm(z, axis=-1, keepdims=True)
        return np.stack([x, np.cross(z, x), z], axis=-1), ca

    def ends(self, first: Array, length: int) -> Array:
        """Return where the axis of a helix starts and ends, six numbers."""
        frame, origin = self.frame(first)
        start = origin + np.einsum("...ij,j->...i", frame, self.point)
        along = np.einsum("...ij,j->...i", frame, self.axis)
        return np.concatenate([start, start + along * self.rise * (length - 1)], axis=-1)

    def build(self, first: Array, length: int) -> Array:
        return trace(self.dihedrals[:length], tuple(first))

    def placed(self, ends: tuple[Array, Array], phase: float) -> Array:
        """Return the first residue of a helix that runs from one point to another."""
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        perpendicular = np.cross(self.axis, along)
        angle = np.degrees(np.arctan2(np.linalg.norm(perpendicular), self.axis @ along))
        frame = rotation(along, np.degrees(phase)) @ rotation(perpendicular, float(angle))
        local = trace(self.dihedrals[:1])[0]
        own, origin = self.frame(local)
        return (local - origin) @ own @ frame.T + ends[0] - frame @ self.point


def wanted_axes(helix: IdealHelix) -> list[tuple[Array, Array]]:
    """Return start and end of every axis, domain 2 in the closed place."""
    first = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * SPACING
    near = np.array([0.5, SPACING + 10.2, 0.0])
    second = near + np.array([[0, 0, -0.5], [SPACING, 1.5, 0], [SPACING / 2 - 1.0, 0.87 * SPACING + 0.8, 0]])
    axes = []
    for places in (first, second):
        centre = (places * [1, 1, 0]).mean(axis=0)
        for place in places:
            outward = place * [1, 1, 0] - centre
            along = np.array([0, 0, 1.0])
            along = along - np.tan(np.radians(TILT)) * np.cross(along, outward / np.linalg.norm(outward))
            half = along / np.linalg.norm(along) * helix.rise * (HELICES[len(axes)] - 1) / 2
            up = len(axes) % 2 == 0
            axes.append((place - half, place + half) if up else (place + half, place - half))
    return axes


def loop(before: Array, dihedrals: Array) -> Array:
    """Return the residues of loops and the first residue after them.

    `dihedrals` has shape (batch, loop, 2); the result (batch, loop + 1, 3, 3).
    """
    batch = len(dihedrals)
    residue = tuple(np.broadcast_to(point, (batch, 3)) for point in before)
    psi = np.full(batch, np.radians(HELIX[1]))
    residues = []
    for step in range(dihedrals.shape[1]):
        residue = next_residue(residue, psi, dihedrals[:, step, 0])
        psi = dihedrals[:, step, 1]
        residues.append(np.stack(residue, axis=1))
    residues.append(np.stack(next_residue(residue, psi, np.full(batch, np.radians(HELIX[0]))), axis=1))
    return np.stack(residues, axis=1)


def bend(residual: Callable[[Array], Array], start: Array, stay: float) -> Array:
    """Minimise the squares of residuals of a batch of dihedrals, staying near the start as far as possible."""
    shape, count = start.shape, start[0].size
    origin = start.reshape(len(start), count)

    def full(x: Array) -> Array:
        return np.concatenate([residual(x.reshape(shape)), stay * (x - origin)], axis=1)

    x, damping = origin.copy(), np.full(len(start), 1e-2)
    value = full(x)
    for _ in range(60):
        slope = np.stack([(full(x + 1e-6 * unit) - value) / 1e-6 for unit in np.eye(count)], axis=-1)
        normal = np.einsum("bik,bil->bkl", slope, slope) + damping[:, None, None] * np.eye(count)
        step = -np.linalg.solve(normal, np.einsum("bik,bi->bk", slope, value)[..., None])[..., 0]
        step *= np.minimum(1.0, 0.6 / np.abs(step).max(axis=1, keepdims=True))
        trial = full(x + step)
        better = (trial**2).sum(axis=1) < (value**2).sum(axis=1)
        x[better] += step[better]
        value[better] = trial[better]
        damping = np.where(better, 0.4 * damping, 4.0 * damping)
    return x.reshape(shape)


def unusual(dihedrals: Array) -> Array:
    """Count dihedrals outside the allowed regions; left-handed ones count little."""
    phi, psi = np.moveaxis(np.degrees((dihedrals + np.pi) % (2 * np.pi) - np.pi), -1, 0)
    alpha = (phi > -160) & (phi < -45) & (psi > -75) & (psi < 30)
    beta = (phi > -170) & (phi < -50) & ((psi > 95) | (psi < -165))
    left = (phi > 40) & (phi < 95) & (psi > -10) & (psi < 75)
    return (~(alpha | beta | left)).sum(axis=-1) + 0.3 * left.sum(axis=-1)


def crowding(new: Array, everything: Array, offset: int) -> float:
    """Return a penalty for contacts of new residues, which are `everything[offset:offset + len(new)]`."""
    distance = np.linalg.norm(new[:, None, :, None] - everything[None, :, None, :], axis=-1)
    apart = np.abs(np.arange(len(new))[:, None] + offset - np.arange(len(everything)))
    alpha = distance[:, :, 1, 1].copy()
    distance[:, :, 0, 3] += 0.55  # N and O may come close: hydrogen bonds
    distance[:, :, 3, 0] += 0.55
    closest = distance.min(axis=(2, 3))

    def lack(values: Array, where: Array, least: float) -> float:
        return max(0.0, least - float(values[where].min(initial=99.0)))

    near, far = apart == 2, apart >= 3
    return 8.0 * (lack(closest, far, 3.15) + lack(closest, near, 2.85)) + 5.0 * (
        lack(alpha, far, 4.6) + lack(alpha, near, 5.0)
    )


def starts(random: np.random.RandomState, length: int) -> Array:
    """Return random dihedrals in the allowed regions, shape (STARTS, length, 2)."""
    return BASINS[random.randint(len(BASINS), size=(STARTS, length))] + random.normal(0.0, 0.25, (STARTS, length, 2))


def psi_of(dihedrals: Array, helix_length: int) -> Array:
    return np.concatenate([dihedrals[:, 1], np.full(helix_length, np.radians(HELIX[1]))])


def find_open(random: np.random.RandomState, helix: IdealHelix, turn: Array) -> tuple[list[Array], Array, Array]:
    """Return the dihedrals of all loops, and N, CA, C and psi of all residues, in the frame of the axes."""
    axes = wanted_axes(helix)
    points = helix.build(helix.placed(axes[0], random.uniform(0.0, 2.0 * np.pi)), HELICES[0])
    psi = np.full(HELICES[0], np.radians(HELIX[1]))
    table: list[Array] = []
    for which, length in enumerate(LOOPS):
        after = HELICES[which + 1]
        goal = np.stack(axes[which + 1])
        if which >= LINKER:
            goal = (goal - HINGE_POINT) @ turn.T + HINGE_POINT
        before, decorated = points[-1], decorate(points, psi)

        def miss(dihedrals: Array, before: Array = before, after: int = after, goal: Array = goal) -> Array:
            return helix.ends(loop(before, dihedrals)[:, -1], after) - goal.ravel()

        best: tuple[float, Array, Array] | None = None
        for _ in range(ROUNDS):
            found = bend(miss, starts(random, length), 0.15)
            error = np.linalg.norm(miss(found), axis=1)
            strange = unusual(found)
            for index in np.argsort(strange + error)[:60]:
                if error[index] > 1.2:
                    continue
                residues = loop(before, found[index : index + 1])[0]
                new = np.concatenate([residues[:-1], helix.build(residues[-1], after)])
                atoms = decorate(new, psi_of(found[index], after))
                crowded = crowding(atoms, np.concatenate([decorated, atoms]), len(decorated))
                score = float(strange[index] + 0.5 * error[index] + crowded)
                if best is None or score < best[0]:
                    best = (score, found[index], new)
        if best is None:
            raise SystemExit(f"loop {which + 1}: no way found; try another seed")
        print(f"# loop {which + 1}: {best[0]:.2f}", file=sys.stderr)
        table.append(np.radians(np.round(np.degrees(best[1]), 2)))
        points = np.concatenate([points, best[2]])
        psi = np.concatenate([psi, psi_of(best[1], after)])
    return table, points, psi


def find_closed(random: np.random.RandomState, opened: Array, psi: Array, table: list[Array], turn: Array) -> Array:
    """Return the dihedrals of the linker that meet domain 2 turned back to the closed place."""
    start = sum(HELICES[: LINKER + 1]) + sum(LOOPS[:LINKER])
    stop = start + LOOPS[LINKER]
    first = decorate(opened[:start], psi[:start])
    second = decorate((opened[stop:] - HINGE_POINT) @ turn + HINGE_POINT, psi[stop:])
    goal = second[0, :3].ravel()

    def miss(dihedrals: Array) -> Array:
        return loop(opened[start - 1], dihedrals)[:, -1].reshape(len(dihedrals), 9) - goal

    best: tuple[float, Array] | None = None
    for _ in range(ROUNDS):
        near = table[LINKER] + random.normal(0.0, 0.6, (STARTS, LOOPS[LINKER], 2))
        guess = np.where(random.rand(STARTS, 1, 1) < 0.5, near, starts(random, LOOPS[LINKER]))
        found = bend(miss, bend(miss, guess, 0.05), 0.0)
        error, strange = np.abs(miss(found)).max(axis=1), unusual(found)
        for index in np.argsort(strange + 1e3 * error)[:80]:
            if error[index] > 1e-4:
                continue
            residues = loop(opened[start - 1], found[index : index + 1])[0, :-1]
            atoms = decorate(residues, found[index, :, 1])
            score = float(strange[index] + crowding(atoms, np.concatenate([first, atoms, second]), start))
            if best is None or score < best[0]:
                best = (score, found[index])
    if best is None:
        raise SystemExit("the closed linker: no way found; try another seed")
    print(f"# closed linker: {best[0]:.2f}", file=sys.stderr)
    return best[1]


def shown(dihedrals: Array, digits: int) -> str:
    wrapped = np.degrees((dihedrals + np.pi) % (2 * np.pi) - np.pi)
    return ", ".join(f"({phi:.{digits}f}, {psi:.{digits}f})" for phi, psi in wrapped)


def main() -> None:
    random = np.random.RandomState(int(sys.argv[1]))
    helix = IdealHelix()
    turn = rotation(HINGE_AXIS, -HINGE_ANGLE)
    table, points, psi = find_open(random, helix, turn)
    closed = find_closed(random, points, psi, table, turn)
    for which, dihedrals in enumerate(table):
        print("linker" if which == LINKER else "loop", f"({shown(dihedrals, 2)})")
    print(f"CLOSED_LINKER = ({shown(closed, 4)})")

    # The hinge in the frame of generate.py: residue 1 of a chain that begins with three extended residues.
    chain = [EXTENDED] * 3 + [HELIX] * HELICES[0]
    built = trace(np.radians(chain))[3:]
    into, shift, _ = superposed(points[: HELICES[0]].reshape(-1, 3), built.reshape(-1, 3))
    print("HINGE_AXIS =", np.round(into @ HINGE_AXIS / np.linalg.norm(HINGE_AXIS), 4).tolist())
    print("HINGE_POINT =", np.round(into @ HINGE_POINT + shift, 3).tolist())


if __name__ == "__main__":
    main()
