r"""What a text of policies may be, before Cedar's own parser sees it.

That parser descends into what it reads: a thousand nested brackets or a chain of twenty thousand terms exhaust its stack and end the whole
process. It writes `e has a.b` and `e is T in x` out with two `e`s, so a few of them around one another take time without end. And policy sets
come from strangers. So every text is walked over once, from left to right and without recursion (`positions`), and refused when it is larger,
deeper or longer than below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from thunderlab.errors import InputError
from thunderlab.policy.text import lookalikes
from thunderlab.policy.text.positions import Position, Walk

BYTES = 1 << 20


def decode(data: bytes, where: object = None) -> str:
    """Return the text of a file; a byte order mark before it is dropped.

    Raises:
        InputError: when it is larger than 1 MiB, or with the line that is not UTF-8.

    >>> decode(b"permit")
    'permit'
    """
    if len(data) > BYTES:
        raise InputError(f"is larger than {BYTES} bytes, the most accepted here", where=where)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"is not UTF-8 text (byte {error.start})", where=where, field=f"line {line}") from None


def check(text: str, where: object = None, *, strict: bool = True, first: int = 0) -> tuple[Position, ...]:
    """Return where each policy stands, in the order of the text.

    Args:
        text: policies.
        where: what to call the text in messages.
        strict: whether strings that pass for other strings are refused, too (`lookalikes.misleading`): so for everything that people keep in
            files. What nobody can see, and anything but ASCII outside strings and comments, is refused always.
        first: how many policies there are before these ones, for the ids in messages.

    Raises:
        InputError: naming the line and the policy: what is larger than 1 MiB or 300,000 words, nested deeper than 200, has over 1,000 terms in one
            chain of `&& || + - *` (over 200 of `.a`, `[...]`, `::`, `!`, `-` or `if`), is over 2,000 high in all, over 200,000 words larger once
            Cedar has written it out, or not balanced.

    >>> [(policy.id, policy.first_line) for policy in check('@id("a") permit(principal, action, resource);')]
    [('a', 1)]
    """
    limit_size(text, where)
    lookalikes.check_hidden(text, where)
    return tuple(Walk(text, where, strict=strict, first=first).policies())


def identities(parts: Iterable[tuple[object, Sequence[Position]]]) -> tuple[str, ...]:
    """Return each policy's id, through all texts: its `@id`, else `policy0`, `policy1`, ... by its place among all of them.

    Args:
        parts: what to call each text in messages, and its policies.

    Raises:
        InputError: when an `@id` is empty or cannot be shown, or when two policies have one id, with the lines of both.

    >>> identities([("a.cedar", check("permit(principal, action, resource);")), ("b.cedar", check("@id('x') forbid".replace("'", '"')))])
    ('policy0', 'x')
    """
    seen: dict[str, tuple[object, int]] = {}
    for where, positions in parts:
        for position in positions:
            own = f"policy{len(seen)}"
            id_, line = (own, position.first_line) if position.id is None else (position.id, position.id_line)
            if not id_ or not id_.isprintable() or any(map(lookalikes.hidden, id_)):
                what = "must not hold what one cannot see" if id_ else "is empty; leave it away or say what the policy is called"
                raise InputError(f"its @id {what}", where=where, field=f"line {line}: policy {own}")
            if id_ in seen:
                other, other_line = seen[id_]
                at = f"line {other_line}" if other == where else f"{other}, line {other_line}"
                raise InputError(f"the policy of {at} has this id, too", where=where, field=f"line {line}: policy {id_}")
            seen[id_] = (where, line)
    return tuple(seen)


def limit_size(text: str, where: object = None, limit: int = BYTES) -> None:
    """Refuse a text that is larger than `limit` bytes in UTF-8."""
    if len(text) > limit or len(text.encode(errors="surrogatepass")) > limit:
        raise InputError(f"is larger than {limit} bytes, the most accepted here", where=where)
