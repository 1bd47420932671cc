"""What server reflection knows: the linked-in protos, methods included."""

from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool


class Symbols:
    """A descriptor pool that finds a method's file too, for which clients ask (ghz, grpcurl)."""

    def __init__(self, pool: DescriptorPool) -> None:
        """`pool` answers all else."""
        self._pool = pool

    def FindFileContainingSymbol(self, symbol: str) -> Any:  # noqa: N802 - the pool's name
        """The file of a message, enum, service or method; KeyError for what is none of these."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            return (
                self._pool.FindServiceByName(service)
                .methods_by_name[method]
                .containing_service.file
            )

    def __getattr__(self, name: str) -> Any:
        """The pool's own."""
        return getattr(self._pool, name)
