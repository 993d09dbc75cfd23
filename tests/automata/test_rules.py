"""Rule strings: what each stands for, how it is written back, and what is refused."""

import pickle
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.automata.rules import Elementary, Isotropic, LargerThanLife, OuterTotalistic, parse_rule, refuse_on_plane
from thunderlab.automata.rules.aliases import NAMES
from thunderlab.automata.rules.isotropic import CONFIGURATIONS
from thunderlab.automata.rules.outer_totalistic import NEIGHBOURS
from thunderlab.errors import InputError

# A string, the axes of the cells, and its canonical spelling.
SPELLINGS = [
    ("B3/S23", 2, "B3/S23"),
    ("b3/s23", 2, "B3/S23"),
    ("  B3/S23\n", 2, "B3/S23"),
    ("S23/B3", 2, "B3/S23"),
    ("B3S23", 2, "B3/S23"),
    ("23/3", 2, "B3/S23"),
    ("32/3", 2, "B3/S23"),
    ("/", 2, "B/S"),
    ("B/S", 2, "B/S"),
    ("BS", 2, "B/S"),
    ("B2-3/S2-3", 2, "B23/S23"),
    ("B3,6-8/S2,3", 2, "B3678/S23"),
    ("B012345678/S012345678", 2, "B012345678/S012345678"),
    ("B2/S34H", 2, "B2/S34H"),
    ("34/2h", 2, "B2/S34H"),
    ("B2/S013V", 2, "B2/S013V"),
    ("s013/b2v", 2, "B2/S013V"),
    ("/2/3", 2, "/2/3"),
    ("345/2/4", 2, "345/2/4"),
    ("B2/S345/4", 2, "345/2/4"),
    ("B2/S345/C4", 2, "345/2/4"),
    ("B2/S345/G4", 2, "345/2/4"),
    ("S345/B2/4", 2, "345/2/4"),
    ("345/2/256", 2, "345/2/256"),
    ("345/2/4H", 2, "345/2/4H"),
    ("b2/s34/4v", 2, "34/2/4V"),
    ("23/3/2", 2, "B3/S23"),
    ("34/2/2H", 2, "B2/S34H"),
    ("B3/S2-i34q", 2, "B3/S2-i34q"),
    ("S2-i34q/B3", 2, "B3/S2-i34q"),
    ("2-i34q/3", 2, "B3/S2-i34q"),
    ("B2A/S12", 2, "B2a/S12"),
    ("B2nic/S", 2, "B2cin/S"),
    ("B2ceikn/S", 2, "B2-a/S"),
    ("B4-qjrtwz/S", 2, "B4aceikny/S"),
    ("B2-a/S12/2", 2, "B2-a/S12"),
    ("B2aceikn3/S", 2, "B23/S"),
    ("B2-aceikn3/S", 2, "B3/S"),
    ("B0123478/S01234678", 2, "B0123478/S01234678"),
    ("R5,C0,M1,S34..58,B34..45,NM", 2, "R5,C0,M1,S34..58,B34..45,NM"),
    ("r5,c2,m1,s34..58,b34..45,nm", 2, "R5,C0,M1,S34..58,B34..45,NM"),
    ("R5,C1,M1,S34..58,B34..45,NM", 2, "R5,C0,M1,S34..58,B34..45,NM"),
    ("5,34,45,34,58", 2, "R5,C0,M1,S34..58,B34..45,NM"),
    ("R5,C2,S33-57,B34-45,NM", 2, "R5,C0,M0,S33..57,B34..45,NM"),
    ("R2,C3,M0,S2..3,6,B8..9,10..12,NC", 2, "R2,C3,M0,S2..3,6..6,B8..12,NC"),
    ("R50,C256,M1,S0..10201,B,NM", 2, "R50,C256,M1,S0..10201,B,NM"),
    ("W110", 2, "W110"),
    ("w0", 2, "W0"),
    ("Rule 30", 2, "W30"),
    ("rule255", 2, "W255"),
    ("B5-7/S4-6", 3, "B5-7/S4-6"),
    ("b5,6,7/s4,5,6", 3, "B5-7/S4-6"),
    ("S4-6/B5-7", 3, "B5-7/S4-6"),
    ("B13-14,17-19/S13-26", 3, "B13-14,17-19/S13-26"),
    ("B12/S", 3, "B12/S"),
    ("4-6/5-7/2/M", 3, "B5-7/S4-6"),
    ("4/4/5/M", 3, "4/4/5/M"),
    ("4/4/5/m", 3, "4/4/5/M"),
    ("0-6/1,3/2/N", 3, "0-6/1,3/2/N"),
    ("/1/2/N", 3, "/1/2/N"),
    ("1-3/1,4-5/5/N", 3, "1-3/1,4-5/5/N"),
]


