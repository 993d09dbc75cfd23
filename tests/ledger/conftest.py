"""What the tests of bad days share."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def memory(tmp_path):
    """A folder in memory where there is one: what outlives a process needs no disk, and hundreds of deaths are quick there."""
    shared = Path("/dev/shm")
    place = tempfile.mkdtemp(prefix="thunderlab-tests-", dir=shared if os.access(shared, os.W_OK) else tmp_path)
    yield Path(place)
    shutil.rmtree(place)
