"""The text is walked over before Cedar reads it: words, lookalikes, bounds. What Cedar takes is asked of Cedar."""

from __future__ import annotations

import json
import tracemalloc
from functools import cache

import cedarpy
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.policy.corpus import generated
from thunderlab.errors import InputError
from thunderlab.policy.text import bounds, lookalikes, schema_bounds
from thunderlab.policy.text.lexer import Lines, tokens, unescaped

HEAD = "permit(principal, action, resource)"


def when(condition: str) -> str:
    return f"{HEAD} when {{ {condition} }};"


@cache
def corpus(every: int) -> tuple[tuple[str, str], ...]:
    """Every n-th policy file of the public corpus, by name."""
    return tuple((test.name, test.policies) for test in generated(every))


def refusal(text: str, **options: bool) -> str:
    with pytest.raises(InputError) as refused:
        bounds.check(text, "f.cedar", **options)
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_words_of_a_policy():
    text = '@id("a\\"b") permit(principal == ?principal, action, resource) // no word "\nwhen {-1<=2&&a::b.c!=9};'
    assert [token.text for token in tokens(text)][:9] == ["@", "id", "(", '"a\\"b"', ")", "permit", "(", "principal", "=="]
    assert " ".join(token.text for token in tokens(text)).endswith(", resource ) when { - 1 <= 2 && a :: b . c != 9 } ;")
    assert all(text[token.start : token.end] == token.text for token in tokens(text))


def test_a_comment_ends_with_its_line():
    assert [token.text for token in tokens('a // "b\nc')] == ["a", "c"]
    assert [token.text for token in tokens("a//b\r\nc")] == ["a", "c"]


def test_lines_begin_at_one():
    lines = Lines("a\n\nb")
    assert [lines.of(place) for place in range(4)] == [1, 1, 2, 3]


PARTS = [
    "\\u{41}",
    "\\u{ffff}",
    "\\u{10ffff}",
    "\\u{110000}",
    "\\u{d800}",
    "\\u{0000041}",
    "\\x41",
    "\\x80",
    "\\n",
    "\\0",
    "\\'",
    '\\"',
    "\\*",
    "\\",
    "\\u{}",
    "aé",
]


@given(st.lists(st.sampled_from(PARTS) | st.characters(exclude_characters='"\n', codec="utf-8"), max_size=6))
@example(['"'])
@example(["\n"])
def test_strings_stand_for_what_cedar_takes_them_for(parts: list[str]):
    literal = '"' + "".join(parts) + '"'
    try:
        theirs = json.loads(cedarpy.policies_to_json_str(f"@a({literal}) {HEAD};"))["staticPolicies"]["policy0"]["annotations"]["a"]
    except ValueError:
        theirs = None
    try:
        ours = unescaped(literal) if [token.text for token in tokens(literal)] == [literal] else None
    except (InputError, ValueError):
        ours = None
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a\nb "c', "f.cedar: line 2: a string starts here that does not end"),
        (f"{HEAD};\n#", "f.cedar: line 2: # is no part of the language"),
        (when("a & b"), "f.cedar: line 1: & is no part of the language"),
        (when("\n\u0430 == 1"), "f.cedar: line 2: U+0430 CYRILLIC SMALL LETTER A outside a string and a comment"),
        (f"{HEAD}\u00a0;", "f.cedar: line 1: U+00A0 NO-BREAK SPACE outside a string and a comment"),
        ("permit(principal]", "f.cedar: line 1: policy policy0: ] closes a bracket, but ( of line 1 is open"),
        (f"{HEAD};\n}}", "f.cedar: line 2: policy policy1: } closes a bracket, but none is open"),
        ('@id("x")\npermit(\nprincipal', "f.cedar: line 2: policy x: ( is opened here and never closed"),
    ],
)
def test_what_is_no_text_of_policies_is_refused_with_its_line(text: str, said: str):
    assert refusal(text) == said


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\0", "U+0000 is a control character"),
        ("\x0b", "U+000B is a control character"),
        ("\x1b", "U+001B is a control character"),
        ("\x85", "U+0085 is a control character"),
        ("\u00ad", "U+00AD SOFT HYPHEN is an invisible format character"),
        ("\u200b", "U+200B ZERO WIDTH SPACE is an invisible format character"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE is an invisible format character"),
        ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE is an invisible format character"),
        ("\u2028", "U+2028 LINE SEPARATOR is a line break"),
        ("\u3164", "U+3164 HANGUL FILLER is an invisible character"),
        ("\ufe0f", "U+FE0F VARIATION SELECTOR-16 is an invisible character"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE is an invisible format character"),
        ("\ud800", "U+D800 is half a character"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A is an invisible format character"),
    ],
)
@pytest.mark.parametrize("frame", [(f"{HEAD};\n// ", ""), (f'{HEAD}\nwhen {{ "a', '" == 1 };'), (f"{HEAD}\n", ";")])
def test_what_one_cannot_see_is_refused_wherever_it_stands(character: str, name: str, frame: tuple[str, str]):
    for strict in (True, False):
        assert refusal(frame[0] + character + frame[1], strict=strict).startswith(f"f.cedar: line 2: {name}; ")


def test_a_lone_carriage_return_ends_a_comment_that_seems_to_go_on():
    text = f"// nothing here \r{HEAD};"
    assert len(json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]) == 1
    assert refusal(text).startswith("f.cedar: line 1: U+000D CARRIAGE RETURN without a line feed")
    assert len(bounds.check(text.replace("\r", "\r\n"))) == 1


