"""Run every benchmark and print one table: claim, rival, ratio. `python -m tests.benchmarks NAME ...` runs only those named."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys

from tests import benchmarks


def _figure(value):
    return "absent" if value is None else f"{value:.4g}"


def _run(name):
    """Run one benchmark in a process of its own, so that engines and caches of one never help or hinder another."""
    program = f"import json, sys; from tests.benchmarks import {name} as one; json.dump(one.run(), sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stderr.splitlines()[-1])


def main():
    names = sys.argv[1:] or sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}\n"
    )
    print("| claim | rival or bound | ours | theirs | ratio | unit | note |\n|---|---|---|---|---|---|---|")
    for name in names:
        importlib.import_module(f"tests.benchmarks.{name}")
        for row in _run(name):
            values = (
                row["claim"],
                row["rival"],
                _figure(row["value"]),
                _figure(row["rival_value"]),
                _figure(row["ratio"]),
                row["unit"],
                row["note"],
            )
            print(f"| {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    main()