@pytest.mark.parametrize(("text", "dimensions", "canonical"), SPELLINGS)
def test_a_rule_is_written_back_in_one_way(text, dimensions, canonical):
    rule = parse_rule(text, dimensions=dimensions)
    assert str(rule) == canonical
    assert parse_rule(canonical, dimensions=dimensions) == rule
    assert rule.dimensions == dimensions


def test_what_a_string_of_each_family_stands_for():
    hexagonal = parse_rule("B2/S34H", dimensions=2)
    assert hexagonal == OuterTotalistic(frozenset({2}), frozenset({3, 4}), 2, "hexagonal")
    assert (hexagonal.neighbours, hexagonal.radius, hexagonal.states) == (6, 1, 2)
    assert parse_rule("34/2/4V", dimensions=2) == OuterTotalistic(frozenset({2}), frozenset({3, 4}), 2, "von-neumann", states=4)
    assert parse_rule("0-6/1,3/9/N", dimensions=3) == OuterTotalistic(frozenset({1, 3}), frozenset(range(7)), 3, "von-neumann", states=9)
    assert parse_rule("B2-a/S12", dimensions=2) == Isotropic(
        frozenset({"2c", "2e", "2i", "2k", "2n"}), frozenset({"1c", "1e", "2a", "2c", "2e", "2i", "2k", "2n"})
    )
    assert parse_rule("R3,C7,M0,S2..4,B5..6,NC", dimensions=2) == LargerThanLife(
        3, 7, False, frozenset({2, 3, 4}), frozenset({5, 6}), "circular"
    )
    assert parse_rule("W110", dimensions=2) == Elementary(110)


counts = {key: st.frozensets(st.integers(0, most)) for key, most in NEIGHBOURS.items()}
outer_totalistic = st.sampled_from(sorted(NEIGHBOURS)).flatmap(
    lambda key: st.builds(
        OuterTotalistic, counts[key], counts[key], st.just(key[0]), st.just(key[1]), st.sampled_from([2, 2, 3, 4, 17, 255, 256])
    )
)
configurations = st.frozensets(st.sampled_from(sorted(CONFIGURATIONS)))
larger_than_life = st.tuples(st.sampled_from([1, 2, 3, 7, 50]), st.sampled_from(["moore", "von-neumann", "circular"])).flatmap(
    lambda pair: st.builds(
        LargerThanLife,
        st.just(pair[0]),
        st.sampled_from([2, 3, 256]),
        st.booleans(),
        st.frozensets(st.integers(0, 4), max_size=3),
        st.frozensets(st.integers(0, 4), max_size=3),
        st.just(pair[1]),
    )
)


@given(outer_totalistic | larger_than_life | st.builds(Elementary, st.integers(0, 255)))
def test_a_canonical_spelling_parses_to_an_equal_rule(rule):
    again = parse_rule(str(rule), dimensions=rule.dimensions)
    assert again == rule and hash(again) == hash(rule) and type(again) is type(rule)
    assert parse_rule(str(rule).lower(), dimensions=rule.dimensions) == rule
    assert pickle.loads(pickle.dumps(rule)) == rule


@given(configurations, configurations)
def test_the_shortest_spelling_of_an_isotropic_rule_parses_to_an_equal_rule(birth, survival):
    try:
        rule = Isotropic(birth, survival)
    except InputError:
        return  # it depends on counts alone
    assert parse_rule(str(rule), dimensions=2) == rule == pickle.loads(pickle.dumps(rule))
    for number, centre in ((0, 0), (1, 16)):
        alive = {block for name in (birth, survival)[number] for block in CONFIGURATIONS[name]}
        assert {block for block in range(512) if block & 16 == centre and rule.table[block]} == {block | centre for block in alive}


