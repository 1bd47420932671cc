"""When a commit is in a snapshot already."""

from flightdb.model.snapshot import Commit, Snapshot


def is_recorded(snapshot: Snapshot, commit: Commit) -> bool:
    """Whether every position that `commit` brings is at or below the one recorded: a retry."""
    return bool(commit.positions) and all(
        snapshot.positions.get(worker, -1) >= lsn for worker, lsn in commit.positions.items()
    )
