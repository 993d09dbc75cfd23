"""Compatibility: what msgspec itself can read of what it wrote, and the cases schema registries publish."""

import enum
import functools
import itertools
from typing import Annotated, Literal

import jsonschema
import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from thunderlab.events.compatibility import differences

# Two structs of one name cannot both stand in one schema.
NEW_NAMES = (f"Struct{number}" for number in itertools.count())


def struct(**fields):
    listed = [(name, *kind) if isinstance(kind, tuple) else (name, kind) for name, kind in fields.items()]
    return msgspec.defstruct(next(NEW_NAMES), listed, kw_only=True)


def schema(kind):
    return msgspec.json.schema(kind)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shade(enum.Enum):
    RED = "red"


class Bell(msgspec.Struct, tag="bell"):
    times: int


class Gong(msgspec.Struct, tag="gong"):
    size: float


class Drum(msgspec.Struct, tag="drum"):
    beats: int


class Node(msgspec.Struct):
    name: str
    next: "Node | None" = None


class NumberedNode(msgspec.Struct):
    name: int
    next: "NumberedNode | None" = None


OLD = {"times": int, "loudness": (float, 0.5)}


# Confluent's documentation of FULL_TRANSITIVE allows to add and to delete optional fields, and nothing else; the rest are the ways
# in which JSON Schemas are narrowed and widened there. Each line: the other version, whether it reads OLD, whether OLD reads it.
@pytest.mark.parametrize(
    ("other", "reads_old", "read_by_old"),
    [
        ({"times": int, "loudness": (float, 0.5), "by": (str | None, None)}, True, True),
        ({"times": int, "loudness": (float, 0.5), "by": (str, "")}, True, True),
        ({"times": int}, True, True),
        ({"times": int, "loudness": (float, 0.25)}, True, True),
        ({"times": int, "loudness": (float, 0.5), "by": str}, False, True),
        ({"loudness": (float, 0.5)}, True, False),
        ({"times": (int, 0), "loudness": (float, 0.5)}, True, False),
        ({"times": int, "loudness": float}, False, True),
        ({"count": int, "loudness": (float, 0.5)}, False, False),
        ({"times": float, "loudness": (float, 0.5)}, True, False),
        ({"times": int, "loudness": (int, 0)}, False, True),
        ({"times": str, "loudness": (float, 0.5)}, False, False),
        ({"times": bool, "loudness": (float, 0.5)}, False, False),
        ({"times": int | None, "loudness": (float, 0.5)}, True, False),
        ({"times": int | str, "loudness": (float, 0.5)}, True, False),
        ({"times": Annotated[int, Meta(ge=0)], "loudness": (float, 0.5)}, False, True),
        ({"times": list[int], "loudness": (float, 0.5)}, False, False),
        ({"times": Literal[1, 2], "loudness": (float, 0.5)}, False, True),
    ],
)
def test_the_published_table_of_full_compatibility(other, reads_old, read_by_old):
    old, new = schema(struct(**OLD)), schema(struct(**other))
    assert (differences(new, old) == [], differences(old, new) == []) == (reads_old, read_by_old)


INT, TEXT = Annotated[int, Meta(ge=1, lt=10)], Annotated[str, Meta(min_length=1, max_length=3)]


