"""Run every benchmark and print one table: claim, rival, ratio.

`python -m tests.benchmarks NAME ...` runs only those named; `--quick` runs all on tiny sizes, once, which measures nothing and shows in a
minute or two which rivals are here and that all agree; `--json FILE` also keeps the rows.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import benchmarks

COLUMNS = ("claim", "rival or bound", "ours", "theirs", "ratio", "promised", "unit", "note")


def _figure(value):
    return "absent" if value is None else f"{value:.4g}"


def _promise(row, quick):
    if row["promised"] is None:
        return ""
    return row["promised"] + {None: ", not measured", True: ", kept", False: ", MISSED"}[None if quick else row["kept"]]


def _run(name, quick):
    """Run one benchmark in a process of its own, so that engines and caches of one never help or hinder another."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        program = f"import json; from tests.benchmarks import {name} as one; json.dump(one.run(quick={quick}), open({str(answer)!r}, 'w'))"
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{name} failed:\n{done.stderr}")
        return json.loads(answer.read_text())


def main():
    known = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith(("_", "test_")))
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Benchmarks against rivals.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="tiny sizes, once: shows that everything runs, measures nothing")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}"
    )
    if asked.quick:
        print("A quick run: tiny sizes, one round. Its figures say nothing about speed.")
    print(f"\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    rows = []
    for name in asked.names or known:
        importlib.import_module(f"tests.benchmarks.{name}")
        print(f"{name} ...", file=sys.stderr, flush=True)
        for row in _run(name, asked.quick):
            rows.append({"benchmark": name, **row})
            figures = (_figure(row[key]) for key in ("value", "rival_value", "ratio"))
            print(
                f"| {' | '.join((row['claim'], row['rival'], *figures, _promise(row, asked.quick), row['unit'], row['note']))} |",
                flush=True,
            )
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
