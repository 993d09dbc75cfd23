"""Mutants that change no answer, and why: (module, function or empty, part of the change, the reason)."""

from __future__ import annotations

_CHECKED = "without the mark that a value is a boolean it is only checked once more"
_FOLDED = "less is folded"
_GENERAL = "the general function says the same; this one is only faster"
_WORDS = "which of two operands is wrong is only told in the error's text"
_ONLY_ONE = "there is only one"
_COST = "the same is only done more often"

EQUIVALENT = (
    ("closure", "compiled", "if id(part) not in codes -> if True", _COST),
    ("closure", "compiled", "part.name not in OPERATORS -> isinstance(part, tree.Apply)", _FOLDED),
    ("closure", "_folded", "True -> False", _CHECKED),
    ("closure", "_constant_code", "True -> False", _FOLDED),
    ("closure", "_boolean", "if code.boolean -> if False", _CHECKED),
    ("closure", "_all", "2 -> 3", "chains are only cut elsewhere"),
    ("closure", "_any", "2 -> 3", "chains are only cut elsewhere"),
    ("closure", "_and", "True -> False", _CHECKED),
    ("closure", "_or", "True -> False", _CHECKED),
    ("closure", "_get_attribute", "-> if False", _GENERAL),
    ("closure", "_get_attribute", "0 -> -1", _ONLY_ONE),
    ("closure", "get", "if type(value) is Uid -> if True", "what is no entity has no attributes either, and fails alike"),
    ("closure", "_has_attribute", "-> if False", _GENERAL),
    ("closure", "_has_attribute", "0 -> -1", _ONLY_ONE),
    ("closure", "_has_attribute", "True -> False", _CHECKED),
    ("closure", "_like", "0 -> -1", _ONLY_ONE),
    ("closure", "_like", "True -> False", _CHECKED),
    ("closure", "_is", "0 -> -1", _ONLY_ONE),
    ("closure", "_is", "True -> False", _CHECKED),
    ("closure", "", "if call is not None -> if False", _GENERAL),
    ("operators", "", "_ordered(left, right) -> _ordered(right, left)", _WORDS),
    ("operators", "", "_longs(left, right) -> _longs(right, left)", _WORDS),
    ("operators", "", "_sets(container, values) -> _sets(values, container)", _WORDS),
    ("operators", "", "equal(left, right) -> equal(right, left)", "equality is symmetric"),
    ("operators", "checked", "True -> False", "their numbers were compared before"),
    ("shapes", "compared", "general(value, limit) -> general(limit, value)", _WORDS),
    ("extensions", "ip", "without except ValueError", "the error is caught one call further out"),
)