# Each line: reader, writer, and whether all is read.
@pytest.mark.parametrize(
    ("reader", "writer", "fits"),
    [
        (Literal["a", "b"], Literal["a"], True),
        (Literal["a"], Literal["a", "b"], False),
        (Colour, Shade, True),
        (Shade, Colour, False),
        (str, Colour, True),
        (Colour, str, False),
        (int, Literal[1, 2], True),
        (bool, Literal[1], False),
        (Literal[1], bool, False),
        (Annotated[int, Meta(le=1)], Literal[1, 2], False),
        (Annotated[str, Meta(max_length=1)], Literal["a", "bc"], False),
        (Annotated[str, Meta(pattern="^a")], Literal["a"], False),
        (INT, Annotated[int, Meta(ge=1, le=9)], True),
        (INT, Annotated[int, Meta(gt=0, lt=10)], True),
        (INT, Annotated[int, Meta(ge=1, le=10)], False),
        (INT, Annotated[int, Meta(ge=0, le=9)], False),
        (Annotated[float, Meta(gt=0)], Annotated[float, Meta(ge=0)], False),
        (Annotated[float, Meta(ge=0)], Annotated[float, Meta(gt=0)], True),
        (Annotated[float, Meta(gt=0)], Annotated[int, Meta(ge=1)], True),
        (float, int, True),
        (int, float, False),
        (Annotated[int, Meta(multiple_of=2)], int, False),
        (int, Annotated[int, Meta(multiple_of=2)], True),
        (str, TEXT, True),
        (TEXT, str, False),
        (TEXT, Annotated[str, Meta(min_length=1)], False),
        (TEXT, Annotated[str, Meta(min_length=2, max_length=2)], True),
        (Annotated[str, Meta(pattern="^a")], str, False),
        (list[float], list[int], True),
        (list[int], list[float], False),
        (list[int], tuple[int, int], True),
        (tuple[int, int], list[int], False),
        (tuple[int, int], tuple[int, int, int], False),
        (tuple[int, float], tuple[int, int], True),
        (tuple[int, int], tuple[int, str], False),
        (Annotated[list[int], Meta(max_length=2)], list[int], False),
        (list[int], list[str], False),
        (dict[str, float], dict[str, int], True),
        (dict[str, int], dict[str, str], False),
        (dict[TEXT, int], dict[str, int], False),
        (dict[str, int], dict[TEXT, int], True),
        (Annotated[dict[str, int], Meta(min_length=1)], dict[str, int], False),
        (dict[str, int], struct(a=int, b=(int, 1)), True),
        (dict[str, int], struct(a=int, b=(str, "")), False),
        (struct(a=int), dict[str, int], False),
        (struct(a=(int, 0)), dict[str, int], True),
        (struct(a=(str, "")), dict[str, int], False),
        (struct(a=struct(b=float)), struct(a=struct(b=int)), True),
        (struct(a=struct(b=int)), struct(a=struct(b=int, c=int)), True),
        (struct(a=struct(b=int, c=int)), struct(a=struct(b=int)), False),
        (msgspec.defstruct("A", [("a", int)], forbid_unknown_fields=True), struct(a=int), True),
        (msgspec.defstruct("A", [("a", int)], forbid_unknown_fields=True), struct(a=int, b=(int, 1)), False),
        (Bell | Gong, Bell, True),
        (Bell | Gong | Drum, Bell | Gong, True),
        (Bell | Gong, Bell | Gong | Drum, False),
        (Bell | Gong | None, Bell | Gong, True),
        (Bell, Gong, False),
        (int | None, int, True),
        (int, int | None, False),
        (int | str | None, str | None, True),
        (msgspec.Raw, int, True),
        (int, msgspec.Raw, False),
        (Node, Node, True),
        (Node, NumberedNode, False),
    ],
)
def test_narrower_is_read_and_wider_is_not(reader, writer, fits):
    assert (differences(schema(reader), schema(writer)) == []) is fits


def test_a_constant_is_an_enumeration_of_one():
    assert differences({"const": 1}, {"enum": [1]}) == []
    assert differences({"enum": [1, 2]}, {"const": 1}) == []
    assert differences({"const": True}, {"const": 1}) == ["1 may be written, true is read"]


@pytest.mark.parametrize(
    "strange",
    [
        {"not": {"type": "null"}},
        {"type": ["integer", "null"]},
        {"type": "integer", "anyOf": [{"minimum": 1}]},
        {"enum": [1], "type": "null"},
    ],
)
def test_what_is_not_understood_counts_as_a_difference(strange):
    assert differences(strange, {"type": "integer"})


