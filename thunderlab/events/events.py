"""What the bus itself has to say."""

from __future__ import annotations

from thunderlab.events.event import Event


class MinuteCounted(Event, frozen=True):
    """A minute is over in which a process emitted events that are not ledgered one by one: how many of each.

    Several processes count on their own, and a minute may be told of in parts; the counts of all add up.

    Attributes:
        minute: when the minute began, RFC 3339 UTC.
        counts: how many were emitted, by name.
    """

    NAME = "events.minute.counted"
    DURABLE = True

    minute: str
    counts: dict[str, int]


EVENTS = (MinuteCounted,)
