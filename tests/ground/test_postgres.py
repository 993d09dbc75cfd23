"""The store on PostgreSQL: what a server can do to its clients, and clients to each other."""

import sqlalchemy as sa

from tests.ground.test_locks_and_store import COUNTERS
from thunderlab.store import Store, insert_rows


def test_hi(postgres_url):
    s = Store(postgres_url)
    with s.write() as c:
        insert_rows(c, COUNTERS, [(i, i) for i in range(10000)])
    with s.read() as c:
        assert c.execute(sa.select(sa.func.count()).select_from(COUNTERS)).scalar_one() == 10000
    s.close()