@pytest.mark.parametrize(
    ("string", "what"),
    [
        ("\u0430dmin", "mixes letters of different scripts (CYRILLIC, LATIN) in one word"),
        ("fo\u03bfo", "mixes letters of different scripts (GREEK, LATIN) in one word"),
        ("\u13aaB", "mixes letters of different scripts (CHEROKEE, LATIN) in one word"),
        ("\u0578ame", "mixes letters of different scripts (ARMENIAN, LATIN) in one word"),
        ("\uff41dmin", "holds U+FF41 FULLWIDTH LATIN SMALL LETTER A, which passes for 'a'"),
        ("\U0001d41admin", "holds U+1D41A MATHEMATICAL BOLD SMALL A, which passes for 'a'"),
        ("the\u00a0lab", "holds U+00A0 NO-BREAK SPACE, a space that is none"),
        ("\ue000", "holds U+E000, a private character"),
        ("e\u0301", "is not in Unicode's normal form NFC: it looks like another string"),
        ("\u0440\u0430\u0443", "holds a word of Cyrillic letters that reads as a Latin one"),
    ],
)
def test_strings_that_pass_for_others_are_refused_unless_escaped(string: str, what: str):
    text = f'{HEAD}\nwhen {{ principal == User::"{string}" }};'
    assert refusal(text) == f"f.cedar: line 2: the string {what}; write such characters as \\u{{...}}"
    assert len(bounds.check(text, strict=False)) == 1
    escaped = "".join(one if one.isascii() else f"\\u{{{ord(one):x}}}" for one in string)
    assert len(bounds.check(text.replace(string, escaped))) == 1


@pytest.mark.parametrize(
    "string", ["Zürich", "Привет, мир", "José Ñandú", "東京タワー", "서울 2025", "Ωμέγα", "שלום", "naïve_user", "😀", "10 €"]
)
def test_honest_strings_of_any_language_are_accepted(string: str):
    assert lookalikes.misleading(f'"{string}"') is None


def many(text: str, times: int, between: str = "") -> str:
    return between.join([text] * times)


@pytest.mark.parametrize(
    ("most", "more", "said"),
    [
        (
            when(many("(", 199) + "true" + many(")", 199)),
            when(many("(", 200) + "true" + many(")", 200)),
            "brackets are nested deeper than 200",
        ),
        (when(many("[", 199) + many("]", 199)), when(many("[", 200) + many("]", 200)), "brackets are nested deeper than 200"),
        (
            when(many("{a:", 199) + "1" + many("}", 199)),
            when(many("{a:", 200) + "1" + many("}", 200)),
            "brackets are nested deeper than 200",
        ),
        (when(many("context.a", 1000, " && ")), when(many("context.a", 1001, " && ")), "a chain has over 1000 terms; split the policy"),
        (when(many("1", 1000, "+")), when(many("1", 1001, "-")), "a chain has over 1000 terms; split the policy"),
        (when(many("true||1*1", 333, "&&")), when(many("true||1*1", 334, "&&")), "a chain has over 1000 terms; split the policy"),
        (when("context" + many(".a", 200)), when("context" + many(".a", 201)), "over 200 of `.`, `[` or `::` in a row"),
        (when("context" + many('["a"]', 200)), when("context" + many('["a"]', 201)), "over 200 of `.`, `[` or `::` in a row"),
        (when(many("if true then 1 else ", 200) + "1"), when(many("if true then 1 else ", 201) + "1"), "`if` is nested deeper than 200"),
        (when("-" * 200 + "1"), when("-" * 201 + "1"), "over 200 signs in a row"),
        (
            when(many("(", 150) + "1" + many(many("+1", 12) + ")", 150)),
            when(many("(", 150) + "1" + many(many("+1", 14) + ")", 150)),
            "brackets and chains are over 2000 high in all; split the policy",
        ),
    ],
)
def test_bounds_hold_to_the_last_term(most: str, more: str, said: str):
    assert len(bounds.check(most)) == 1
    assert refusal(f'@id("p")\n{more}') == f"f.cedar: line 2: policy p: {said}"


