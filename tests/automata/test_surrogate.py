"""Surrogates: the network is the sum it says it is, a score is what plain counting gives, and the shipped example does what its file claims."""

import json
import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import simulate
from thunderlab.automata.qa.facts import Facts
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.rules import parse_rule
from thunderlab.automata.soup import soup
from thunderlab.automata.surrogate.file import find_surrogate, read_surrogate, write_surrogate
from thunderlab.automata.surrogate.model import Layer, Surrogate, codes, padded, truth
from thunderlab.automata.surrogate.scoring import Setting, score
from thunderlab.automata.surrogate.skill import Tally
from thunderlab.automata.surrogate.training import life_mlp, train
from thunderlab.errors import InputError
from thunderlab.workspace import shipped

LIFE = parse_rule("B3/S23", dimensions=2)
SHIPPED = shipped("scenarios")


def network(*layers, radius=1, threshold=0.5, activation="relu", rule=LIFE):
    """A surrogate from (weights, bias) pairs."""
    return Surrogate(
        name="net",
        title="net",
        rule=rule,
        radius=radius,
        activation=activation,
        threshold=threshold,
        layers=tuple(Layer(np.array(weights, dtype=np.float32), np.array(bias, dtype=np.float32)) for weights, bias in layers),
    )


def life_but_for(code):
    """Life that is wrong on exactly one neighbourhood: a third hidden unit is 1 on it and 0 on every other, and turns the answer round."""
    exact = find_surrogate(SHIPPED, "life-exact").layers
    bits = code >> np.arange(9) & 1
    flip = -100 if truth(LIFE)[code] else 100
    detector = 2 * bits - 1
    first = np.vstack([exact[0].weights, detector])
    return network((first, [*exact[0].bias, 1 - bits.sum()]), ([[1, -2, flip]], [0]))


def dead_model():
    return network(([[0] * 9], [0]))


def scenario(cells, duration=30, boundary="torus", rule=LIFE):
    return Scenario(
        name="s", title="s", regime="periodic", rule=rule, boundary=boundary, shape=cells.shape, seed=0, density=None,
        duration=duration, probes=(), expect=Facts(), source="s", pattern=cells, offset=(0, 0),
    )  # fmt: skip


# The network


def test_the_hand_made_network_is_life_on_every_neighbourhood_and_every_torus():
    exact = find_surrogate(SHIPPED, "life-exact")
    assert np.array_equal(exact.outcomes, truth(LIFE))
    for shape, boundary in product([(1, 1), (1, 5), (2, 2), (2, 7), (3, 3), (40, 61), (33, 1030)], ["torus", "dead"]):
        cells = soup(shape, 0.4, 3)
        assert np.array_equal(exact.predict(cells, boundary), reference.simulate(cells, LIFE, 1, boundary)), (shape, boundary)


def test_truth_counts_neighbours_by_code():
    for text in ("B3/S23", "B36/S23", "B0/S8", "B2/S"):
        rule = parse_rule(text, dimensions=2)
        wanted = []
        for code in range(512):
            bits = [code >> place & 1 for place in range(9)]
            wanted.append(sum(bits) - bits[4] in (rule.survival if bits[4] else rule.birth))
        assert truth(rule).tolist() == wanted


@given(arrays.arrays(np.uint8, (5, 6), elements=st.integers(0, 1)), st.sampled_from(["torus", "dead"]))
def test_codes_read_the_patch_row_by_row(cells, boundary):
    found = codes(padded(cells, boundary, 1))
    for y, x in np.ndindex(cells.shape):
        code = 0
        for dy, dx in product((-1, 0, 1), repeat=2):
            inside = 0 <= y + dy < 5 and 0 <= x + dx < 6
            if cells[(y + dy) % 5, (x + dx) % 6] and (inside or boundary == "torus"):
                code += 1 << (3 * (dy + 1) + dx + 1)
        assert found[y, x] == code


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("boundary", ["torus", "dead"])
def test_a_network_of_whole_numbers_predicts_what_matrix_products_say(radius, boundary):
    # Whole numbers are exact in any order, so another way of summing must agree to the last bit, across the tiles' seams too.
    random = np.random.default_rng(radius)
    inputs = (2 * radius + 1) ** 2
    first, hidden, last = random.integers(-4, 5, (6, inputs)), random.integers(-4, 5, (5, 6)), random.integers(-4, 5, (1, 5))
    biases = [random.integers(-3, 4, size) for size in (6, 5, 1)]
    net = network((first, biases[0]), (hidden, biases[1]), (last, biases[2]), radius=radius, threshold=2.0)
    cells = soup((70, 1100), 0.4, 1)
    around = np.pad(cells, radius, mode="wrap") if boundary == "torus" else np.pad(cells, radius)
    patches = np.lib.stride_tricks.sliding_window_view(around, (2 * radius + 1,) * 2).reshape(*cells.shape, inputs).astype(np.int64)
    middle = np.maximum(np.maximum(patches @ first.T + biases[0], 0) @ hidden.T + biases[1], 0)
    assert np.array_equal(net.predict(cells, boundary), (middle @ last.T + biases[2])[..., 0] > 2)


