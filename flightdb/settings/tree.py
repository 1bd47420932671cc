"""The tree of settings: the spec's names (`contract.md` 3.1) where it has one, else ours.

Durations are seconds and sizes bytes as values; `units.py` reads their written forms.
"""

from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from flightdb.settings.querying import Coordinator, QueryOptimization
from flightdb.settings.serving import Log, Metrics, Network, Security, Server
from flightdb.settings.storing import Buffer, TableManagement, Tables


class Settings(BaseSettings):
    """All settings, effective and frozen. Make one with `load_settings`."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="FLIGHTDB_", env_nested_delimiter="__"
    )

    server: Server = Server()
    network: Network = Network()
    security: Security = Security()
    buffer: Buffer = Buffer()
    query_optimization: QueryOptimization = QueryOptimization()
    coordinator: Coordinator = Coordinator()
    table_management: TableManagement = TableManagement()
    tables: Tables = Tables()
    metrics: Metrics = Metrics()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load_settings` reads file and environment, and says which."""
        return (init_settings,)

    @property
    def wal_dir(self) -> Path:
        """Where the WAL is."""
        return self.buffer.wal.dir or self.server.data_dir / "wal"

    @property
    def temp_dir(self) -> Path:
        """Where queries spill."""
        performance = self.query_optimization.duckdb.performance
        return performance.temp_directory or self.server.data_dir / "tmp"
