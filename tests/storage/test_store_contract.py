"""What every store promises."""

import threading

import pytest

from flightdb.errors import AlreadyExists, FlightdbError, NotFound
from flightdb.storage.objects import LocalStore, MemoryStore
from flightdb.storage.store import checksum_file


@pytest.fixture(params=["memory", "local"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "store")


def test_an_object_is_read_as_it_was_put(store):
    store.put("a/b%2Fc/d", b"hello")

    assert store.get("a/b%2Fc/d") == b"hello"
    assert store.exists("a/b%2Fc/d")
    assert not store.exists("a/b")


def test_a_name_is_given_once(store):
    store.put("a", b"1")

    with pytest.raises(AlreadyExists, match="path=a"):
        store.put("a", b"2")

    assert store.get("a") == b"1"


def test_a_file_is_moved_in_and_only_once(store, tmp_path):
    source = tmp_path / "made"
    source.write_bytes(b"x" * 3_000_000)
    checksum = checksum_file(source)
    store.put_file("t/x", source)
    second = tmp_path / "second"
    second.write_bytes(b"y")

    with pytest.raises(AlreadyExists):
        store.put_file("t/x", second)

    assert not source.exists()
    assert second.exists()
    assert store.checksum("t/x") == checksum


def test_of_many_who_create_one_name_one_wins(store):
    outcomes = []
    start = threading.Barrier(8)

    def create(number):
        start.wait()
        try:
            store.put("prize", str(number).encode())
            outcomes.append(number)
        except AlreadyExists:
            pass

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [str(n).encode() for n in outcomes] == [store.get("prize")]


def test_what_is_not_there_is_not_found(store):
    for call in (store.get, store.checksum):
        with pytest.raises(NotFound, match="path=no/such"):
            call("no/such")


def test_a_listing_names_all_objects_below_a_prefix(store):
    for path in ("t/a/1", "t/ab", "t/b", "u"):
        store.put(path, b"12")

    assert {meta.path for meta in store.list("t/")} == {"t/a/1", "t/ab", "t/b"}
    assert {meta.path for meta in store.list("t/a")} == {"t/a/1", "t/ab"}
    assert {meta.path for meta in store.list("")} == {"t/a/1", "t/ab", "t/b", "u"}
    assert {meta.size_bytes for meta in store.list("")} == {2}
    assert list(store.list("nothing/")) == []


def test_deleting_leaves_the_rest_and_what_is_gone_is_no_error(store):
    store.put("t/a", b"")
    store.put("t/b", b"")

    store.delete(["t/a", "t/nothing", "no/folder/x"])
    store.delete(["t/a"])

    assert [meta.path for meta in store.list("")] == ["t/b"]


def test_a_name_is_free_again_after_deletion(store):
    store.put("deep/er/a", b"1")
    store.delete(["deep/er/a"])
    store.put("deep/er/a", b"2")

    assert store.get("deep/er/a") == b"2"


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/passwd", "", "a//b", "."])
def test_no_name_leaves_the_local_root(tmp_path, path):
    local = LocalStore(tmp_path / "store")

    with pytest.raises(FlightdbError, match="invalid object name"):
        local.put(path, b"x")

    assert not (tmp_path / "out").exists()


def test_bytes_on_their_way_are_not_objects_and_go_at_the_next_start(tmp_path):
    LocalStore(tmp_path)
    (tmp_path / "_tmp" / "left").write_bytes(b"half")

    store = LocalStore(tmp_path)

    assert list(store.list("")) == []
    assert not (tmp_path / "_tmp" / "left").exists()


def test_the_engine_opens_local_objects_by_their_path(tmp_path):
    store = LocalStore(tmp_path / "store")
    store.put("a%2Fb/x", b"1")

    assert store.openable("a%2Fb/x") == str(tmp_path / "store" / "a%2Fb" / "x")