@given(counts[2, "moore"], counts[2, "moore"])
def test_an_isotropic_string_with_all_letters_is_an_outer_totalistic_rule(birth, survival):
    letters = {n: "".join(name[1:] for name in CONFIGURATIONS if name[0] == str(n)) for n in range(9)}
    text = "/".join(letter + "".join(f"{n}{letters[n]}" for n in sorted(half)) for letter, half in (("B", birth), ("S", survival)))
    assert parse_rule(text, dimensions=2) == OuterTotalistic(birth, survival, 2)


def test_the_configurations_are_the_blocks_up_to_turns_and_mirror_images():
    """51 of them (LifeWiki, "Isotropic non-totalistic rule"), 1, 2, 6, 10, 13, 10, 6, 2, 1 by count; together all blocks, once each."""
    assert sorted(block for blocks in CONFIGURATIONS.values() for block in blocks) == [n for n in range(512) if not n & 16]
    by_count = [sum(name[0] == str(count) for name in CONFIGURATIONS) for count in range(9)]
    assert by_count == [1, 2, 6, 10, 13, 10, 6, 2, 1]
    for name, blocks in CONFIGURATIONS.items():
        assert {block.bit_count() for block in blocks} == {int(name[0])}
        for block in blocks:
            picture = np.array([block >> bit & 1 for bit in range(9)]).reshape(3, 3)
            turned = {int((turn.ravel() << np.arange(9)).sum()) for turn in (np.rot90(picture), picture[::-1], picture[:, ::-1])}
            assert turned <= set(blocks)


@pytest.mark.parametrize("letter", "MNC")
@pytest.mark.parametrize("radius", [1, 2, 3, 4, 6, 12, 50])
def test_the_rows_of_a_large_neighbourhood(radius, letter):
    rule = parse_rule(f"R{radius},C0,M1,S1..1,B1..1,N{letter}", dimensions=2)
    steps = range(-radius, radius + 1)
    inside = {
        "M": lambda dy, dx: True,
        "N": lambda dy, dx: abs(dy) + abs(dx) <= radius,
        "C": lambda dy, dx: np.hypot(dy, dx) < radius + 0.5,  # Golly's help, "Larger than Life"
    }[letter]
    drawn = {(dy, dx) for dy in steps for dx in steps if inside(dy, dx)}
    assert {(dy, dx) for dy, width in zip(steps, rule.half_widths, strict=True) for dx in range(-width, width + 1)} == drawn
    assert rule.most == len(drawn)
    assert parse_rule(str(rule).replace("M1", "M0"), dimensions=2).most == len(drawn) - 1


def test_the_tables_of_a_large_neighbourhood_are_indexed_by_count():
    rule = parse_rule("R1,C0,M0,S2..3,B3..3,NM", dimensions=2)
    assert rule.born.tolist() == [n == 3 for n in range(9)]
    assert rule.stays.tolist() == [n in (2, 3) for n in range(9)]
    for table in (rule.born, rule.stays, parse_rule("B2-a/S12", dimensions=2).table):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = True


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_name_stands_for_a_rule(dimensions):
    for name, text in NAMES[dimensions].items():
        rule = parse_rule(text, dimensions=dimensions)
        for spelled in (name, name.upper(), name.lower(), name.replace(" ", ""), f" {name} "):
            assert parse_rule(spelled, dimensions=dimensions) == rule


@pytest.mark.parametrize(
    ("name", "dimensions", "canonical"),
    [
        ("Conway\N{RIGHT SINGLE QUOTATION MARK}s Life", 2, "B3/S23"),
        ("Day and Night", 2, "B3678/S34678"),
        ("Long life", 2, "B345/S5"),
        ("star-wars", 2, "345/2/4"),
        ("brians brain", 2, "/2/3"),
        ("clouds", 3, "B13-14,17-19/S13-26"),
        ("5766", 3, "B6/S5-7"),
    ],
)
def test_a_name_may_be_spelled_as_people_do(name, dimensions, canonical):
    assert str(parse_rule(name, dimensions=dimensions)) == canonical


