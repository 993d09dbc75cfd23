"""The store on PostgreSQL: what a server can do to its clients, and clients to each other."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import sqlalchemy as sa

from tests import postgres as servers
from tests.ground.test_locks_and_store import COUNTERS
from thunderlab import workspace
from thunderlab.errors import BusyError, EnvironmentBlockedError, InputError
from thunderlab.postgres import Postgres, parse
from thunderlab.store import Store, insert_rows


def test_hi(postgres_url):
    s=Store(postgres_url)
    with s.write() as c: insert_rows(c, COUNTERS, [(i, i) for i in range(10000)])
    with s.read() as c: assert c.execute(sa.select(sa.func.count()).select_from(COUNTERS)).scalar_one()==10000
    s.close()
