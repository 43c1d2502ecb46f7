"""What the product is compared with: other people's code on the same bytes, in a fresh process and on one thread.

========== ==================================================================================================
csv.reader Python's own CSV reader passing over the file and doing nothing with the rows
polars     polars reading the whole file into memory with all nine columns, numbers as numbers
gzip -1    zlib at its fastest level over what the product wrote, in blocks of 1 MB
========== ==================================================================================================
"""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine

BLOCK_BYTES = 1 << 20


def measure(name: str, path: Path) -> dict[str, Any]:
    """One baseline on one file in a fresh process: ``wall``, ``cpu``, ``peak_mb`` and ``result`` (rows or bytes)."""
    return machine.in_child("baselines", name, path)


def has_polars() -> bool:
    return importlib.util.find_spec("polars") is not None


def csv_reader(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def polars_columns(path: Path) -> int:
    import polars

    with path.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
    kinds = dict.fromkeys(names, polars.String) | {"seconds": polars.Int64, "cost": polars.Float64}
    return int(polars.read_csv(path, schema_overrides=kinds).height)


def gzip_1(path: Path) -> int:
    packer, size = zlib.compressobj(1, zlib.DEFLATED, 31), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            size += len(packer.compress(block))
    return size + len(packer.flush())


_BASELINES: dict[str, Callable[[Path], int]] = {
    "csv.reader": csv_reader,
    "polars": polars_columns,
    "gzip -1": gzip_1,
}


def main() -> None:
    """In the child: run one baseline, print the measure."""
    run = _BASELINES[sys.argv[1]]
    if run is polars_columns:
        # Importing it is not reading a file.
        import polars  # noqa: F401
    print(json.dumps(machine.timed(lambda: run(Path(sys.argv[2])))))


if __name__ == "__main__":
    main()
