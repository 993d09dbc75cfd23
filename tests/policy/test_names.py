"""Names and the text form of uids, as Cedar takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy import documents
from thunderlab.policy.language.names import is_action_type, is_type_name, uid_from_text, unescaped
from thunderlab.policy.language.values import Uid

PIECES = (
    "a",
    '"',
    '\\"',
    "\\n",
    "\n",
    "\\t",
    "\\0",
    "\\u{0}",
    "\\u{e9}",
    "é",
    "'",
    "\\'",
    "\\\\",
    "\\",
    "\\x41",
    "\u0301",
    "\\u{301}",
    "\u200b",
)
PIECES += (
    "\\u{200b}",
    "\ufe0f",
    "😀",
    "\xa0",
    "\\u{a0}",
    "\x7f",
    "\\u{7f}",
    "\u3164",
    "\u115f",
    "\ue000",
    "//",
    "\\*",
    " ",
    "\\u{AD}",
    "\\u{ad}",
)
PIECES += ("\\u{d800}", "\\u{110000}", "\U000e0100", "\u034f", "\u0903", "\u200d", "\u2028")
STRANGE = ("if", "A::if", " User", "User ", "U ::V", "", "__cedar", "User//x\n", "1", "Ä", "User::", "::User", "a-b", "A::B")


@given(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), st.sampled_from(("User",) * 9 + STRANGE))
def test_a_uid_in_text_is_taken_in_cedars_own_spelling_only(id, type_):
    text = f'{type_}::"{id}"'
    taken = documents.cedar_builds({"principal": text, "action": 'Action::"a"', "resource": 'U::"a"'})
    try:
        found = uid_from_text(text)
    except ValueError:
        assert not taken, ascii(text)
    else:
        assert taken, ascii(text)
        assert found == Uid(type_, unescaped(id))


@pytest.mark.parametrize(
    ("id", "taken"),
    [
        ("a\u0301", True),
        ("\u0301", False),
        ("\\u{301}", True),
        ("a\\u{301}", False),
        ("\ufe0f", False),
        ("a\ufe0f", False),
        ("a\\u{fe0f}", True),
    ],
    ids=ascii,
)
def test_what_merges_with_a_quote_is_escaped_and_elsewhere_it_is_not(id, taken):
    text = f'U::"{id}"'
    assert documents.cedar_builds({"principal": text, "action": 'Action::"a"', "resource": 'U::"a"'}) is taken
    if taken:
        assert uid_from_text(text) == Uid("U", unescaped(id))
    else:
        with pytest.raises(ValueError, match="not spelled as Cedar"):
            uid_from_text(text)


def test_uids_read_from_text():
    assert uid_from_text('Lab::Agent::"O\\\'Brien"') == Uid("Lab::Agent", "O'Brien")
    assert uid_from_text('U::"\\u{1b}\\0"') == Uid("U", "\x1b\0")


@pytest.mark.parametrize(
    "text",
    [
        "User::a",
        '"a"',
        'User::"a',
        'User::"a"b"',
        'User::"a" ',
        pytest.param("x" * 100_000, id="long"),
        pytest.param('U::"' + "\\" * 100_001 + '"', id="escapes"),
    ],
)
def test_what_is_no_uid_is_refused_in_few_words(text):
    with pytest.raises(ValueError) as refused:
        uid_from_text(text)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("escape", ["\\q", "\\u{d800}", "\\u{110000}", "\\x80", "\\u{}", "\\u{1234567}"])
def test_escapes_of_no_character_are_refused(escape):
    with pytest.raises(ValueError):
        unescaped(escape)


def test_names_of_types():
    assert all(map(is_type_name, ("A", "_", "A::B", "__cedarx", "principal", "Set", "a1")))
    assert not any(map(is_type_name, ("", "A::", "1a", "A B", "A\n", "__cedar", "A::__cedar", "true", "A::has", "Ä", "A:B")))
    assert (
        is_action_type("Action") and is_action_type("A::B::Action") and not is_action_type("MyAction") and not is_action_type("Action::A")
    )
