"""Names of data files: no id escapes its folder or meets another."""

from hypothesis import given, strategies as st

from flightdb.storage.layout import id_folder, record_id_of, segment_path

IDS = st.text(max_size=300) | st.sampled_from(
    ["", ".", "..", "/", "~", "_packed", "_delta_log", "%2E", "a" * 1_000, "ü" * 1_000]
)
IDS = IDS.filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t))


def test_paths_read_as_the_contract_says():
    assert segment_path("user-1", "2026-01-31", 7) == "user-1/2026-01-31/7.parquet"
    assert segment_path("a/b", "2026-01-31", 7) == "a%2Fb/2026-01-31/7.parquet"
    assert segment_path(None, "2026-01-31", 7) == "_packed/2026-01-31/7.parquet"


@given(IDS)
def test_any_id_is_one_plain_folder_name(record_id):
    folder = id_folder(record_id)

    assert 0 < len(folder) <= 255
    assert folder.isascii()
    assert "/" not in folder
    assert folder[0] not in "._"


@given(IDS, IDS)
def test_different_ids_have_different_folders(a, b):
    assert (id_folder(a) == id_folder(b)) == (a == b)


@given(IDS)
def test_an_id_is_read_back_from_its_path_or_not_at_all(record_id):
    path = segment_path(record_id, "2026-01-31", 7)

    assert record_id_of(path) in (record_id, None)
    assert len(record_id.encode()) > 60 or record_id_of(path) == record_id
