"""Documents that are written from the code say what the code says."""

from pathlib import Path

import pytest

from flightdb.cli.documents import settings_document, write_documents
from flightdb.settings.knobs import knobs
from flightdb.settings.tree import Settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "errors.md"])
def test_a_generated_document_is_up_to_date(tmp_path, name):
    # when
    write_documents(tmp_path)

    # then
    fresh = (tmp_path / name).read_text()
    assert (DOCS / name).read_text() == fresh, "run: flightdb config docs docs"


def test_every_setting_is_in_the_document():
    text = settings_document()
    assert [
        k.path for k in knobs(Settings) if f"| `{k.path.rpartition('.')[2]}` |" not in text
    ] == []