@pytest.mark.parametrize("around", [" has a.b)", ' is A in B::"x")'])
def test_what_cedar_writes_out_again_and_again_is_counted(around: str):
    """Cedar takes a tenth of a second for twenty of them and twice as long for each one more."""
    assert len(bounds.check(when("(" * 10 + "context" + around * 10))) == 1
    assert "is used too often on what is too large" in refusal(when("(" * 40 + "context" + around * 40))
    assert len(bounds.check(when(many("(context" + around, 900, " && ")))) == 1


@pytest.mark.parametrize(
    "text",
    [
        when("(" * 20_000 + "true" + ")" * 20_000),
        when(many("true", 20_000, " && ")),
        "x" * 10_000_000,
        "(" * 1_000_000,
        '"' + "\\" * 1_000_000,
        '"\\' * 500_000,
        when("!" * 100_000),
        when("a" + ".a" * 100_000),
        when(many("if true then ", 50_000)),
        "@id(" * 200_000,
        "\ud800" * 400_000,
    ],
)
def test_hostile_text_is_refused_in_little_memory(text: str):
    tracemalloc.start()
    try:
        refusal(text)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_what_is_long_but_flat_is_accepted():
    assert len(bounds.check(when("[" + many('"some text"', 10_000, ",") + "].contains(context.a)"))) == 1
    assert len(bounds.check(many(when("context.a == 1 && context.b"), 2_000, "\n"))) == 2_000
    assert len(bounds.check(f"{HEAD} {many('when { true }', 1_500)};")) == 1


def test_words_are_counted():
    assert (
        refusal(when("[" + "1," * 150_000 + "1]")) == "f.cedar: line 1: policy policy0: the text has over 300000 words and signs; split it"
    )


