import pytest
from wal_rows import open_log


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "wal"


@pytest.fixture
def open_wal(directory):
    """Opens the log, closing the one opened before: `open_wal(disk, segment_bytes=...)`."""
    opened = []

    def again(disk=None, **options):
        for log in opened:
            log.close()
        opened.append(open_log(directory, disk, **options))
        return opened[-1]

    yield again
    for log in opened:
        log.close()
