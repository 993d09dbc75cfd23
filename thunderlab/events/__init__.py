"""Events: typed, registered, versioned; what is not in the catalogue cannot be emitted."""

from thunderlab.events.bus import Bus
from thunderlab.events.catalogue import Catalogue, committed_snapshot
from thunderlab.events.event import Envelope, Event
from thunderlab.events.events import EVENTS, MinuteCounted

__all__ = ["EVENTS", "Bus", "Catalogue", "Envelope", "Event", "MinuteCounted", "committed_snapshot"]
