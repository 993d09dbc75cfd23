"""One walk over a text of policies: where each stands, and whether it is as low and as short as Cedar's parser needs it.

The walk goes from left to right, word by word, and remembers one frame for each open bracket. What a frame measures is never less than what
the parser sees: brackets, chains, `if`s and dots add up to a height, and a comma begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from thunderlab.errors import InputError
from thunderlab.policy.text import lookalikes
from thunderlab.policy.text.lexer import NAME, NUMBER, SIGN, SLOT, STRING, Lines, Token, tokens, unescaped

WORDS = 300_000  # a megabyte of what people write; Cedar needs a kilobyte for each
NESTING = 200
TERMS = 1_000
CHAIN = 200
HEIGHT = 2_000
WRITTEN_OUT = 200_000

_CLOSES = {"(": ")", "[": "]", "{": "}"}
_BINARY = {"&&", "||", "+", "-", "*"}
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_BETWEEN = {"has", "in", "like", "is", "then", "else", "if"}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a policy stands in its text.

    Attributes:
        start: its first character, from 0; annotations are part of it.
        end: behind its semicolon, or behind its last word where there is none.
        first_line: line of its first word, from 1.
        last_line: line of its last one.
        id: its `@id`; None when it has none.
        id_line: the line of the `@id`, or 0.
        words: how many words and signs it has, once `has a.b` and `is T in x` are written out as Cedar does it.
        depths: sum over these of how deep they lie, in brackets and `if`s.
        template: whether there is a slot (`?principal`) in it.
    """

    start: int
    end: int
    first_line: int
    last_line: int
    id: str | None = None
    id_line: int = 0
    words: int = 0
    depths: int = 0
    template: bool = False


@dataclass(slots=True)
class _Frame:
    """One open bracket, or a policy outside brackets: what was seen in it since its last comma.

    Attributes:
        open: the bracket; empty for the policy itself.
        line: its line.
        terms: operators of chains.
        ifs: `if`s.
        run: `.a` and the like behind one operand, so far.
        longest: the longest such run.
        inner: height of the highest bracket inside.
        height: of what was before the last comma.
        weight: words since the left side of a comparison may have begun, with what `has` writes out.
        total: all of that since the bracket.
        has: how many names stand behind the `has` that was just read; -1 when there is none.
        left: weight of the left side of that `has`, or of the `is` that was just read; -1 when there is neither.
    """

    open: str
    line: int
    terms: int = 0
    ifs: int = 0
    run: int = 0
    longest: int = 0
    inner: int = 0
    height: int = 0
    weight: int = 0
    total: int = 0
    has: int = -1
    left: int = -1

    def now(self) -> int:
        """Return the height so far."""
        return max(self.height, self.terms + self.ifs + self.longest + self.inner)

    def separate(self) -> None:
        """Begin anew, as behind a comma."""
        self.height = self.now()
        self.terms = self.ifs = self.longest = self.inner = 0
        self.operand()
        self.relation()

    def operand(self) -> None:
        """Begin an operand."""
        self.run = 0
        self.has = self.left = -1

    def relation(self) -> None:
        """Begin what could be the left side of a comparison."""
        self.total += self.weight
        self.weight = 0


@dataclass(slots=True)
class _Head:
    """What is known of the policy that is being read."""

    start: int
    line: int
    id: str | None = None
    id_line: int = 0
    count: int = 0
    depths: int = 0
    template: bool = False
    words: list[Token] = field(default_factory=list)  # of the annotation that is being read
    annotated: bool = True  # whether more annotations can follow


