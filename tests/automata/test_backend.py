"""The guarded backend: silent, started once, refused in forked children, and told its threads by the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from thunderlab.automata import backend
from thunderlab.errors import InputError


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )


def test_starting_twice_and_from_threads_gives_one_backend():
    found = []
    threads = [threading.Thread(target=lambda: found.append(backend.start())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(one is backend.start() for one in found)
    described = backend.describe()
    assert described.pop("vector_bits") in (256, 512)
    assert described == {"backend": "taichi", "version": found[0].version, "arch": found[0].arch, "threads": found[0].threads}


WRONG_KERNEL = """
from thunderlab.automata import backend
ti = backend.start().module
@ti.kernel
def wrong(words: ti.types.ndarray(dtype=ti.i32, ndim=1)):
    for i in range(4):
        words[i] = nowhere
"""


def test_what_is_wrong_in_a_kernel_is_told_with_its_place(tmp_path):
    (tmp_path / "wrong_kernel.py").write_text(WRONG_KERNEL)
    done = run_python(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import numpy, wrong_kernel; wrong_kernel.wrong(numpy.zeros(4, dtype='int32'))"
    )
    assert 'wrong_kernel.py", line 7, in wrong' in done.stderr and 'Name "nowhere" is not defined' in done.stderr


def test_importing_the_lattice_does_not_import_taichi():
    done = run_python("import sys, thunderlab.automata.lattice, thunderlab.automata.backend; sys.exit('taichi' in sys.modules)")
    assert (done.returncode, done.stderr) == (0, "")


SILENT = """
import os, sys, warnings
warnings.simplefilter("error")
import numpy as np
from thunderlab.automata.lattice import simulate
before = dict(os.environ)
simulate(np.ones((3, 3), dtype=np.uint8), "B3/S23", 2)
sys.exit(dict(os.environ) != before)
"""


def test_nothing_is_printed_warned_or_left_in_the_environment():
    done = run_python(SILENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SMALL_NUMBERS = """
import sys
import numpy as np
from thunderlab.automata.lattice import simulate
tiny = float("2.2e-308")
for rule in ("B3/S23", "R2,C0,M1,S3..8,B3..5,NM"):
    simulate(np.ones((40, 40), dtype=np.uint8), rule, 2)
    assert tiny / 1000 > 0 and float("2.2e-311") > 0 and (np.full(9, tiny) / 1000 > 0).all(), rule
"""


def test_small_numbers_stay_what_they_are():
    """The compiler's start has numbers below 2.2e-308 taken for zero, and with them what every other library in the process computes."""
    done = run_python(SMALL_NUMBERS)
    assert (done.returncode, done.stderr) == (0, "")


STRANGE_STDOUT = """
import io, os, sys
import numpy as np
from thunderlab.automata.lattice import simulate
real, sys.stdout = sys.stdout, io.StringIO()  # as a notebook does
os.close(1)  # as a daemon does
print("mine")
print(simulate(np.ones((3, 3), dtype=np.uint8), "B3/S8", 1).sum())
sys.stderr.write(sys.stdout.getvalue())
os.open(os.devnull, os.O_WRONLY)
"""


def test_a_replaced_or_closed_standard_output_is_no_obstacle():
    done = run_python(STRANGE_STDOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "mine\n9\n")


FORK = """
import os
import numpy as np
from thunderlab.automata.lattice import Lattice
from thunderlab.errors import EnvironmentBlockedError
lattice = Lattice(np.ones((3, 3), dtype=np.uint8), "B3/S23")
lattice.advance(1)
for attempt in (lambda: lattice.advance(1), lambda: Lattice(np.ones((3, 3), dtype=np.uint8), "B3/S23")):
    child = os.fork()
    if not child:
        try:
            attempt()
        except EnvironmentBlockedError as error:
            os._exit(7 if "spawn" in str(error) else 8)
        os._exit(9)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(lattice.advance(1).population.tolist())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_refused_and_the_parent_goes_on():
    done = run_python(FORK)
    assert done.stdout.split() == ["7", "7", "[0]"], done.stderr


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "257", "99999999999999999999", "٣"])
def test_threads_that_are_no_count_are_refused(monkeypatch, text):
    monkeypatch.setenv(backend.THREADS_VARIABLE, text)
    with pytest.raises(InputError, match="THUNDERLAB_THREADS: expected a whole number from 1 to 256"):
        backend.thread_count()


def test_without_the_variable_every_processor_counts(monkeypatch):
    monkeypatch.delenv(backend.THREADS_VARIABLE, raising=False)
    assert 1 <= backend.thread_count() <= (os.cpu_count() or 1)


def test_a_cache_folder_and_the_threads_are_used_when_given(tmp_path):
    code = f"""
from pathlib import Path
from thunderlab.automata import backend
backend.start(Path({str(tmp_path)!r}))
import numpy as np
from thunderlab.automata.lattice import simulate
print(simulate(np.ones((3, 3), dtype=np.uint8), "B3/S8", 1).sum(), backend.describe()["threads"])
"""
    done = run_python(code, THUNDERLAB_THREADS="3")
    assert (done.stdout, done.stderr) == ("9 3\n", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()]


STARTED_IN_A_THREAD = """
import threading
import numpy as np
from thunderlab.automata import backend
from thunderlab.automata.lattice import simulate
thread = threading.Thread(target=backend.start)
thread.start()
thread.join()
print(simulate(np.ones((3, 3), dtype=np.uint8), "B3/S8", 1).sum())
"""


def test_a_backend_started_in_one_thread_serves_the_others():
    assert run_python(STARTED_IN_A_THREAD).stdout == "9\n"