def test_the_other_activation_is_the_hyperbolic_tangent():
    net = network(([[1] * 9], [-4.5]), ([[2]], [0.25]), activation="tanh", threshold=0.0)
    for count in range(10):
        patch = (np.arange(9) < count).astype(np.float64)[:, None]
        assert net.outputs(patch)[0] == pytest.approx(2 * math.tanh(count - 4.5) + 0.25)
    assert net.weights == 9 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("cells", "boundary", "field"),
    [
        (np.zeros((3, 3), dtype=np.int64), "torus", "cells"),
        (np.zeros((3, 3, 3), dtype=np.uint8), "torus", "cells"),
        (np.zeros((0, 3), dtype=np.uint8), "torus", "cells"),
        (np.full((3, 3), 2, dtype=np.uint8), "torus", "cells"),
        ([[0, 1]], "torus", "cells"),
        (np.zeros((3, 3), dtype=np.uint8), "plane", "boundary"),
    ],
)
def test_predictions_of_what_is_no_state_are_refused(cells, boundary, field):
    with pytest.raises(InputError, match=f"^{field}: "):
        dead_model().predict(cells, boundary)


# The score


def test_a_perfect_model_scores_one_and_holds_to_the_end():
    found = score(find_surrogate(SHIPPED, "life-exact"), Setting((24, 31), LIFE, "dead"), densities=[0.2, 0.5], grids=4, steps=12)
    for row in (found.overall, *found.densities):
        skill = row.surrogate
        assert (skill.cell_accuracy, skill.balanced_accuracy, skill.grid_accuracy, skill.grid_accuracy_high) == (1, 1, 1, 1)
        assert (skill.horizon, skill.horizon_min, skill.rollouts_held) == (12, 12, skill.rollouts)
        assert row.all_dead.cell_accuracy < 1
        assert (row.expected_cell_accuracy, row.steps) == (None, 12)
    assert (found.neighbourhoods, found.neighbourhoods_right, found.course) == (512, 512, None)
    assert (found.overall.surrogate.grids, found.overall.surrogate.cells) == (8, 8 * 24 * 31)


def test_saying_dead_scores_the_dead_share_and_says_so_beside_every_model():
    # On the scenario's own course the grids are known here: count them with plain NumPy.
    start = soup((40, 50), 0.35, 9)
    states = [start]
    for _ in range(6):
        states.append(reference.simulate(states[-1], LIFE, 1))
    found = score(dead_model(), scenario(start, duration=6), densities=[0.35], grids=1, steps=50).course
    dead = sum(int((state == 0).sum()) for state in states[1:])
    assert found.surrogate == found.all_dead
    assert found.surrogate.cell_accuracy == dead / (6 * start.size)
    assert (found.surrogate.balanced_accuracy, found.surrogate.grids, found.steps, found.surrogate.horizon) == (0.5, 6, 6, 0)
    same = sum(int((before == after).sum()) for before, after in pairwise(states))
    alive = sum(int(((before & after) == 1).sum()) for before, after in pairwise(states))
    still = found.nothing_changes
    assert still.cell_accuracy == same / (6 * start.size)
    assert still.balanced_accuracy == pytest.approx(((same - alive) / dead + alive / (6 * start.size - dead)) / 2)
    assert (still.grid_accuracy_low, still.grid_accuracy_high) == (None, None)