def test_sentences_name_the_path_and_both_sides():
    new = struct(who=struct(names=list[str]), counts=dict[str, int], place=(tuple[int, str] | None, None))
    old = struct(who=struct(names=list[int | None]), counts=dict[str, float], place=(tuple[int, int] | None, None))
    assert differences(schema(new), schema(old)) == [
        "who.names[*]: an integer may be written, text is read",
        "who.names[*]: null may be written, text is read",
        "counts.*: a number may be written, an integer is read",
        "place[1]: an integer may be written, text is read",
    ]


def test_a_reader_that_refuses_unknown_fields_says_so():
    strict = msgspec.defstruct("A", [("a", int)], forbid_unknown_fields=True)
    assert differences(schema(strict), schema(struct(a=int, b=(int, 1)))) == ["b: may be written, and unknown fields are refused"]


# A property: for any two structs without differences whatever one writes the other reads. Types are drawn as trees, so that the
# writer's type and values of it can both be made; the reader's is the writer's with a few changes, so that the two are near.

NAMES = ["a", "b", "c"]
KINDS = {"literal": {"int", "str"}, "list": {"array"}, "tuple": {"array"}, "map": {"object"}, "struct": {"object"}}


def _can_be_told_apart(trees):
    """Return whether msgspec takes a union of these: of every JSON type one at most, and none within another.

    Tuples of a certain length it takes and then crashes on, beside numbers and text with bounds (0.22.0); catalogues refuse them.
    """
    kinds = [KINDS.get(tree[0], {tree[0]}) for tree in trees]
    return not {"union", "tuple"} & {tree[0] for tree in trees} and sum(map(len, kinds)) == len(set().union(*kinds))


leaves = st.one_of(
    st.sampled_from(["int", "float", "str", "bool", "null"]).map(lambda name: (name,)),
    st.tuples(st.just("int"), st.none() | st.integers(-2, 0), st.none() | st.integers(2, 4), st.booleans()),
    st.tuples(st.just("str"), st.integers(0, 2), st.none() | st.integers(2, 4)),
    st.tuples(st.just("literal"), st.lists(st.sampled_from(["x", "y", 1, 2]), min_size=1, max_size=3, unique=True).map(tuple)),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("list"), inner, st.none() | st.integers(0, 2)),
        st.tuples(st.just("map"), inner),
        st.tuples(st.just("tuple"), st.lists(inner, min_size=1, max_size=2).map(tuple)),
        st.tuples(st.just("union"), st.lists(inner, min_size=2, max_size=3).map(tuple)).filter(lambda tree: _can_be_told_apart(tree[1])),
        st.tuples(st.just("struct"), st.dictionaries(st.sampled_from(NAMES), st.tuples(inner, st.booleans()), max_size=3), st.booleans()),
    ),
    max_leaves=5,
)
structs = st.tuples(st.just("struct"), st.dictionaries(st.sampled_from(NAMES), st.tuples(trees, st.booleans()), max_size=3), st.booleans())


def type_of(tree):
    match tree:
        case ("int", low, high, strict):
            bounds = {"gt" if strict else "ge": low, "lt" if strict else "le": high}
            return Annotated[int, Meta(**{name: bound for name, bound in bounds.items() if bound is not None})]
        case ("str", least, most):
            return Annotated[str, Meta(min_length=least, **({} if most is None else {"max_length": most}))]
        case (("int" | "float" | "str" | "bool" | "null") as name,):
            return {"int": int, "float": float, "str": str, "bool": bool, "null": type(None)}[name]
        case ("literal", values):
            return Literal[values]
        case ("list", inner, most):
            return list[type_of(inner)] if most is None else Annotated[list[type_of(inner)], Meta(max_length=most)]
        case ("map", inner):
            return dict[str, type_of(inner)]
        case ("tuple", parts):
            return tuple[tuple(type_of(part) for part in parts)]
        case ("union", parts):
            return functools.reduce(lambda united, part: united | part, map(type_of, parts))
        case ("struct", fields, forbids):
            listed = [(name, type_of(tree), *([None] if optional else [])) for name, (tree, optional) in fields.items()]
            return msgspec.defstruct(next(NEW_NAMES), listed, kw_only=True, forbid_unknown_fields=forbids)


