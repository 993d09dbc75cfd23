"""Named lattices that go on running."""