REFUSED = [
    ("", 2, "is not a rule; accepted in 2D: B3/S23 or 23/3"),
    ("", 3, "is not a rule; accepted in 3D: B5-7/S4-6"),
    ("Lief", 2, "is not a rule; did you mean Life?"),
    ("HiLife", 2, "did you mean HighLife"),
    ("Cloud", 3, "did you mean Clouds"),
    ("B3", 2, "is not a rule"),
    ("B3/B23", 2, "is not a rule"),
    ("B3/S23/", 2, "is not a rule"),
    ("B3/S23X", 2, "no 3 neighbours lie as in 3x"),
    ("B3 / S23", 2, "is not a rule"),
    ("B-3/S23", 2, "'-3' is neither a count nor a range"),
    ("B3/S23:T10,10", 2, "choose a boundary"),
    ("\N{CIRCLED LATIN CAPITAL LETTER B}3/S23", 2, "is not a rule"),
    ("B\N{ARABIC-INDIC DIGIT THREE}/S23", 2, "is not a rule"),
    ("B3/S23\x00", 2, "is not a rule"),
    ("B9/S23", 2, "9 cannot be counted: a cell has 8 neighbours here, so counts go from 0 to 8"),
    ("B3/S9-12", 2, "cannot be counted"),
    ("B7/S2H", 2, "7 cannot be counted: a cell has 6 neighbours"),
    ("B2/S5V", 2, "5 cannot be counted: a cell has 4 neighbours"),
    ("45/2/4V", 2, "5 cannot be counted: a cell has 4 neighbours"),
    ("B33/S23", 2, "named twice"),
    ("B3,3/S23", 2, "named twice"),
    ("B4-3/S23", 2, "runs backwards"),
    ("B2-4/S23", 2, "2-4 is ambiguous: write the counts one by one, as in 234"),
    ("B12,3/S23", 2, "12 is ambiguous"),
    ("B3,/S23", 2, "'' is neither a count"),
    ("B3/S23/1", 2, "2 to 256 states, not 1"),
    ("B3/S23/0", 2, "2 to 256 states, not 0"),
    ("345/2/257", 2, "2 to 256 states, not 257"),
    ("345/2/" + "9" * 100, 2, "2 to 256 states"),
    ("345/2H/4", 2, "is not a rule"),
    ("B3z/S", 2, "letters after 3: a, c, e, i, j, k, n, q, r, y"),
    ("B/S1a", 2, "letters after 1: c, e"),
    ("B0c/S", 2, "letters after 0: none"),
    ("B8e/S", 2, "letters after 8: none"),
    ("B9a/S", 2, "9 cannot be counted"),
    ("B3aa/S", 2, "same letter twice"),
    ("B3a3i/S", 2, "same count is named twice"),
    ("B2-/S3a", 2, "letters to leave out are expected"),
    ("Ba3/S", 2, "is not a rule"),
    ("Banner", 2, "did you mean Banners?"),
    ("B3a,4/S", 2, "is not a list of counts"),
    ("B2-a/S12H", 2, "without H or V"),
    ("B2-a/S12V", 2, "without H or V"),
    ("B2-a/S12/3", 2, "two states"),
    ("R0,C0,M0,S2..3,B3..3,NM", 2, "R, the radius, is from 1 to 50, not 0"),
    ("R51,C0,M0,S2..3,B3..3,NM", 2, "R, the radius, is from 1 to 50, not 51"),
    ("R" + "9" * 100 + ",C0,M0,S2..3,B3..3,NM", 2, "R, the radius, is from 1 to 50"),
    ("R1,C257,M0,S2..3,B3..3,NM", 2, "C, the number of states, is from 0 to 256, not 257"),
    ("R1,C" + "9" * 100 + ",M0,S2..3,B3..3,NM", 2, "C, the number of states"),
    ("R1,C0,M2,S2..3,B3..3,NM", 2, "M, whether the middle counts, is 0 or 1, not 2"),
    ("R1,C0,M0,S2..3,B3..3,NX", 2, "N, the neighbourhood, is M (Moore), N (von Neumann) or C (circular), not 'X'"),
    ("R1,C0,M0,S2..3,B3..3,N", 2, "N, the neighbourhood"),
    ("R1,C0,M0,S3..2,B3..3,NM", 2, "the range S3..2 runs backwards"),
    ("R1,C0,M0,S2..9,B3..3,NM", 2, "counts go up to 8 in this neighbourhood, so 9"),
    ("R1,C0,M1,S2..6,B3..3,NN", 2, "counts go up to 5 in this neighbourhood, so 6"),
    ("R2,C0,M1,S2..22,B3..3,NC", 2, "counts go up to 21 in this neighbourhood, so 22"),
    ("R1,C0,M0,S2..99999,B3..3,NM", 2, "counts go up to 8"),
    ("R1,C0,M0,S2..999999,B3..3,NM", 2, "S takes ranges such as 34..58, not '2..999999'"),
    ("R1,C0,M0,S2.3,B3..3,NM", 2, "S takes ranges"),
    ("R1,C0,M0,S2..3,3..4,B3..3,NM", 2, "S names the same count twice"),
    ("5,34,45,58,34", 2, "runs backwards"),
    ("R1,C0,M0,S2..3,B3..3", 2, "is not a rule"),
    ("W256", 2, "W0 to W255"),
    ("W" + "1" * 150, 2, "W0 to W255"),
    ("Rule -1", 2, "is not a rule"),
    ("MAPARYXfhZofugWaH7oaIDogA", 2, "a MAP rule, which this engine does not run"),
    ("4/4/5/M", 2, "is a rule in 3 dimensions, and the cells have 2; accepted in 2D"),
    ("Clouds", 2, "is a rule in 3 dimensions"),
    ("B567/S456", 3, "567 is ambiguous where counts go up to 26"),
    ("B5-27/S4", 3, "27 cannot be counted: a cell has 26 neighbours"),
    ("B5-99999999999/S4", 3, "cannot be counted"),
    ("B" + "9" * 150 + "/S4", 3, "is neither a count nor a range"),
    ("B7-5/S4", 3, "runs backwards"),
    ("B5,5-7/S4", 3, "named twice"),
    ("7/1/2/N", 3, "7 cannot be counted: a cell has 6 neighbours"),
    ("4/4/1/M", 3, "2 to 256 states, not 1"),
    ("4/4/257/M", 3, "2 to 256 states, not 257"),
    ("4/4/5/X", 3, "is not a rule; accepted in 3D"),
    ("4/4/5", 3, "is a rule in 2 dimensions, and the cells have 3"),
    ("B2/S34H", 3, "is a rule in 2 dimensions"),
    ("B3/S2-i34q", 3, "is a rule in 2 dimensions"),
    ("W110", 3, "is a rule in 2 dimensions"),
    ("R5,C0,M1,S34..58,B34..45,NM", 3, "is a rule in 2 dimensions"),
    ("Brian's Brain", 3, "is a rule in 2 dimensions"),
]


