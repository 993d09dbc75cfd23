"""Mutants that change no answer, and why: (module, function or empty, part of the change, the reason)."""

from __future__ import annotations

_CHECKED = "without the mark that a value is a boolean it is only checked once more"
_FOLDED = "less is folded"
_GENERAL = "the general function says the same; this one is only faster"
_WORDS = "which of two operands is wrong is only told in the error's text"
_ONLY_ONE = "there is only one"
_COST = "the same is only done more often"

EQUIVALENT = (
    ("closures.closure", "compiled", "if id(part) not in codes -> if True", _COST),
    ("closures.closure", "compiled", "part.name not in OPERATORS -> isinstance(part, tree.Apply)", _FOLDED),
    ("closures.closure", "_folded", "True -> False", _CHECKED),
    ("closures.closure", "_constant_code", "True -> False", _FOLDED),
    ("closures.closure", "_boolean", "if code.boolean -> if False", _CHECKED),
    ("closures.closure", "_all", "2 -> 3", "chains are only cut elsewhere"),
    ("closures.closure", "_any", "2 -> 3", "chains are only cut elsewhere"),
    ("closures.closure", "_and", "True -> False", _CHECKED),
    ("closures.closure", "_or", "True -> False", _CHECKED),
    ("closures.closure", "_get_attribute", "-> if False", _GENERAL),
    ("closures.closure", "_get_attribute", "0 -> -1", _ONLY_ONE),
    ("closures.closure", "get", "if type(value) is Uid -> if True", "what is no entity has no attributes either, and fails alike"),
    ("closures.closure", "_has_attribute", "-> if False", _GENERAL),
    ("closures.closure", "_has_attribute", "0 -> -1", _ONLY_ONE),
    ("closures.closure", "_has_attribute", "True -> False", _CHECKED),
    ("closures.closure", "_like", "0 -> -1", _ONLY_ONE),
    ("closures.closure", "_like", "True -> False", _CHECKED),
    ("closures.closure", "_is", "0 -> -1", _ONLY_ONE),
    ("closures.closure", "_is", "True -> False", _CHECKED),
    ("closures.closure", "", "if call is not None -> if False", _GENERAL),
    ("closures.operators", "", "_ordered(left, right) -> _ordered(right, left)", _WORDS),
    ("closures.operators", "", "_longs(left, right) -> _longs(right, left)", _WORDS),
    ("closures.operators", "", "_sets(container, values) -> _sets(values, container)", _WORDS),
    ("closures.operators", "", "equal(left, right) -> equal(right, left)", "equality is symmetric"),
    ("closures.operators", "checked", "True -> False", "their numbers were compared before"),
    ("closures.shapes", "compared", "general(value, limit) -> general(limit, value)", _WORDS),
    ("language.extensions", "ip", "without except ValueError", "the error is caught one call further out"),
)
