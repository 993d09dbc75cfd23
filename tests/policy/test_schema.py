"""Schemas: what the names in them stand for is what Cedar takes them for."""

import json
import random

import cedarpy
import pytest

from tests.policy import documents
from thunderlab.errors import InputError
from thunderlab.policy.language.types import Attribute, EntityOf, Plain, RecordType, SetType
from thunderlab.policy.language.values import Uid
from thunderlab.policy.requests.entities import read_entities
from thunderlab.policy.requests.request import RequestError
from thunderlab.policy.text.schema import read_vocabulary


def read(text):
    """Read a schema from its own text and from Cedar's, which must agree."""
    normal = str(cedarpy.Schema.from_str(text))
    vocabulary = read_vocabulary(text)
    assert normal.startswith("<") or read_vocabulary(normal) == vocabulary
    return vocabulary


def attribute(vocabulary, entity, name):
    return vocabulary.entities[entity].attributes.attributes[name].type


def test_everything_a_schema_can_say():
    found = read(r"""
        // a comment; "not a string
        @doc("in the } empty namespace; \"x\"") entity Plain;
        namespace A::B {
          type T = {a: Long, "b \"c\""?: Set<String>,};
          @k entity U, V in [G, C::H] = {x: T, @note("n") y: {z?: U}} tags Set<Long>;
          entity G {old: Bool}; entity E enum ["a", "b\n\u{e9}"];
          action "z"; action x, "y z" in [z, C::Action::"top"] appliesTo {context: T, principal: [U, Plain], resource: G,} attributes {};
          action w in Action::"z" appliesTo {principal: U, resource: [V, G], context: {n?: Long}};
        }
        namespace C { entity H; action top; }
    """)
    t = RecordType({"a": Attribute(Plain("Long")), 'b "c"': Attribute(SetType(Plain("String")), required=False)})
    u = found.entities["A::B::U"]
    assert set(found.entities) == {"Plain", "A::B::U", "A::B::V", "A::B::G", "A::B::E", "C::H"}
    assert u.attributes == RecordType(
        {"x": Attribute(t), "y": Attribute(RecordType({"z": Attribute(EntityOf("A::B::U"), required=False)}))}
    )
    assert (u.parents, u.tags, u.ids) == ({"A::B::G", "C::H"}, SetType(Plain("Long")), None)
    assert found.entities["A::B::V"].attributes == u.attributes
    assert found.entities["A::B::E"].ids == {"a", "b\né"}
    assert attribute(found, "A::B::G", "old") == Plain("Bool")
    yz = found.actions[Uid("A::B::Action", "y z")]
    assert yz.parents == {Uid("A::B::Action", "z"), Uid("C::Action", "top")}
    assert (yz.principals, yz.resources, yz.context) == ({"A::B::U", "Plain"}, {"A::B::G"}, t)
    assert found.actions[Uid("A::B::Action", "w")].parents == {Uid("A::B::Action", "z")}
    top = found.actions[Uid("C::Action", "top")]
    assert (top.principals, top.resources, top.context) == (frozenset(), frozenset(), RecordType())


def test_ones_own_namespace_comes_first_then_the_empty_one():
    found = read("entity X = {a: Y}; entity Y; namespace N { entity Z = {y: Y, z: Z, full: N::Z}; }")
    assert attribute(found, "X", "a") == EntityOf("Y")
    assert [attribute(found, "N::Z", name) for name in ("y", "z", "full")] == [EntityOf("Y"), EntityOf("N::Z"), EntityOf("N::Z")]


def test_a_name_with_its_namespace_means_that_one_only():
    found = read("namespace N { entity Z = {a: N::Z}; } namespace N::N { entity Z; }")
    assert attribute(found, "N::Z", "a") == EntityOf("N::Z")


def test_a_common_type_comes_before_a_type_of_entities():
    found = read("namespace N { entity T; type T = Long; entity U in T = {a: T, b: Set<T>}; }")
    assert attribute(found, "N::U", "a") == Plain("Long")
    assert attribute(found, "N::U", "b") == SetType(Plain("Long"))
    assert found.entities["N::U"].parents == {"N::T"}


def test_cedars_own_types_come_last():
    found = read(
        "entity Long; entity U = {a: Long, b: __cedar::Long, c: decimal}; namespace N { type decimal = String; entity V = {d: decimal, i: ipaddr}; }"
    )
    assert [attribute(found, "U", name) for name in "abc"] == [EntityOf("Long"), Plain("Long"), Plain("decimal")]
    assert [attribute(found, "N::V", name) for name in "di"] == [Plain("String"), Plain("ipaddr")]