@pytest.mark.parametrize(("text", "dimensions", "what"), REFUSED)
def test_what_is_no_rule_is_refused_in_one_line(text, dimensions, what):
    with pytest.raises(InputError) as caught:
        parse_rule(text, dimensions=dimensions)
    assert what in str(caught.value)
    assert caught.value.field == "rule" and "\n" not in str(caught.value)


def test_a_string_too_long_is_refused_without_repeating_it():
    with pytest.raises(InputError, match="^rule: a rule string has at most 200 characters$"):
        parse_rule("B" + "3" * 10**6, dimensions=2)
    assert str(parse_rule("B3/S23" + " " * 10**6, dimensions=2)) == "B3/S23"


@pytest.mark.parametrize("dimensions", [0, 1, 4, -2])
def test_other_dimensions_have_no_rules(dimensions):
    with pytest.raises(InputError, match=f"2 and 3 dimensions, not {dimensions}"):
        parse_rule("B3/S23", dimensions=dimensions)


@given(st.text(max_size=30) | st.text("BSRCMNWbs0123456789/-,.HV", max_size=30), st.sampled_from([2, 3]))
def test_any_text_is_a_rule_or_an_input_error(text, dimensions):
    try:
        rule = parse_rule(text, dimensions=dimensions)
    except InputError:
        return
    assert parse_rule(str(rule), dimensions=dimensions) == rule


