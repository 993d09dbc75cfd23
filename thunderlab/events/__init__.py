"""Events: typed, registered, versioned; what is not in the catalogue cannot be emitted."""

from thunderlab.events.bus import Bus
from thunderlab.events.catalogue import Catalogue, committed_snapshot
from thunderlab.events.event import Envelope, Event

__all__ = ["Bus", "Catalogue", "Envelope", "Event", "committed_snapshot"]