def test_actions_are_a_type_in_each_namespace_that_has_any():
    found = read(
        "action a; entity U = {x: Action}; namespace N { action b; entity V = {y: Action, z: Set<N::Action>}; } namespace O { entity W = {w: Action}; }"
    )
    assert attribute(found, "U", "x") == attribute(found, "O::W", "w") == EntityOf("Action")
    assert attribute(found, "N::V", "y") == EntityOf("N::Action")


def test_names_may_be_words_of_the_language():
    found = read(
        'entity entity, tags, enum; entity type in entity = {in_: tags, appliesTo: enum, namespace?: type} tags type; action action, "in" in action2; action action2;'
    )
    assert attribute(found, "type", "in_") == EntityOf("tags")
    assert found.entities["type"].tags == EntityOf("type")
    assert found.actions[Uid("Action", "in")].parents == {Uid("Action", "action2")}


def test_a_namespace_may_be_opened_again_for_common_types_that_chain():
    assert attribute(read("type A = B; type B = Set<C>; type C = {d: datetime}; entity U = {a: A};"), "U", "a") == SetType(
        RecordType({"d": Attribute(Plain("datetime"))})
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("entity U = {a: Nope};", "'Nope' is no type"),
        ("entity U in Nope;", "'Nope' is no type of entities"),
        ("action a in b;", "no action that the schema declares"),
        ("entity U", "the end of the text"),
        ("entity 'U';", "cannot be read"),
        ('entity U = {"a: Long};', "cannot be read"),
        ("permit(principal);", "'permit' where 'action' belongs"),
        ("action a appliesTo {when: U};", "not to 'when'"),
        ("action a appliesTo {context: Long};", "is a record"),
        ("entity U = {a: " + "Set<" * 200 + "Long" + ">" * 200 + "};", "deeper than 127"),
        (
            "type T0 = {a: Long};" + "".join(f"type T{n} = {{a: T{n - 1}}};" for n in range(1, 200)) + "entity U = {a: T199};",
            "deeper than 127",
        ),
        (
            "".join(f"type T{n} = {{a: T{n - 1}}};" for n in range(199, 0, -1))
            + "type T0 = {a: Long}; entity U = {a: T60, b: T120, c: T199};",
            "deeper than 127",
        ),
        ("".join(f"type T{n} = T{n + 1};" for n in range(5000)) + "type T5000 = Long; entity U = {a: T0};", "deeper than 127"),
    ],
)
def test_what_is_no_schema_is_bad_input(text, what):
    with pytest.raises(InputError, match=what):
        read_vocabulary(text)


def test_a_type_that_many_share_is_read_once():
    text = "type T0 = {a: Long};" + "".join(f"type T{n} = {{a: T{n - 1}, b: T{n - 1}}};" for n in range(1, 100)) + "entity U = {a: T99};"
    assert attribute(read_vocabulary(text), "U", "a").attributes.keys() == {"a", "b"}


NAMESPACES = ("", "A", "A::B", "Long", "in_", "type")
NAMES = (
    "User",
    "Long",
    "String",
    "T",
    "E",
    "G",
    "decimal",
    "ipaddr",
    "Set",
    "entity",
    "enum",
    "tags",
    "appliesTo",
    "Bool",
    "Action",
    "context",
)
ATTRIBUTES = (
    "a",
    '"c d"',
    '"if"',
    '"in"',
    '"\\""',
    '"\\n"',
    '"\'"',
    '"é"',
    '"\\u{301}x"',
    "enum",
    '"__cedar"',
    '"__entity"',
    '""',
    "principal",
)
ACTIONS = ("v", '"w x"', '"\\u{0}"', '"q\\"q"', '"\'"', '"é"', '"\\\\"', '"Action"', '"\u200b"')
BUILT_IN = ("__cedar::Long", "__cedar::Bool", "__cedar::decimal", "Long", "String", "datetime", "Bool")