@pytest.mark.parametrize(("code", "density"), [(0b000_010_110, 0.3), (0b111_000_000, 0.5), (0b111_111_111, 0.9), (0, 0.1)])
def test_one_wrong_neighbourhood_is_caught_as_often_as_it_comes_up(code, density):
    found = score(life_but_for(code), Setting((256, 256), LIFE), densities=[density], grids=20, steps=1)
    [row] = found.densities
    alive = code.bit_count()
    rate = density**alive * (1 - density) ** (9 - alive)
    assert found.neighbourhoods_right == 511
    assert row.expected_cell_accuracy == pytest.approx(1 - rate, abs=1e-12)
    # Neighbouring patches share cells, so the count spreads wider than a binomial one; at most 25 patches share any.
    spread = math.sqrt(25 * rate * (1 - rate) / row.surrogate.cells)
    assert abs(1 - row.surrogate.cell_accuracy - rate) < 4 * spread
    assert row.surrogate.cell_accuracy < 1


def test_the_horizon_is_where_a_rollout_leaves_the_run():
    for seed, code in product(range(4), (0b000_011_111, 0b101_010_101, 0b010_111_010)):
        model, start = life_but_for(code), soup((18, 20), 0.3, seed)
        guess, run, wanted = start, start, None
        for step in range(1, 41):
            guess, run = model.predict(guess), reference.simulate(run, LIFE, 1)
            if wanted is None and not np.array_equal(guess, run):
                wanted = step - 1
        found = score(model, scenario(start, duration=40), densities=[0.3], grids=1, steps=40).course.surrogate
        assert (found.horizon, found.rollouts, found.rollouts_held) == (40 if wanted is None else wanted, 1, int(wanted is None))


def test_baselines_have_horizons_of_their_own():
    block = np.pad(np.ones((2, 2), dtype=np.uint8), 3)
    found = score(dead_model(), scenario(block), densities=[0.3], grids=1, steps=7).course
    assert (found.nothing_changes.horizon, found.nothing_changes.rollouts_held, found.all_dead.horizon) == (7, 1, 0)
    lonely = np.pad(np.ones((1, 1), dtype=np.uint8), 3)
    found = score(dead_model(), scenario(lonely), densities=[0.3], grids=1, steps=7).course
    assert (found.nothing_changes.horizon, found.all_dead.horizon, found.all_dead.balanced_accuracy) == (0, 7, None)


def test_soups_of_a_density_are_the_same_whatever_else_is_asked():
    model = find_surrogate(SHIPPED, "life-mlp")
    alone = score(model, Setting((30, 30), LIFE), densities=[0.4], grids=3, steps=5, seed=2)
    [_, beside] = score(model, Setting((30, 30), LIFE), densities=[0.1, 0.4], grids=3, steps=5, seed=2).densities
    assert [beside] == list(alone.densities)
    other = score(model, Setting((30, 30), LIFE), densities=[0.4], grids=3, steps=5, seed=3)
    assert other.densities != alone.densities


def test_progress_counts_grids():
    seen = []
    score(dead_model(), Setting((8, 8), LIFE), densities=[0.1, 0.4], grids=2, steps=1, on_progress=lambda *told: seen.append(told))
    assert seen == [("density 0.1", 1, 4), ("density 0.1", 2, 4), ("density 0.4", 3, 4), ("density 0.4", 4, 4)]


def test_another_rule_is_compared_when_asked_for():
    highlife = parse_rule("B36/S23", dimensions=2)
    found = score(find_surrogate(SHIPPED, "life-exact"), Setting((32, 32), highlife), densities=[0.5], grids=2, steps=3, any_rule=True)
    # Six neighbours around a dead cell, of which there are C(8, 6) = 28, is all they differ in.
    assert (found.predicts, found.rule, found.neighbourhoods_right) == ("B3/S23", "B36/S23", 512 - 28)
    assert found.densities[0].expected_cell_accuracy == pytest.approx(1 - 28 / 512)


SMALL = Setting((8, 8), LIFE)


