"""Categorical columns from a driver to its client, whose words may be others in each batch, and in nested columns."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from tusk_jupyter.driverkit.dictionaries import Dictionaries
from tusk_jupyter.driverkit.server import _stream

WORDS = pa.dictionary(pa.uint8(), pa.string())
SCHEMA = pa.schema(
    [
        ("e", WORDS),
        ("l", pa.list_(WORDS)),
        ("s", pa.struct([("x", WORDS), ("m", pa.map_(pa.string(), WORDS))])),
        ("n", pa.int64()),
    ]
)


def batch(*words: str) -> pa.RecordBatch:
    rows = [{"e": word, "l": [word, None], "s": {"x": word, "m": [("k", word)]}, "n": 1} for word in words]
    return pa.record_batch([pa.array([row[f.name] for row in rows], f.type) for f in SCHEMA], schema=SCHEMA)


def generated(batches: list[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, bytes | None]]:
    for one in batches:
        yield one, None
    yield SCHEMA.empty_table().to_batches()[0] if not batches else batches[-1].slice(0, 0), b"end"


class Server(flight.FlightServerBase):
    batches: tuple[pa.RecordBatch, ...] = ()

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.GeneratorStream:
        return flight.GeneratorStream(SCHEMA, _stream(generated(self.batches), Dictionaries(SCHEMA)))


class Words(pa.ExtensionType):
    def __init__(self) -> None:
        super().__init__(pa.list_(WORDS), "tests.words")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


KIND = Words()  # Arrow keeps no reference of its own
same = batch("a", "b")


@pytest.mark.parametrize(
    "batches", [[same, same], [same, batch("c"), batch("d", "e"), same], [same.slice(0, 0), batch("z")]]
)
def test_words_arrive_whatever_batch_brings_them(batches):
    with Server("grpc://127.0.0.1:0") as server:
        server.batches = tuple(batches)
        with flight.connect(f"grpc://127.0.0.1:{server.port}") as client:
            reader = client.do_get(flight.Ticket(b""))
            rows, ends = [], 0
            for chunk in reader:
                rows += chunk.data.to_pylist() if chunk.data.num_rows else []
                ends += chunk.app_metadata is not None
    assert rows == [row for one in batches for row in one.to_pylist()]
    assert ends == 1


def test_words_are_sent_again_only_when_they_change():
    known = Dictionaries(SCHEMA)
    assert [known.are_new(one) for one in (same, same, same.slice(1), batch("c"), same)] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert not Dictionaries(pa.schema([("n", pa.int64())])).are_new(pa.record_batch([pa.array([1])], names=["n"]))


def test_dictionaries_are_found_within_extensions():
    known = Dictionaries(pa.schema([("d", KIND)]))
    sent = [pa.record_batch({"d": pa.ExtensionArray.from_storage(KIND, one.column("l"))}) for one in (same, same)]
    other = pa.record_batch({"d": pa.ExtensionArray.from_storage(KIND, batch("c").column("l"))})
    assert [known.are_new(one) for one in (*sent, other)] == [True, False, True]


def test_dictionaries_are_found_within_dictionaries():
    inner = pa.array(["a", "b"], pa.string()).dictionary_encode()
    others = pa.array(["b", "a"], pa.string()).dictionary_encode()
    outer = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), inner)
    known = Dictionaries(pa.schema([("d", outer.type)]))
    again = pa.DictionaryArray.from_buffers(outer.type, 2, outer.indices.buffers(), inner)
    assert [known.are_new(pa.record_batch({"d": one})) for one in (outer, again)] == [True, False]
    changed = pa.DictionaryArray.from_arrays(inner.indices, others.dictionary)
    assert known.are_new(pa.record_batch({"d": pa.DictionaryArray.from_arrays(outer.indices, changed)}))


def test_a_stretch_of_a_dictionary_is_another_one():
    words, codes = pa.array(["a", "b", "c"]), pa.array([0], pa.int8())
    known = Dictionaries(pa.schema([("d", pa.dictionary(pa.int8(), pa.string()))]))
    stretches = (words, words[1:], words[:2], words[:2])
    sent = [pa.record_batch({"d": pa.DictionaryArray.from_arrays(codes, one)}) for one in stretches]
    assert [known.are_new(one) for one in sent] == [True, True, True, False]