@pytest.mark.parametrize(
    "make",
    [
        lambda: OuterTotalistic(frozenset({9}), frozenset(), 2),
        lambda: OuterTotalistic(frozenset({-1}), frozenset(), 2),
        lambda: OuterTotalistic(frozenset(), frozenset({7}), 3, "von-neumann"),
        lambda: OuterTotalistic(frozenset(), frozenset(), 3, "hexagonal"),
        lambda: OuterTotalistic(frozenset(), frozenset(), 1),
        lambda: OuterTotalistic(frozenset(), frozenset(), 2, states=257),
        lambda: OuterTotalistic(frozenset(), frozenset(), 2, states=1),
        lambda: OuterTotalistic.parse("B2-a/S12", dimensions=2),
        lambda: Isotropic(frozenset({"2b"}), frozenset()),
        lambda: Isotropic(frozenset({"2"}), frozenset()),
        lambda: Isotropic(frozenset({"0"}), frozenset()),
        lambda: Isotropic.parse("B3/S23"),
        lambda: Isotropic.parse("B2aceikn/S"),
        lambda: LargerThanLife(0, 2, True, frozenset(), frozenset()),
        lambda: LargerThanLife(1, 257, True, frozenset(), frozenset()),
        lambda: LargerThanLife(1, 2, False, frozenset({9}), frozenset()),
        lambda: LargerThanLife(1, 2, False, frozenset(), frozenset({-1})),
        lambda: Elementary(256),
        lambda: Elementary(-1),
    ],
)
def test_a_rule_that_does_not_exist_cannot_be_made(make):
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == "rule"


@pytest.mark.parametrize("text", ["B03/S23", "B0/SH", "2/0/4", "B01e/S", "R2,C0,M0,S1..2,B0..3,NM", "W1", "W255"])
def test_a_rule_that_bears_cells_out_of_nothing_cannot_run_on_a_plane(text):
    rule = parse_rule(text, dimensions=2)
    assert rule.spontaneous
    with pytest.raises(InputError, match=r"^boundary: .* fills an unbounded plane in one step; accepted with this rule: torus, dead"):
        refuse_on_plane(rule)


@pytest.mark.parametrize("text", ["B3/S023", "B2/S0H", "0/2/4", "B1e/S0", "R2,C0,M1,S0..2,B1..3,NM", "W30", "W254"])
def test_any_other_rule_can(text):
    rule = parse_rule(text, dimensions=2)
    assert not rule.spontaneous
    refuse_on_plane(rule)


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
@pytest.mark.parametrize("case", range(12))
def test_golly_writes_the_same_canonical_string(tmp_path, case):
    """Of random isotropic and Larger than Life rules, spelled at random."""
    rng = np.random.default_rng(case)
    for algorithm, text in (("QuickLife", _random_isotropic(rng)), ("Larger than Life", _random_larger_than_life(rng))):
        start, end = tmp_path / "start.rle", tmp_path / "end.rle"
        start.write_text(f"x = 1, y = 1, rule = {text}\no!\n")
        subprocess.run(["bgolly", "-a", algorithm, "-m", "0", "-o", end, start], check=True, capture_output=True)
        theirs = re.search(r"rule = (\S+)", end.read_text())
        assert str(parse_rule(text, dimensions=2)) == theirs[1]


def _random_isotropic(rng):
    """Return a rule without B0 in which each count has some letters, named or left out, in any order."""
    halves = []
    for low in (1, 0):
        half = ""
        for count in range(low, 9):
            letters = [name[1:] for name in CONFIGURATIONS if name[0] == str(count) and name[1:]]
            some = "".join(rng.permutation(letters)[: rng.integers(0, len(letters) + 1)]) if letters else ""
            half += str(rng.choice(["", f"{count}{'-' if some and rng.random() < 0.5 else ''}{some}"], p=[0.3, 0.7]))
        halves.append(half)
    return f"B{halves[0]}/S{halves[1]}"


def _random_larger_than_life(rng):
    radius, letter = int(rng.integers(1, 51)), str(rng.choice(list("MNC")))
    most = 2 * radius * (radius + 1)  # of the smallest neighbourhood
    birth, survival = (sorted(map(int, rng.integers(low, most + 1, 2))) for low in (1, 0))
    ranges = f"S{survival[0]}..{survival[1]},B{birth[0]}..{birth[1]}"
    return f"R{radius},C{rng.integers(0, 257)},M{rng.integers(0, 2)},{ranges},N{letter}"
