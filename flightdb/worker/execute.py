"""Fragments run on this worker, under admission control."""

from flightdb.engine.engine import Engine
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.source import Fragment
from flightdb.worker.admission import Admission


def execute(
    engine: Engine, admission: Admission, fragment: Fragment, cancellation: Cancellation
) -> BatchStream:
    """The fragment's answer; its permit goes back when the stream is closed. Raises as `Engine.run` and `Admission.acquire`."""
    permit = admission.acquire(cancellation)
    try:
        stream = engine.run(fragment, cancellation)
    except BaseException:
        permit.close()
        raise

    def close() -> None:
        try:
            stream.close()
        finally:
            permit.close()

    return BatchStream(stream.schema, iter(stream), close)
