"""Run the benchmarks and print one table: ``python -m tests.benchmarks [NAME ...] [--quick] [--report [FILE]]``.

Every module ``bench_*.py`` offers ``run(quick) -> list of rows``; a row names a figure, its value and unit, and where
there is a peer, the peer measured in the same run and the ratio to it. A module may also offer ``text() -> str``:
Markdown about its last run, tables of another shape for example, that goes before the rows.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def modules() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("bench_*.py"))


def collect(names: list[str], quick: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in names:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        rows += [{"benchmark": name.removeprefix("bench_"), **row} for row in module.run(quick)]
    return rows


def texts(names: list[str]) -> str:
    offered = [getattr(importlib.import_module(f"tests.benchmarks.{name}"), "text", None) for name in names]
    return "".join(f"{text()}\n" for text in offered if text is not None)


def machine() -> dict[str, Any]:
    import numpy
    import torch

    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
    }


def table(rows: list[dict[str, Any]]) -> str:
    def cell(value: object) -> str:
        return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

    heads = ["benchmark", "name", "value", "unit", "peer", "ratio", "limit"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell(row.get(head)) for head in heads) + " |" for row in rows]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, few repeats: checks that nothing rotted")
    parser.add_argument("--json", type=Path, help="also write rows and machine to this file")
    parser.add_argument(
        "--report",
        type=Path,
        nargs="?",
        const=Path(),
        help="also write a Markdown report to this file; by default to reports/, named after date and benchmarks",
    )
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(modules())}")
    options = parser.parse_args()
    chosen = [name if name.startswith("bench_") else f"bench_{name}" for name in options.names] or modules()
    rows = collect(chosen, options.quick)
    facts = machine()
    text = "\n".join(f"- {key}: {value}" for key, value in facts.items()) + "\n\n" + texts(chosen) + table(rows) + "\n"
    print(text)
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    if options.report is not None:
        stem = "-".join([facts["date"][:10], *(name.removeprefix("bench_") for name in chosen if options.names)])
        file = options.report if options.report.name else FOLDER / "reports" / f"{stem}.md"
        file.write_text("# Benchmarks\n\n" + text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