@pytest.mark.parametrize(
    ("where", "asked", "what"),
    [
        (Setting((8, 8), parse_rule("B36/S23", dimensions=2)), {}, "net: predicts B3/S23, and .* runs B36/S23; --any-rule"),
        (Setting((8, 8, 8), parse_rule("B5-7/S4-6", dimensions=3)), {"any_rule": True}, "3 dimensions"),
        (Setting((8, 8), LIFE, "plane"), {}, "boundary: an unbounded plane"),
        (Setting((0, 8), LIFE), {}, "shape: "),
        (Setting((1 << 20, 1 << 20), LIFE), {}, "shape: "),
        (SMALL, {"densities": []}, "densities: expected 1 to 100"),
        (SMALL, {"densities": [0.1, 0.1]}, "densities: expected 1 to 100 different"),
        (SMALL, {"densities": [n / 1000 for n in range(101)]}, "densities: expected 1 to 100"),
        (SMALL, {"densities": [1.1]}, "densities: a density lies in 0..1, got 1.1"),
        (SMALL, {"densities": [float("nan")]}, "densities: a density lies in 0..1, got nan"),
        (SMALL, {"grids": 0}, "grids: .* from 1 to 10000, got 0"),
        (SMALL, {"grids": 10_001}, "grids: "),
        (SMALL, {"steps": 0}, "steps: .* from 1 to 10000, got 0"),
        (SMALL, {"steps": 10**18}, "steps: "),
        (SMALL, {"seed": -1}, "seed: "),
        (Setting((64, 64), LIFE), {"grids": 10_000, "steps": 10_000}, "operations"),
    ],
)
def test_what_cannot_be_scored_is_refused(where, asked, what):
    with pytest.raises(InputError, match=what):
        score(dead_model(), where, **asked)


def test_models_that_look_further_cost_more_and_have_no_table():
    wide = network((np.zeros((4, 25)), np.zeros(4)), ([[0] * 4], [0]), radius=2)
    found = score(wide, SMALL, densities=[0.3], grids=2, steps=3)
    assert (found.neighbourhoods, found.neighbourhoods_right, found.densities[0].expected_cell_accuracy) == (None, None, None)
    assert found.overall.surrogate == found.overall.all_dead
    with pytest.raises(InputError, match="operations"):
        score(wide, Setting((2048, 2048), LIFE), grids=10, steps=100)


def test_tallies_add_up():
    random = np.random.default_rng(1)
    pairs = [tuple(random.integers(0, 2, (2, 6, 7)).astype(np.uint8)) for _ in range(5)]
    pairs.append((pairs[0][0], pairs[0][0]))
    whole, parts = Tally(), [Tally(), Tally()]
    for number, (predicted, after) in enumerate(pairs):
        for tally in (whole, parts[number % 2]):
            tally.one_step(predicted, after)
            tally.rollout(number, held=number == 5)
    parts[0].add(parts[1])
    assert sorted(parts[0].horizons) == whole.horizons
    together, found = parts[0].skill(), whole.skill()
    assert together == found
    assert found.cell_accuracy == np.mean([predicted == after for predicted, after in pairs])
    assert (found.grid_accuracy, found.horizon, found.horizon_min, found.rollouts_held) == (1 / 6, 2, 0, 1)


# The file

FILE = json.loads((SHIPPED / "surrogates" / "life-exact.json").read_text())


def written(tmp_path, change, name="life-exact"):
    """A file whose document `change` has worked on."""
    document = json.loads(json.dumps(FILE))
    change(document)
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(document, indent=1))
    return path


def put(value, *place):
    def change(document):
        for part in place[:-1]:
            document = document[part]
        document[place[-1]] = value

    return change


