"""Lines and files of structures, built for tests."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np


def atom_line(
    serial: int = 1,
    name: str = "CA",
    residue: str = "ALA",
    chain: str = "A",
    number: int | str = 1,
    position: tuple[float, float, float] = (1.0, 2.0, 3.0),
    *,
    altloc: str = " ",
    code: str = " ",
    occupancy: float = 1.0,
    b_factor: float = 10.0,
    element: str = "C",
    record: str = "ATOM",
    aligned: bool = True,
) -> str:
    """Return an ATOM record of 80 columns, its name aligned by its element unless told otherwise."""
    padded = f" {name:<3}" if aligned and len(element.strip()) <= 1 and len(name) < 4 else f"{name:<4}"
    x, y, z = position
    return (
        f"{record:<6}{serial:5d} {padded}{altloc}{residue:>3} {chain:1}{number:>4}{code}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{b_factor:6.2f}          {element:>2}  "
    )


def pdb(*lines: str, end: str = "\n") -> bytes:
    """Return lines as a file."""
    return "".join(line + end for line in lines).encode("latin-1")


ATOM_SITE = (
    "group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id",
    "label_seq_id", "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv",
    "auth_seq_id", "auth_asym_id", "pdbx_PDB_model_num",
)  # fmt: skip


def mmcif(*rows: str, items: tuple[str, ...] = ATOM_SITE, before: str = "", after: str = "") -> bytes:
    """Return an mmCIF file with these rows of ``_atom_site``."""
    tags = "\n".join(f"_atom_site.{item}" for item in items)
    body = "\n".join(rows)
    return f"data_TEST\n{before}\nloop_\n{tags}\n{body}\n{after}".encode()


def cif_row(
    serial: int = 1,
    name: str = "CA",
    residue: str = "ALA",
    chain: str = "A",
    number: int | str = 1,
    position: tuple[float, float, float] = (1.0, 2.0, 3.0),
    *,
    altloc: str = ".",
    code: str = "?",
    occupancy: float = 1.0,
    b_factor: float = 10.0,
    element: str = "C",
    record: str = "ATOM",
    model: int = 1,
) -> str:
    """Return a row of ``_atom_site`` for `mmcif`."""
    x, y, z = position
    return (
        f"{record} {serial} {element} {name} {altloc} {residue} {chain} {number} {code} {x:.3f} {y:.3f} {z:.3f} "
        f"{occupancy:.2f} {b_factor:.2f} {number} {chain} {model}"
    )


# --- BinaryCIF, encoded after its specification, independently of the decoder ---

_CODES = {"i1": 1, "i2": 2, "i4": 3, "u1": 4, "u2": 5, "u4": 6, "f4": 32, "f8": 33}


def byte_array(values: Any, dtype: str) -> dict[str, Any]:
    data = np.asarray(values, dtype=f"<{dtype}").tobytes()
    return {"data": data, "encoding": [{"kind": "ByteArray", "type": _CODES[dtype]}]}


def then(data: dict[str, Any], **encoding: Any) -> dict[str, Any]:
    """Put an encoding in front of those that data went through."""
    return {"data": data["data"], "encoding": [encoding, *data["encoding"]]}


def packed(values: list[int], dtype: str) -> dict[str, Any]:
    """Encode integers by integer packing, value by value."""
    limits = np.iinfo(dtype)
    out: list[int] = []
    for value in values:
        rest = value
        while rest >= limits.max:
            out.append(int(limits.max))
            rest -= int(limits.max)
        while dtype[0] == "i" and rest <= limits.min:
            out.append(int(limits.min))
            rest -= int(limits.min)
        out.append(rest)
    return then(
        byte_array(out, dtype),
        kind="IntegerPacking",
        byteCount=int(dtype[1]),
        srcSize=len(values),
        isUnsigned=dtype[0] == "u",
    )


def run_length(values: list[int]) -> dict[str, Any]:
    out: list[int] = []
    for value in values:
        if out and out[-2] == value:
            out[-1] += 1
        else:
            out += [value, 1]
    return then(byte_array(out, "i4"), kind="RunLength", srcType=3, srcSize=len(values))


def fixed_point(values: list[float], factor: int) -> dict[str, Any]:
    data = byte_array([round(value * factor) for value in values], "i4")
    return then(data, kind="FixedPoint", factor=factor, srcType=33)


def strings(values: list[str]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(values))
    offsets = byte_array(np.cumsum([0, *map(len, distinct)]), "i4")
    indices = byte_array([distinct.index(value) for value in values], "i4")
    return {
        "data": indices["data"],
        "encoding": [
            {
                "kind": "StringArray",
                "dataEncoding": indices["encoding"],
                "stringData": "".join(distinct),
                "offsetEncoding": offsets["encoding"],
                "offsets": offsets["data"],
            }
        ],
    }


def bcif(categories: dict[str, dict[str, tuple[dict[str, Any], list[int] | None]]], rows: dict[str, int]) -> bytes:
    """Return a BinaryCIF file: for each category its items, each encoded data and a mask."""
    return msgpack.packb(
        {
            "version": "0.3.0",
            "encoder": "test",
            "dataBlocks": [
                {
                    "header": "TEST",
                    "categories": [
                        {
                            "name": category,
                            "rowCount": rows[category],
                            "columns": [
                                {"name": name, "data": data, "mask": None if mask is None else byte_array(mask, "u1")}
                                for name, (data, mask) in items.items()
                            ],
                        }
                        for category, items in categories.items()
                    ],
                }
            ],
        }
    )


def small_bcif(**replaced: Any) -> bytes:
    """Return a BinaryCIF file of three residues in two chains; keywords replace columns of ``_atom_site``."""
    items: dict[str, tuple[dict[str, Any], list[int] | None]] = {
        "group_PDB": (strings(["ATOM"] * 5 + ["HETATM"]), None),
        "id": (then(run_length([1] * 6), kind="Delta", origin=0, srcType=3), None),
        "type_symbol": (strings(["N", "C", "C", "N", "C", "ZN"]), None),
        "label_atom_id": (strings(["N", "CA", "C", "N", "CA", "ZN"]), None),
        "label_alt_id": (strings([""] * 6), [1] * 6),
        "label_comp_id": (strings(["GLY"] * 3 + ["MSE"] * 2 + ["ZN"]), None),
        "auth_asym_id": (strings(["A"] * 5 + ["B"]), None),
        "auth_seq_id": (packed([7, 7, 7, 300, 300, -200], "i1"), None),
        "pdbx_PDB_ins_code": (strings(["", "", "", "C", "C", ""]), [2, 2, 2, 0, 0, 2]),
        "Cartn_x": (fixed_point([0.0, 1.458, 2.0, 3.311, 4.0, -9.125], 1000), None),
        "Cartn_y": (fixed_point([0.5] * 6, 1000), None),
        "Cartn_z": (byte_array([0.25] * 6, "f4"), None),
        "occupancy": (byte_array([1.0] * 6, "f4"), None),
        "B_iso_or_equiv": (fixed_point([12.34] * 6, 100), None),
        "pdbx_PDB_model_num": (run_length([1] * 6), None),
    }
    items.update(replaced)
    title = {"title": (strings(["A small one"]), None)}
    return bcif({"_struct": title, "_atom_site": items}, {"_struct": 1, "_atom_site": 6})