class Walk:
    """One walk over a text that has no hidden characters in it; the arguments are those of `bounds.check`."""

    def __init__(self, text: str, where: object, *, strict: bool, first: int) -> None:
        self._text, self._where, self._strict = text, where, strict
        self._lines = Lines(text)
        self._count = first
        self._written = 0
        self._unary = 0
        self._head: _Head | None = None
        self._frames: list[_Frame] = []
        self._deep = 0
        self._last: Token | None = None

    def policies(self) -> Iterator[Position]:
        """Yield the position of each policy as soon as it ends."""
        for count, token in enumerate(tokens(self._text, self._where)):
            if count >= WORDS:
                raise self._refuse_at(token, f"the text has over {WORDS} words and signs; split it")
            if self._strict:
                lookalikes.check_string(token, self._lines, self._where)
            if self._head is None:
                self._head = _Head(token.start, self._lines.of(token.start))
                self._frames = [_Frame("", self._head.line)]
                self._unary = self._deep = 0
                self._last = None
            self._step(token)
            self._last = token
            if token.text == ";" and len(self._frames) == 1:
                yield self._end(token)
        if self._head is not None and self._last is not None:
            if len(self._frames) > 1:
                raise self._refuse(self._frames[-1].line, f"{self._frames[-1].open} is opened here and never closed")
            yield self._end(self._last)

    def _refuse(self, line: int, what: str) -> InputError:
        id_ = self._head.id if self._head is not None and self._head.id else f"policy{self._count}"
        return InputError(what, where=self._where, field=f"line {line}: policy {id_}")

    def _refuse_at(self, token: Token, what: str) -> InputError:
        return self._refuse(self._lines.of(token.start), what)

    def _end(self, token: Token) -> Position:
        head = self._head
        assert head is not None
        self._head = None
        self._count += 1
        return Position(
            head.start, token.end, head.line, self._lines.of(token.start), head.id, head.id_line, head.count, head.depths, head.template
        )

    def _step(self, token: Token) -> None:
        assert self._head is not None
        self._head.count += 1
        self._head.depths += self._deep
        frame = self._frames[-1]
        frame.weight += 1
        if self._head.annotated:
            self._annotation(token, self._head)
        if token.kind == SLOT:
            self._head.template = True
        if token.kind == SIGN:
            self._sign(token, frame)
        elif token.kind == NAME:
            self._unary = 0
            self._name(token, frame)
        else:
            self._unary = 0

    def _limit_height(self, token: Token, frame: _Frame) -> None:
        if frame.now() > HEIGHT:
            raise self._refuse_at(token, f"brackets and chains are over {HEIGHT} high in all; split the policy")

    def _annotation(self, token: Token, head: _Head) -> None:
        if token.text == "@":
            self._identify(head)
            head.words = []
        elif token.kind == NAME and (self._last is None or self._last.text != "@"):
            self._identify(head)
            head.annotated = len(self._frames) > 1
        head.words.append(token)

    def _identify(self, head: _Head) -> None:
        """Take the annotation that was just read for the id, when it is one."""
        words = [word.text for word in head.words]
        if words[:2] != ["@", "id"] or head.id is not None:
            return
        head.id, head.id_line = "", self._lines.of(head.words[0].start)
        if len(words) == 5 and head.words[3].kind == STRING:
            try:
                head.id = unescaped(words[3])
            except ValueError:
                head.id = None  # Cedar will say so

    def _sign(self, token: Token, frame: _Frame) -> None:
        sign = token.text
        if sign not in ("!", "-"):
            self._unary = 0
        if sign in _CLOSES:
            self._open(token, frame)
        elif sign in (")", "]", "}"):
            self._close(token)
        elif sign in (",", ";"):
            self._deep -= frame.ifs
            frame.separate()
        elif sign in _BINARY and self._after_operand():
            frame.terms += 1
            if frame.terms >= TERMS:
                raise self._refuse_at(token, f"a chain has over {TERMS} terms; split the policy")
            self._limit_height(token, frame)
            frame.operand()
            if sign in ("&&", "||"):
                frame.relation()
        elif sign in ("!", "-"):
            self._unary += 1
            if self._unary > CHAIN:
                raise self._refuse_at(token, f"over {CHAIN} signs in a row")
        elif sign in (".", "::"):
            self._link(token, frame)
        elif sign in _COMPARISONS or sign == ":":
            frame.operand()

    def _name(self, token: Token, frame: _Frame) -> None:
        if self._last is not None and self._last.text in (".", "@"):
            return  # an attribute, whatever it is called
        if token.text == "if":
            frame.ifs += 1
            self._deep += 1
            if frame.ifs > CHAIN:
                raise self._refuse_at(token, f"`if` is nested deeper than {CHAIN}")
            self._limit_height(token, frame)
        if token.text not in _BETWEEN:
            return
        left, before = frame.left, frame.weight
        frame.operand()
        if token.text in ("if", "then", "else"):
            frame.relation()
        elif token.text == "in" and left >= 0:
            self._write_out(token, frame, left)
        elif token.text in ("has", "is"):
            frame.has, frame.left = (0 if token.text == "has" else -1), before

    def _after_operand(self) -> bool:
        last = self._last
        if last is None or last.kind in (NUMBER, STRING, SLOT):
            return last is not None
        if last.kind == NAME:
            return last.text not in _BETWEEN
        return last.text in (")", "]", "}")

    def _open(self, token: Token, frame: _Frame) -> None:
        if token.text == "[" and self._after_operand():
            self._link(token, frame)
        if len(self._frames) > NESTING:
            raise self._refuse_at(token, f"brackets are nested deeper than {NESTING}")
        self._frames.append(_Frame(token.text, self._lines.of(token.start)))
        self._deep += 1

    def _close(self, token: Token) -> None:
        frame = self._frames[-1]
        if _CLOSES.get(frame.open) != token.text:
            opened = f"{frame.open} of line {frame.line} is open" if frame.open else "none is open"
            raise self._refuse_at(token, f"{token.text} closes a bracket, but {opened}")
        self._deep -= 1 + frame.ifs
        self._frames.pop()
        frame.relation()
        outer = self._frames[-1]
        outer.inner = max(outer.inner, frame.now() + 1)
        outer.weight += frame.total
        self._limit_height(token, outer)
        if not outer.open and token.text == "}":
            outer.separate()  # `when {...}` is a condition of its own, ...
            outer.height += 1  # ... joined to those before by `&&`

    def _link(self, token: Token, frame: _Frame) -> None:
        frame.run += 1
        frame.longest = max(frame.longest, frame.run)
        if frame.run > CHAIN:
            raise self._refuse_at(token, f"over {CHAIN} of `.`, `[` or `::` in a row")
        self._limit_height(token, frame)
        if frame.has >= 0 and token.text == ".":
            frame.has += 1
            self._write_out(token, frame, frame.left + frame.has)

    def _write_out(self, token: Token, frame: _Frame, words: int) -> None:
        """Count what Cedar writes out: `e has a.b` is `e has a && e.a has b` to it, and `e is T in x` is `e is T && e in x`."""
        assert self._head is not None
        frame.weight += words
        self._head.count += words
        self._written += words
        if self._written > WRITTEN_OUT:
            what = "`has` with a chain of names, or `is` with `in`, is used too often on what is too large; split the policy"
            raise self._refuse_at(token, what)
