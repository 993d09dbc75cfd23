"""Both compilers against the public Cedar corpus: decisions, reasons and errors.

Every so many tests of it unless `THUNDERLAB_WHOLE_CORPUS=1`. It says little about arithmetic, decimals, times and addresses:
`test_boundaries` is for those.
"""

from __future__ import annotations

from tests.policy import corpus
from tests.policy.oracle import Oracle, closures_of, columns_of, frame, parsed

STRIDE = 29


def _tests(first):
    yield from corpus.generated(1 if corpus.whole() else STRIDE, 0 if corpus.whole() else first)
    yield from corpus.hand_written()


def _differing(answers):
    """Return what was answered differently, and of how many requests."""
    wrong, asked = [], 0
    for test, given in answers:
        asked += len(test.requests)
        wrong += [
            (test.name, request, ours, wanted)
            for request, ours, wanted in zip(test.requests, given, test.expected, strict=True)
            if ours != wanted
        ]
    return wrong, asked


def test_closures_say_what_the_corpus_expects():
    wrong, asked = _differing((test, closures_of(parsed(test.policies, test.schema), test.requests, test.entities)) for test in _tests(0))
    assert asked > 400 and wrong == []


def test_columns_say_what_the_corpus_expects():
    """A frame has one type for each field, so requests whose contexts have different fields are asked in frames of their own."""

    def answered(test):
        policies, answers = parsed(test.policies, test.schema), {}
        for shape in dict.fromkeys(map(_shape, test.requests)):
            places = [place for place, request in enumerate(test.requests) if _shape(request) == shape]
            rows = columns_of(policies, frame([test.requests[place] for place in places]), test.entities)
            answers.update(zip(places, rows, strict=True))
        return [answers[place] for place in range(len(test.requests))]

    wrong, asked = _differing((test, answered(test)) for test in _tests(1) if all(map(_framed, test.requests)))
    assert asked > 400 and wrong == []


def _shape(request):
    """Return what tells contexts apart that cannot be rows of one frame."""
    return str(_types(request["context"]))


def _types(value):
    if isinstance(value, dict):
        return {name: _types(inner) for name, inner in sorted(value.items())}
    return [_types(value[0])] if isinstance(value, list) and value else type(value).__name__


def _framed(request):
    """Return whether a context can stand in a frame: an empty list there says nothing of its items, and calls with several operands have no text."""
    inside = str(list(request["context"].values())).replace(" ", "")
    return not any(word in inside for word in (":[]", "[[]", ",[]", "{}", "'args'"))


def test_requests_are_answered_alike_with_and_without_a_schema_where_cedar_does():
    for test in corpus.generated(60, 2):
        wanted = Oracle(test.policies).answers(test.requests, test.entities)
        assert closures_of(parsed(test.policies), test.requests, test.entities) == wanted, test.name


def test_the_comparison_could_fail():
    """The corpus tells apart what it should: answers that are always the same are wrong of many of its requests."""
    expected = [answer for test in corpus.generated(STRIDE, 0) for answer in test.expected]
    for decision in ("allow", "deny"):
        assert sum(answer.decision != decision for answer in expected) > len(expected) / 5
    assert sum(bool(answer.errors) for answer in expected) > 10