class _Writer:
    """Writes schemas at random; Cedar takes about one in sixty."""

    def __init__(self, rng):
        self.rng = rng

    def reference(self):
        pick, name = self.rng.random(), self.rng.choice(NAMES)
        if pick < 0.6:
            return name
        namespace = self.rng.choice(NAMESPACES)
        return self.rng.choice(BUILT_IN) if pick < 0.8 else f"{namespace}::{name}" if namespace else name

    def type(self, depth=0):
        pick = self.rng.random()
        if depth > 2 or pick < 0.6:
            return self.reference()
        return f"Set<{self.type(depth + 1)}>" if pick < 0.8 else self.record(depth + 1)

    def record(self, depth=0):
        names = self.rng.sample(ATTRIBUTES, self.rng.randrange(2))
        return "{" + ", ".join(f"{name}{self.rng.choice(['', '?'])}: {self.type(depth)}" for name in names) + "}"

    def entity(self, name):
        if self.rng.random() < 0.15:
            return f'entity {name} enum ["a", "b\\"c"];'
        parents = self.rng.choice(["", "", f" in {self.rng.choice(NAMES)}", f" in [{self.reference()}, {self.rng.choice(NAMES)}]"])
        shape = self.rng.choice([" = ", " ", ""]) + self.record() if self.rng.random() < 0.8 else ""
        return f"entity {name}{parents}{shape}{' tags ' + self.type() if self.rng.random() < 0.2 else ''};"

    def action(self, name):
        parents = self.rng.choice(["", "", " in [v]", ' in Action::"w x"'])
        applies = f" appliesTo {{principal: [{self.rng.choice(NAMES)}, {self.reference()}], resource: {self.rng.choice(NAMES)}, context: {self.record()}}}"
        return f"action {name}{parents}{applies if self.rng.random() < 0.7 else ''};"

    def schema(self):
        parts = []
        for namespace in self.rng.sample(NAMESPACES, self.rng.choice([1, 1, 2])):
            body = [f"type {name} = {self.type()};" for name in self.rng.sample(NAMES, self.rng.randrange(3))]
            body += [self.entity(name) for name in self.rng.sample(NAMES, self.rng.randrange(1, 5))]
            body += [self.action(name) for name in self.rng.sample(ACTIONS, self.rng.randrange(3))]
            self.rng.shuffle(body)
            parts.append(f"namespace {namespace} {{ {' '.join(body)} }}" if namespace else " ".join(body))
        return "\n".join(parts)


def _fitting(type_, vocabulary, name="id"):
    """Return a JSON value of a type."""
    if isinstance(type_, Plain):
        texts = {"decimal": "1.0", "ipaddr": "1.1.1.1", "datetime": "2024-01-01", "duration": "1h", "Bool": True, "Long": 3, "String": "x"}
        return texts[type_.name]
    if isinstance(type_, SetType):
        return [_fitting(type_.of, vocabulary, name)]
    if isinstance(type_, RecordType):
        return {field: _fitting(one.type, vocabulary, name) for field, one in type_.attributes.items()}
    kind = vocabulary.entities.get(type_.name)
    if kind is None:
        return {"type": type_.name, "id": next(uid.id for uid in vocabulary.actions if uid.type == type_.name)}
    return {"type": type_.name, "id": min(kind.ids) if kind.ids else name}


def _agree(listed, vocabulary, schema):
    theirs = documents.cedar_entities(listed, schema) is not None
    try:
        read_entities(listed, vocabulary)
    except RequestError:
        assert not theirs, json.dumps(listed)
    else:
        assert theirs, json.dumps(listed)
    return theirs


@pytest.mark.parametrize("seed", range(2))
def test_names_are_resolved_as_cedar_resolves_them(seed):
    """What we take for a value of each type, Cedar takes; what is of no type, neither takes."""
    writer, taken = _Writer(random.Random(seed)), 0
    while taken < 20:
        text = writer.schema()
        try:
            schema = cedarpy.Schema.from_str(text)
        except ValueError:
            continue
        taken += 1
        vocabulary = read(text)
        for kind in vocabulary.entities.values():
            entity = {
                "uid": _fitting(EntityOf(kind.name), vocabulary),
                "attrs": _fitting(kind.attributes, vocabulary),
                "parents": [_fitting(EntityOf(parent), vocabulary, "parent") for parent in kind.parents],
                "tags": {} if kind.tags is None else {"t": _fitting(kind.tags, vocabulary)},
            }
            assert _agree([entity], vocabulary, schema) or kind.ids, text
            for name in kind.attributes.attributes:
                for wrong in (True, 3, "!", {"nope": 1}, ["!"]):
                    _agree([{**entity, "attrs": {**entity["attrs"], name: wrong}}], vocabulary, schema)


@pytest.mark.parametrize("text", ["namespace N { entity T; type T = Long; entity U = {t: T}; }"])
def test_cedar_cannot_write_what_it_can_read(text):
    """The reason why schemas are read from their own text: here Cedar has none of its own."""
    assert str(cedarpy.Schema.from_str(text)).startswith("<")
    assert attribute(read_vocabulary(text), "N::U", "t") == Plain("Long")