def values_of(tree):
    match tree:
        case ("int", low, high, strict):
            low, high = (-5 if low is None else low + strict), (5 if high is None else high - strict)
            return st.integers(low, high)
        case ("str", least, most):
            return st.text("xyz", min_size=least, max_size=5 if most is None else most)
        case (("int" | "float" | "str" | "bool" | "null") as name,):
            numbers = {"int": st.integers(-5, 5), "float": st.floats(-5, 5), "str": st.text("xyz", max_size=5)}
            return {**numbers, "bool": st.booleans(), "null": st.none()}[name]
        case ("literal", values):
            return st.sampled_from(values)
        case ("list", inner, most):
            return st.lists(values_of(inner), max_size=3 if most is None else most)
        case ("map", inner):
            return st.dictionaries(st.sampled_from([*NAMES, "d"]), values_of(inner), max_size=2)
        case ("tuple", parts):
            return st.tuples(*map(values_of, parts)).map(list)
        case ("union", parts):
            return st.one_of(*map(values_of, parts))
        case ("struct", fields, _):
            required = {name: values_of(tree) for name, (tree, optional) in fields.items() if not optional}
            return st.fixed_dictionaries(
                required, optional={name: values_of(tree) for name, (tree, optional) in fields.items() if optional}
            )


def changed(tree):
    """Return a strategy of trees near a tree: here and there another one in its place, a bound moved, a field more or fewer."""
    match tree:
        case ("int", low, high, strict):
            near = st.tuples(
                st.just("int"), st.sampled_from([low, None, 0]), st.sampled_from([high, None, 3]), st.sampled_from([strict, not strict])
            )
        case ("str", least, most):
            near = st.tuples(st.just("str"), st.sampled_from([least, 0, 1]), st.sampled_from([most, None, 3]))
        case ("literal", values):
            near = st.sets(st.sampled_from([*values, "x", 1])).filter(bool).map(lambda few: ("literal", tuple(few)))
        case ("list", inner, most):
            near = st.tuples(st.just("list"), changed(inner), st.sampled_from([most, None, 1]))
        case ("map", inner):
            near = st.tuples(st.just("map"), changed(inner))
        case ("tuple", parts):
            near = st.tuples(st.just("tuple"), st.tuples(*map(changed, parts)))
        case ("union", parts):
            near = st.tuples(st.just("union"), st.tuples(*map(changed, parts))).filter(lambda tree: _can_be_told_apart(tree[1]))
        case ("struct", fields, forbids):
            kept = {
                name: st.tuples(changed(tree), st.sampled_from([optional, optional, not optional]))
                for name, (tree, optional) in fields.items()
            }
            more = st.dictionaries(st.sampled_from(NAMES), st.tuples(leaves, st.just(True)), max_size=1)
            near = st.builds(
                lambda few, more, dropped, forbids: ("struct", {name: one for name, one in (more | few).items() if name != dropped}, forbids),
                st.fixed_dictionaries(kept), more, st.sampled_from([None, None, *fields]), st.sampled_from([forbids, False]),
            )  # fmt: skip
        case _:
            near = st.just(tree)
    return st.one_of(st.just(tree), near, leaves) if tree[0] != "struct" else st.one_of(st.just(tree), near)


@settings(max_examples=300)
@given(st.data())
def test_what_has_no_differences_is_read_by_msgspec(data):
    tree = data.draw(structs)
    near = data.draw(changed(tree) | structs)
    writer, reader = type_of(tree), type_of(near)
    payload = msgspec.json.encode(data.draw(values_of(tree)))
    msgspec.json.decode(payload, type=writer)
    if differences(schema(reader), schema(writer)):
        event("differences")
    else:
        event("the same type" if tree == near else "read")
        msgspec.json.decode(payload, type=reader)
        jsonschema.validate(msgspec.json.decode(payload), schema(reader))


@settings(max_examples=200)
@given(structs)
def test_every_struct_reads_itself(tree):
    made = schema(type_of(tree))
    assert differences(made, msgspec.json.decode(msgspec.json.encode(made))) == []