@settings(max_examples=25)
@given(st.data())
def test_what_is_written_is_read_again_bit_for_bit(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("models") / "net.json"
    numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
    sizes = [9, *data.draw(st.lists(st.integers(1, 4), max_size=2)), 1]
    layers = [
        (
            data.draw(arrays.arrays(np.float32, (after, before), elements=numbers)),
            data.draw(arrays.arrays(np.float32, after, elements=numbers)),
        )
        for before, after in pairwise(sizes)
    ]
    net = network(*layers, threshold=data.draw(st.floats(allow_nan=False, allow_infinity=False)))
    write_surrogate(net, path)
    again = read_surrogate(path)
    assert (again.name, again.title, again.rule, again.radius, again.activation) == ("net", "net", LIFE, 1, "relu")
    assert again.threshold == net.threshold
    for mine, other in zip(net.layers, again.layers, strict=True):
        assert mine.weights.tobytes() == other.weights.tobytes()
        assert mine.bias.tobytes() == other.bias.tobytes()
    before = path.read_bytes()
    write_surrogate(again, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "blamed", "what"),
    [
        (lambda d: d.pop("surrogate"), "line 1: surrogate", "is missing"),
        (put(2, "surrogate"), "line 2: surrogate", "2"),
        (put("life", "name"), "line 3: name", "differs from the file's name 'life-exact'"),
        (put("Life!", "name"), "line 3: name", "is not a name"),
        (lambda d: d.pop("title"), "line 1: title", "is missing"),
        (put("", "title"), "line 4: title", "length"),
        (put("B9/S", "rule"), "line 5: rule", "B9/S"),
        (put("/2/3", "rule"), "line 5: rule", "/2/3"),
        (put(0, "radius"), "line 6: radius", ">= 1"),
        (put(4, "radius"), "line 6: radius", "<= 3"),
        (put(2, "radius"), r"line 12: layers\[0\]\.weights\[0\]", "has 9 weights; the cells in a patch of radius 2 are 25"),
        (put("softmax", "activation"), "line 7: activation", "softmax"),
        (put("high", "threshold"), "line 8: threshold", "expected a number, got text"),
        (put([], "layers"), "line 9: layers", "length"),
        (put(FILE["layers"] * 3, "layers"), "line 9: layers", "length"),
        (put(FILE["layers"][:1], "layers"), r"layers\[0\]\.weights", "has 2 rows; the last layer has one unit"),
        (put([], "layers", 0, "weights"), r"layers\[0\]\.weights", "length"),
        (put([[1.0] * 9] * 257, "layers", 0, "weights"), r"layers\[0\]\.weights", "length"),
        (put([1.0] * 8, "layers", 0, "weights", 1), r"layers\[0\]\.weights\[1\]", "has 8 weights"),
        (put([1.0] * 3, "layers", 1, "weights", 0), r"layers\[1\]\.weights\[0\]", "has 3 weights; the units of layer 0 are 2"),
        (put([1.0], "layers", 0, "bias"), r"layers\[0\]\.bias", "has 1 numbers; the rows of weights are 2"),
        (put("1", "layers", 0, "weights", 0, 3), r"layers\[0\]\.weights\[0\]\[3\]", "expected a number, got text"),
        (put(True, "layers", 0, "weights", 0, 3), r"layers\[0\]\.weights\[0\]\[3\]", "expected a number"),
        (put(-3.5e38, "layers", 0, "weights", 0, 3), r"line 16: layers\[0\]\.weights\[0\]\[3\]", "larger than float32 holds"),
        (put(2.0**128 - 2.0**103, "layers", 1, "bias", 0), r"layers\[1\]\.bias\[0\]", "larger than float32 holds"),
        (put(1, "layers", 0, "scale"), r"layers\[0\]\.scale", "is not a field here"),
        (put({"seed": 1}, "training"), "training.densities", "is missing"),
        (put([], "scored"), "scored", "expected a mapping"),
        (put("eval", "loader"), "loader", "is not a field here"),
    ],
)
def test_what_is_no_surrogate_is_refused_by_line_and_field(tmp_path, change, blamed, what):
    with pytest.raises(InputError, match=rf"life-exact\.json: .*{blamed}: .*{what}") as caught:
        read_surrogate(written(tmp_path, change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is not JSON"),
        ("7", "expected"),
        ("[]", "expected"),
        ("{}", "line 1: surrogate: is missing"),
        ('{"surrogate": NaN}', "NaN is not JSON"),
        ('{"surrogate": 1, "surrogate": 1}', "appears twice"),
        ('{"surrogate": 1, "threshold": 1e999}', "1e999 is not a number"),
        ("[" * 5000, "not JSON|nested"),
        (" " * (1 << 20) + "{}", "is larger than 1048576 bytes"),
        ("\x80\x04\x95pickle".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path, text, what):
    path = tmp_path / "net.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=what):
        read_surrogate(path)


@pytest.mark.parametrize("target", ["nope", "../core/baseline", "", "life-mlp.JSON", "x" * 5000])
def test_surrogates_are_found_by_name_or_file(target, tmp_path):
    with pytest.raises(InputError, match="life-exact, life-mlp|no such file"):
        find_surrogate(SHIPPED, target)
    assert find_surrogate(SHIPPED, str(SHIPPED / "surrogates" / "life-mlp.json")).name == "life-mlp"
    with pytest.raises(InputError, match="are: none"):
        find_surrogate(tmp_path, "life-mlp")
    with pytest.raises(InputError, match=r"end in \.json"):
        read_surrogate(tmp_path / "model.pickle")


# The shipped example and its training


@pytest.mark.parametrize("name", ["life-mlp"])
def test_the_shipped_example_does_what_its_file_claims(name):
    model = find_surrogate(SHIPPED, name)
    claims = model.scored
    found = score(
        model,
        Setting(claims.size, model.rule, claims.boundary),
        densities=[claim.density for claim in claims.densities],
        grids=claims.grids,
        steps=claims.steps,
        seed=claims.seed,
    )
    assert found.neighbourhoods_right == claims.neighbourhoods_right < 512
    for claim, row in zip(claims.densities, found.densities, strict=True):
        skill = row.surrogate
        assert (claim.cell_accuracy, claim.grid_accuracy) == (skill.cell_accuracy, skill.grid_accuracy)
        assert (claim.horizon, claim.horizon_min) == (skill.horizon, skill.horizon_min)
        # Better than knowing nothing, and measured as often wrong as its table says.
        assert skill.cell_accuracy > max(row.all_dead.cell_accuracy, row.nothing_changes.cell_accuracy)
        assert skill.cell_accuracy == pytest.approx(row.expected_cell_accuracy, abs=1e-3)


def test_the_shipped_example_can_be_made_again():
    shipped_one, made, again = find_surrogate(SHIPPED, "life-mlp"), life_mlp(), train(LIFE, name="net", title="net", size=(10, 10))
    for mine, other in zip(made.layers, again.layers, strict=True):
        assert mine.weights.tobytes() == other.weights.tobytes()
        assert mine.bias.tobytes() == other.bias.tobytes()
    assert made.training == again.training == shipped_one.training
    # Another processor's last bits may lead to other guesses where nothing was seen, not to another network.
    assert np.count_nonzero(made.outcomes == shipped_one.outcomes) >= 500


def test_enough_patches_teach_the_rule_itself():
    for text in ("B3/S23", "B2/S", "B0/S8"):
        rule = parse_rule(text, dimensions=2)
        trained = train(rule, name="net", title="net", ages=(0, 2), size=(48, 48))
        assert np.array_equal(trained.outcomes, truth(rule)), text
        assert trained.training.samples == 3 * 2 * 48 * 48


def test_patches_come_from_the_ages_asked_for():
    # Life empties a full torus in one step, so afterwards one neighbourhood is all there is.
    trained = train(LIFE, name="net", title="net", densities=[1.0], ages=[1], size=(8, 8), epochs=300)
    assert (trained.training.samples, trained.training.neighbourhoods_seen) == (64, 1)
    assert not trained.outcomes[0]
    start = soup((8, 8), 1.0, 0)
    assert not simulate(start, LIFE, 1).any()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"rule": parse_rule("B5-7/S4-6", dimensions=3)}, "rule"),
        ({"hidden": 0}, "hidden"),
        ({"hidden": 257}, "hidden"),
        ({"seed": -1}, "seed"),
        ({"densities": []}, "densities"),
        ({"densities": [0.3, 0.3]}, "densities"),
        ({"densities": [-0.1]}, "densities"),
        ({"ages": []}, "ages"),
        ({"ages": [2, 1]}, "ages"),
        ({"ages": [-1]}, "ages"),
        ({"size": (2, 8)}, "size"),
        ({"size": (8, 1 << 20)}, "size"),
        ({"soups": 0}, "soups"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 10**9}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
    ],
)
def test_what_cannot_be_trained_is_refused(asked, field):
    with pytest.raises(InputError, match=f"^{field}: "):
        train(**{"rule": LIFE, "name": "net", "title": "net", **asked})