def test_size_is_counted_in_bytes():
    assert bounds.check("//" + "é" * (bounds.BYTES // 2 - 1)) == ()
    assert refusal("//" + "é" * (bounds.BYTES // 2)) == "f.cedar: is larger than 1048576 bytes, the most accepted here"


def test_bytes_become_text():
    assert bounds.decode(b"\xef\xbb\xbfpermit") == "permit"
    with pytest.raises(InputError, match=r"^f: line 3: is not UTF-8 text \(byte 4\)$"):
        bounds.decode(b"a\nb\n\xff", "f")
    with pytest.raises(InputError, match="is larger than 1048576 bytes"):
        bounds.decode(b"a" * (bounds.BYTES + 1), "f")


def test_positions_of_policies():
    text = f'// first\n@id("a")\n@note("x") {HEAD};\n\n{HEAD}\nwhen {{ true }};permit(principal == ?principal, action, resource)'
    first, second, third = bounds.check(text)
    assert (first.first_line, first.last_line, first.id, first.id_line, first.template) == (2, 3, "a", 2, False)
    assert (second.first_line, second.last_line, second.id, second.template) == (5, 6, None, False)
    assert (third.first_line, third.last_line, third.id, third.template) == (6, 6, None, True)
    assert text[first.start : first.end].startswith("@id") and text[first.start : first.end].endswith(";")
    assert text[second.end - 1] == ";" and text[third.end - 1] == ")"


def test_ids_run_through_all_texts():
    first, second = bounds.check(f'{HEAD};@id("x"){HEAD};'), bounds.check(f"{HEAD};")
    assert bounds.identities([("a", first), ("b", second)]) == ("policy0", "x", "policy2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'@id("x"){HEAD};\n@a @id("x"){HEAD};', "f.cedar: line 2: policy x: the policy of line 1 has this id, too"),
        (f'@id("policy1"){HEAD};\n{HEAD};', "f.cedar: line 2: policy policy1: the policy of line 1 has this id, too"),
        (f'@id("\\u{{78}}"){HEAD};@id("x"){HEAD};', "f.cedar: line 1: policy x: the policy of line 1 has this id, too"),
        (f'\n@id(""){HEAD};', "f.cedar: line 2: policy policy0: its @id is empty; leave it away or say what the policy is called"),
        (f"@id {HEAD};", "f.cedar: line 1: policy policy0: its @id is empty; leave it away or say what the policy is called"),
        (f'@id("a\\u{{202e}}b"){HEAD};', "f.cedar: line 1: policy policy0: its @id must not hold what one cannot see"),
        (f'@id("a\\nb"){HEAD};', "f.cedar: line 1: policy policy0: its @id must not hold what one cannot see"),
    ],
)
def test_ids_that_name_no_policy_or_two_are_refused(text: str, said: str):
    with pytest.raises(InputError) as refused:
        bounds.identities([("f.cedar", bounds.check(text, "f.cedar"))])
    assert str(refused.value) == said


def test_duplicates_in_two_files_name_both():
    parts = [(name, bounds.check(f'\n@id("x"){HEAD};')) for name in ("a.cedar", "b.cedar")]
    with pytest.raises(InputError, match=r"^b\.cedar: line 2: policy x: the policy of a\.cedar, line 2 has this id, too$"):
        bounds.identities(parts)


def test_the_public_corpus_is_accepted_and_cut_where_cedar_cuts_it():
    for name, text in corpus(197):
        positions = bounds.check(text, name, strict=False)
        theirs = json.loads(cedarpy.policies_to_json_str(text))
        assert len(positions) == len(theirs["staticPolicies"]) + len(theirs["templates"])
        assert bounds.identities([(name, positions)]) == tuple(f"policy{place}" for place in range(len(positions)))
        for place, position in enumerate(positions):
            alone = json.loads(cedarpy.policies_to_json_str(text[position.start : position.end]))
            kind = "templates" if position.template else "staticPolicies"
            assert alone[kind]["policy0"] == theirs[kind][f"policy{place}"]


DOUBLING = "\n".join(f"type T{n} = {{a: T{n + 1}, b: T{n + 1}}};" for n in range(40)) + "\ntype T40 = Long; entity E {x: T0};"


def schema_in_json(types: int) -> str:
    named = {f"T{n}": {"type": "Set", "element": {"type": f"T{n + 1}"}} for n in range(types)}
    return json.dumps({"": {"commonTypes": named, "entityTypes": {f"E{n}": {} for n in range(types)}, "actions": {}}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DOUBLING, "s: has over 1000000 words once its types are written out, the most accepted here"),
        (f"entity {','.join(f'E{n}' for n in range(1001))};", "s: has over 1000 types of entities, the most accepted here"),
        (f"entity tags, {','.join(f'E{n}' for n in range(1000))};", "s: has over 1000 types of entities, the most accepted here"),
        (f"action {','.join(f'a{n}' for n in range(1001))};", "s: has over 1000 actions, the most accepted here"),
        (schema_in_json(1001), "s: has over 1000 types of entities, the most accepted here"),
        (
            f"entity E; action a appliesTo {{principal: [{many('E', 101, ',')}], resource: [{many('E', 100, ',')}]}};",
            "s: has over 10000 kinds of principal, action and resource that can come together, the most accepted here",
        ),
        ("entity E {x:\n" + "Set<" * 50 + "Long" + ">" * 50 + "};", "s: line 2: brackets are nested deeper than 50"),
        ('{"a":' + "[" * 200 + "]" * 200 + "}", "s: line 1: nested deeper than 32"),
        ('{"\\u0061":' + "[" * 200 + "]" * 200 + "}", "s: is nested deeper than 32"),
        (schema_in_json(1000), "s: has over 1000000 words once its types are written out, the most accepted here"),
        ("entity A;\n}", "s: line 2: } closes no bracket that is open"),
        ("entity A\n{ x: [1)", "s: line 2: ) closes no bracket that is open"),
        ("namespace A {\nentity A {", "s: line 2: { is opened here and never closed"),
        ("entity \u0410;", "s: line 1: U+0410 CYRILLIC CAPITAL LETTER A outside a string and a comment"),
        ("x" * ((1 << 18) + 1), "s: is larger than 262144 bytes, the most accepted here"),
    ],
)
def test_schemas_that_cost_too_much_are_refused(text: str, said: str):
    with pytest.raises(InputError) as refused:
        schema_bounds.check(text, "s")
    assert str(refused.value) == said


def test_schemas_people_write_are_accepted():
    text = """
    namespace Lab { @doc("x") type Size = { w: Long, h?: Set<Long> }; entity Agent, Robot in [Group] { size: Size } tags String; entity Group;
      action run, "stop" in [all] appliesTo { principal: [Agent, Robot], resource: Group, context: { size: Size } }; action all; }
    """
    assert schema_bounds.check(text) == 4
    assert cedarpy.Schema.from_str(text)
    assert schema_bounds.check(schema_in_json(300)) == 0
    assert schema_bounds.check('@doc("x");@doc') == 0, "Cedar says what is wrong with that"
