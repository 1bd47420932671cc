import uuid

import pyarrow as pa

from flightdb.wal.disk import RealDisk
from flightdb.wal.frames import FrameKind, NewFrame
from flightdb.wal.log import Log

WORKER = uuid.UUID(int=7)
EVENTS = str(uuid.UUID(int=0xE))
USERS = str(uuid.UUID(int=0xF))
SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])


def open_log(directory, disk=None, **options):
    settings = {"segment_bytes": 4096, "max_bytes": 1 << 20, "free_bytes_min": 0} | options
    log = Log.open(directory, worker_id=WORKER, disk=disk or RealDisk(), **settings)
    for table in (EVENTS, USERS):
        log.register_schema(table, 1, SCHEMA)
    return log


def note(text, **fields):
    """A small frame that is told from others by its body."""
    fields = {"kind": FrameKind.SEAL} | fields
    return NewFrame(body=text.encode() if isinstance(text, str) else text, **fields)


def rows(text, table=EVENTS, **fields):
    return NewFrame(FrameKind.DATA, table, 1, body=text.encode(), **fields)


def bodies(log):
    """Bodies in replay order, but those that the log wrote by itself."""
    return [f.body.to_pybytes() for f in log.replay() if f.kind != FrameKind.SCHEMA]
