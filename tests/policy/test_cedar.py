"""The adapter to Cedar: lines in its errors, ids and order in its answers, and no text that ends the process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.test_lexer import HEAD, corpus, many, when
from thunderlab.errors import InputError
from thunderlab.policy.text import bounds, cedar

SCHEMA = 'entity U; entity R; action "a" appliesTo {principal: [U], resource: [R], context: {a: Long}};'
REQUEST = {"principal": {"type": "U", "id": "u"}, "action": {"type": "Action", "id": "a"}, "resource": {"type": "R", "id": "r"}}


def parsed(text: str, where: object = "f.cedar", first: int = 0) -> dict:
    return json.loads(cedar.to_json(text, bounds.check(text, where, strict=False, first=first), where, first))


def refusal(text: str) -> str:
    with pytest.raises(InputError) as refused:
        parsed(text)
    return str(refused.value)


def test_json_is_cedars_own():
    text = when("context.a == 1") + "permit(principal == ?principal, action, resource);"
    assert parsed(text) == json.loads(cedarpy.policies_to_json_str(text))
    assert parsed("") == {"templates": {}, "staticPolicies": {}, "templateLinks": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD};\n{HEAD}\nwhen {{\n1 * 2\n* 3 * * 4\n* 5 }};", "line 5: policy policy1: unexpected token `*`"),
        (f'{HEAD};\n@id("x")\n{HEAD}', "line 3: policy x: unexpected end of input"),
        (f"{HEAD}\nwhen {{ true }}\n{HEAD};", "line 3: policy policy0: unexpected token `(`"),
        (when("\nfoo(1)"), "line 2: policy policy0: `foo` is not a valid function"),
        (when("principal.foo\n.bar(2)"), "line 2: policy policy0: `bar` is not a valid method"),
        (when('true ||\n"a\\qb" == 1'), "line 2: policy policy0: the input `\\q` is not a valid escape"),
        (when("context.a ==\n99999999999999999999"), "line 2: policy policy0: integer parse error: number too large to fit in target type"),
        (
            when("9223372036854775807 ==\n-9223372036854775809"),
            "line 2: policy policy0: integer literal `9223372036854775809` is too large",
        ),
        (when("{a: 1,\na: 2} == 1"), "line 2: policy policy0: duplicate key `a` in record literal"),
        (f'@a("x")\n@a("y")\n{HEAD};', "line 2: policy policy0: duplicate annotation: @a"),
        (when("true &&\n?principal"), "line 2: policy policy0: found template slot ?principal in a `when` clause"),
        (f"{HEAD};\nallow(principal, action, resource);", "line 2: policy policy1: invalid policy effect: allow"),
        (f"{HEAD};\n;", "line 2: policy policy1: unexpected token `;`"),
        (f"{HEAD}\nwhen {{ true }}\nwhere {{ true }};", "line 3: policy policy0: invalid policy condition: where"),
        (
            "permit(\naction, principal, resource);",
            "line 2: policy policy0: found the variable `action` where the variable `principal` must be used",
        ),
        (when("context.a ==\n(b)"), "line 2: policy policy0: invalid variable: b"),
    ],
)
def test_errors_name_line_and_policy(text: str, said: str):
    with pytest.raises(ValueError, match=r".") as theirs:
        cedarpy.policies_to_json_str(text)
    assert str(theirs.value) in said
    assert refusal(text) == f"f.cedar: {said}"


def test_positions_count_the_policies_before():
    with pytest.raises(InputError, match=r"^f\.cedar: line 1: policy policy7: unexpected end of input$"):
        parsed(HEAD, first=7)


AT_THE_BOUNDS = [
    when(many("(", 199) + "true" + many(")", 199)),
    when(many("[", 199) + many("]", 199)),
    when(many("{a:", 199) + "1" + many("}", 199)),
    when(many("context.contains(", 199) + "1" + many(")", 199)),
    when(many("!!!!(", 199) + "true" + many(")", 199)),
    when(many("(true && ", 199) + "true" + many(" && true && true && true)", 199)),
    when(many("(" + many("if true then true else ", 8), 199) + "true" + many(")", 199)),
    when(many("[context" + many(".a", 1) + ", ", 199) + "1" + many("]", 199)),
    when(many("context.a", 1000, " && ")),
    when(many("1", 1000, "+") + " == 1"),
    when(many("if true then 1 else ", 200) + "1"),
    when("context" + many(".a", 200)),
    when("context has " + many("a", 200, ".")),
    when("[" + many('"some text"', 10_000, ",") + "].contains(context.a)"),
    f"{HEAD} {many('when { true }', 1_500)};",
    "permit(principal, action in [" + many('Action::"a"', 20_000, ",") + "], resource);",
    f"permit(principal is {many('A', 200, '::')}, action, resource);",
]
FORMATTED = set(range(len(AT_THE_BOUNDS))) - {6, 15}  # what nobody can read is not worth the time


@pytest.mark.parametrize("place", range(len(AT_THE_BOUNDS)))
def test_what_the_bounds_accept_cedar_survives(place: int):
    text = AT_THE_BOUNDS[place]
    positions = bounds.check(text)
    assert cedar.to_json(text, positions)
    cedar.validate(text, SCHEMA, positions)
    if place in FORMATTED:
        assert cedar.format(text)
    else:
        with pytest.raises(InputError, match="too large to be formatted"):
            cedar.format(text)


@pytest.mark.parametrize("shell", ["true", "ulimit -s 1024"])
def test_cedar_survives_on_small_stacks(shell: str):
    """Where the caller has a megabyte, or a thread of 256 KiB that twenty nested brackets exhaust."""
    program = (
        "import threading\n"
        "from tests.policy.test_cedar import AT_THE_BOUNDS, SCHEMA\n"
        "from thunderlab.policy.text import bounds, cedar\n"
        "def work():\n"
        "    for text in AT_THE_BOUNDS[:13]:\n"
        "        positions = bounds.check(text)\n"
        "        cedar.to_json(text, positions), cedar.validate(text, SCHEMA, positions)\n"
        "    print('alive')\n"
        "threading.stack_size(256 << 10)\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    done = subprocess.run(["bash", "-c", f"{shell}; exec '{sys.executable}' -"], input=program, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_the_size_of_other_stacks_is_left_alone():
    before = threading.stack_size()
    assert cedar.with_stack(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        cedar.with_stack(lambda: 1 // 0)
    assert threading.stack_size() == before


def test_validation_comes_in_the_order_of_the_text():
    text = "\n".join([when("context.a == 1"), *(when("context.b") for _ in range(12)), 'permit(principal == F::"x", action, resource);'])
    found = cedar.validate(text, SCHEMA, bounds.check(text))
    assert found == cedar.validate(text, SCHEMA, bounds.check(text))
    assert found[:12] == [(place, 'attribute `b` in context for Action::"a" not found') for place in range(1, 13)]
    assert [place for place, _ in found[12:]] == [13, 13]
    assert cedar.validate(when("context.a == 1"), SCHEMA, bounds.check(when("context.a == 1"))) == []


def test_validation_that_would_take_too_long_is_refused():
    kinds = "entity U; action a appliesTo {principal: [" + many("U", 100, ",") + "], resource: [" + many("U", 100, ",") + "]};"
    text = many(when("[" + many("1", 1000, ",") + "].contains(1)"), 2)
    with pytest.raises(InputError, match="is too large to be validated for 10000 kinds of requests"):
        cedar.validate(text, kinds, bounds.check(text))


def test_formatting_is_cedars_own():
    for name, text in corpus(197)[::5]:
        # One policy at a time: Cedar's takes a time that grows with the square of what it is given.
        assert cedar.format(text, name) == cedarpy.format_policies(text, 120, 4), name


def test_formatting_keeps_comments():
    text = f"// a\n{HEAD}; // b\n\n// c\n{HEAD}; //d\n//e"
    assert cedar.format(text) == cedarpy.format_policies(text, 120, 4)
    assert cedar.format("// nothing").strip() == "// nothing"


def test_formatting_that_would_take_too_long_is_refused():
    with pytest.raises(InputError, match=r"^f: holds policies too large to be formatted"):
        cedar.format(when("[" + many("1", 30_000, ",") + "].contains(1)"), "f")


def test_schemas_are_normalised_from_both_forms():
    as_json = {
        "": {
            "entityTypes": {"U": {}, "R": {}},
            "actions": {
                "a": {
                    "appliesTo": {
                        "principalTypes": ["U"],
                        "resourceTypes": ["R"],
                        "context": {"type": "Record", "attributes": {"a": {"type": "Long"}}},
                    }
                }
            },
        }
    }
    normal = cedar.normalise_schema(SCHEMA)
    assert cedar.normalise_schema(normal) == normal
    text = when("context.a") + when("context.b == 1")
    found = cedar.validate(text, cedar.normalise_schema(json.dumps(as_json)), bounds.check(text))
    assert [place for place, _ in found] == [0, 1] and found == cedar.validate(text, normal, bounds.check(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entity A {\n x: Strin };", "s: line 2: failed to resolve type: Strin"),
        ("entity A {\n x: }\n;\nentity B;", "s: line 2: unexpected token `}`"),
        ("entity A;\n entity A;", "s: line 2: `A` is declared twice"),
        ("entity A;\nentity", "s: line 2: unexpected end of input"),
        ('{"": {}}', "s: missing field `entityTypes` at line 1 column 7"),
        ('{"": {', "s: line 1: is not JSON: Expecting property name enclosed in double quotes"),
    ],
)
def test_errors_of_schemas_name_the_line(text: str, said: str):
    with pytest.raises(InputError) as refused:
        cedar.normalise_schema(text, "s")
    assert str(refused.value) == said


def test_the_oracle_answers_in_the_order_of_the_text_and_with_ids():
    text = (
        "".join(f'@id("p{n}")\n{HEAD};' for n in range(12))
        + when("context.nothing")
        + f'@id("no") {HEAD} when {{ false }};'
        + when("1 + true == 1")
    )
    oracle = cedar.Oracle(text)
    answer = oracle.decide({**REQUEST, "context": {}})
    assert answer == ("allow", tuple(f"p{n}" for n in range(12)), ("policy12", "policy14"), ())
    assert cedar.Oracle("").decide({**REQUEST, "context": {}}) == ("deny", (), (), ())


def test_the_oracle_says_when_a_request_cannot_be_built():
    answer = cedar.Oracle(f"{HEAD};", SCHEMA).decide({**REQUEST, "context": {"a": "text"}})
    assert answer.decision is None and answer.reasons == answer.errors == () and answer.request_errors


def test_the_oracle_takes_entities_of_its_own_and_of_a_request():
    uid = REQUEST["principal"]
    known = [{"uid": uid, "attrs": {"x": 1}, "parents": []}]
    oracle = cedar.Oracle(when("principal.x == 1"), None, known)
    assert oracle.decide({**REQUEST, "context": {}}).decision == "allow"
    assert oracle.decide({**REQUEST, "context": {}}, [{"uid": uid, "attrs": {"x": 2}, "parents": []}]).decision == "deny"
    assert oracle.decide({**REQUEST, "context": {}}, []).errors == ("policy0",)


def test_the_oracle_refuses_two_policies_of_one_id():
    with pytest.raises(InputError, match="the policy of line 1 has this id, too"):
        cedar.Oracle(f'@id("x") {HEAD};\n@id("x") {HEAD};')


def survives(text: str) -> None:
    """Either it parses or it is refused, and then with exit code 2; a process that ended would be a red test run."""
    try:
        positions = bounds.check(text, "f", strict=False)
        theirs = json.loads(cedar.to_json(text, positions, "f"))
    except InputError as error:
        refused = str(error)
    except RecursionError:
        return  # Python's own reader of JSON is recursive; ours is not
    else:
        refused = None
    if refused is not None:
        assert refused.startswith("f: ")
        return
    assert len(positions) == len(theirs["staticPolicies"]) + len(theirs["templates"])
    for place, position in enumerate(positions):
        kind = "templates" if position.template else "staticPolicies"
        annotations = theirs[kind][f"policy{place}"].get("annotations", {})
        assert (annotations.get("id") or "", "id" in annotations) == (position.id or "", position.id is not None)


@settings(max_examples=50)
@given(st.text(max_size=100))
def test_any_text_parses_or_is_refused(text: str):
    survives(text)


WORDS = """permit forbid ( ) { } [ ] , ; : :: . @ @id("x") @id principal action resource context when unless if then else has is in like && || ! - + *
    == < true 1 "a" ?principal User::"a" a.b"""


@settings(max_examples=100)
@given(st.data())
def test_mutated_policies_parse_or_are_refused(data: st.DataObject):
    base = data.draw(
        st.sampled_from(
            [
                when("context.a == 1 && [1, 2].contains(context.b) || principal is U"),
                f'@id("x") {HEAD} unless {{ if context has a.b then (1 + 2 * 3 < 4) else !true }};{HEAD};',
                'permit(principal in ?principal, action in [Action::"a"], resource is R in R::"x") when { {a: 1}["a"] like "x*" };',
            ]
        )
    )
    pieces = base.split(" ")
    words = st.sampled_from([*WORDS.split(), "//c\n"])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(pieces)))
        pieces[place : place + data.draw(st.integers(0, 2))] = [data.draw(words)] * data.draw(st.sampled_from([1, 1, 2, 199, 1000]))
    survives(" ".join(pieces))


def test_types_that_name_each_other_in_a_row_are_no_larger_than_they_are():
    chain = "".join(f"type A{at} = A{at + 1};\n" for at in range(40)) + "type A40 = Long; entity U { x: A0 };"
    assert "entity U" in cedar.normalise_schema(chain)


def test_a_message_that_repeats_the_whole_text_is_cut():
    names = ", ".join(['A::"x"'] * 3_000)
    text = f"permit(principal, action in [{names}], resource);"
    with pytest.raises(InputError, match="expected entity uids with type `Action`") as told:
        cedar.to_json(text, bounds.check(text))
    assert len(str(told.value)) < 400
