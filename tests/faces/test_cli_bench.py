"""`thunderlab automata bench` as a user meets it."""

import json

import pytest

from tests.conftest import ROOT

FIELDS = {
    "engine", "rule", "size", "boundary", "traced", "steps", "gcells_per_cpu_s", "gcells_per_wall_s", "rounds", "spread", "population",
}  # fmt: skip


@pytest.fixture
def bench(cli_process, tmp_path):
    """Run it from an empty folder, and see that it leaves nothing there and makes no workspace."""
    place = tmp_path / "empty"
    place.mkdir()

    def run(*arguments):
        ran = cli_process("automata", "bench", *arguments, cwd=place, env={"PYTHONPATH": str(ROOT)})
        assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]
        assert not list(place.iterdir())
        return ran

    return run


def test_json_is_the_first_measurement_with_all_of_them(bench):
    ran = bench("--size", "32x64", "--size", "4x6x8", "--seconds", "0.02", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    first = json.loads(ran.stdout)
    answer = first.pop("measured")
    assert first == answer[0]
    assert {one["size"] for one in answer} == {"32x64", "4x6x8"}
    for one in answer:
        assert set(one) == FIELDS
        assert {"backend", "version", "arch", "threads"} <= set(one["engine"])
        assert one["gcells_per_cpu_s"] > 0 and one["gcells_per_wall_s"] > 0 and one["boundary"] == "torus"
        assert one["spread"][0] <= one["gcells_per_cpu_s"] <= one["spread"][1]


def test_people_read_a_table_and_what_to_think_of_it(bench):
    ran = bench("--size", "32x64", "--seconds", "0.02", "--rule", "B/S")
    assert ran.code == 0
    assert "Gcells/CPU-s" in ran.stdout and "32x64" in ran.stdout and "B/S (died out)" in ran.stdout
    assert "Machines are noisy" in ran.stdout
    assert ran.stdout.splitlines()[0].split()[0] == "backend"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seconds", "0"), "error: --seconds: expected 0.01 to 60 seconds, not 0"),
        (("--seconds", "soon"), "error: thunderlab automata bench: Invalid value for '--seconds'"),
        (("--size", "12"), "error: --size: '12' is not a size; write HxW, or DxHxW in 3D"),
        (("--size", "99999x99999"), "error: --size: 99999x99999 is"),
        (("--rule", "nonsense"), "error: rule: "),
        (("--size", "8x8x8", "--rule", "W110"), "error: rule: "),
        (("--size", "8x8") * 17, "error: --size: expected 1 to 16 sizes, not 17"),
    ],
)
def test_what_cannot_be_measured_is_one_line_and_exit_2(bench, arguments, message):
    ran = bench(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(message) and len(ran.stderr.splitlines()) == 1
