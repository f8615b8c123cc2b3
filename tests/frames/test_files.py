"""Result files: whole or not there, batch by batch, and right when the types widen on the way."""

# R-31; issue: `--to` streamed, never whole in the kernel; existing target refused

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import socket
import stat
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tusk_jupyter.client import file_formats
from tusk_jupyter.client.files import ENDINGS, FileSink, sink_for
from tusk_jupyter.errors import InternalError, UsageError

SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("u", pa.uint64()),
        ("t", pa.timestamp("us")),
        ("z", pa.timestamp("us", "UTC")),
        ("s", pa.string()),
        ("d", pa.decimal128(10, 2)),
        ("f", pa.float64()),
        ("b", pa.bool_()),
        ("day", pa.date32()),
        ("raw", pa.binary()),
        ("l", pa.list_(pa.int8())),
        ("n", pa.null()),
    ],
    metadata={b"tusk:types": b"[]"},
)
ROW = [1, 2**64 - 1, dt.datetime(2020, 1, 2, 3), dt.datetime(2020, 1, 2, tzinfo=dt.UTC), "", Decimal("1.10"), 0.5, True,
       dt.date(1, 1, 1), b"\x00\xff", [1, None], None]  # fmt: skip
BATCH = pa.RecordBatch.from_arrays(
    [pa.array([value, None], field.type) for value, field in zip(ROW, SCHEMA, strict=True)], schema=SCHEMA
)
WIDE = pa.schema([field.with_type(pa.string()) if field.name in ("i", "t", "d") else field for field in SCHEMA])
LATER = pa.RecordBatch.from_arrays(
    [pa.array(["later"] if field.type == pa.string() else [None], field.type) for field in WIDE], schema=WIDE
)


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            return file.read()
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather", ".PARQUET"])
def test_columnar_files_hold_the_same_values_and_types(tmp_path: Path, ending: str):
    path = tmp_path / f"x{ending}"
    with sink_for(path) as sink:
        sink.open(SCHEMA)
        for _ in range(3):
            sink.write(BATCH)
        written = sink.commit()
    assert written is not None
    assert (written.path, written.rows, written.size_bytes, written.notes) == (path, 6, path.stat().st_size, ())
    table = read(path) if ending != ".PARQUET" else pq.read_table(path)
    assert table.equals(pa.Table.from_batches([BATCH] * 3))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_csv_tells_null_from_an_empty_text_and_quotes_what_needs_it(tmp_path: Path):
    table = pa.table(
        {
            "s": ["", None, 'q"\n,', "ü"],
            'odd "name"': [1, None, -3, 4],
            "d": pa.array([Decimal("0.00000001"), None, Decimal("1"), Decimal("2")], pa.decimal128(12, 8)),
            "f": [1.5, None, float("nan"), float("-inf")],
            "t": pa.array([0, None, 500_000, 1], pa.timestamp("us")),
        }
    )
    path = tmp_path / "x.csv"
    with sink_for(path) as sink:
        sink.open(table.schema)
        for batch in table.to_batches(max_chunksize=3):
            sink.write(batch)
        sink.commit()
    assert path.read_bytes().decode().split("\n")[:3] == [
        '"s","odd ""name""","d","f","t"',
        '"",1,"0.00000001",1.5,"1970-01-01 00:00:00"',
        ",,,,",
    ]
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows[3] == ['q"\n,', "-3", "1.00000000", "nan", "1970-01-01 00:00:00.5"]
    again = duckdb.sql(
        f"SELECT * FROM read_csv('{path}', all_varchar=true, header=true, allow_quoted_nulls=false)"
    ).fetchall()
    assert [row[0] for row in again] == ["", None, 'q"\n,', "ü"]
    frame = pd.read_csv(path)
    assert frame["d"].tolist()[0] == 1e-8
    assert pd.to_datetime(frame["t"], format="ISO8601")[2] == pd.Timestamp("1970-01-01 00:00:00.5")


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_widening_on_the_way_rewrites_what_was_written(tmp_path: Path, ending: str):
    path = tmp_path / f"x{ending}"
    with sink_for(path) as sink:
        sink.open(SCHEMA)
        sink.write(BATCH)
        sink.widen(WIDE)
        sink.write(LATER)
        widest = WIDE.set(6, pa.field("f", pa.string()))
        sink.widen(widest)
        written = sink.commit()
    table = read(path)
    assert written is not None
    assert written.rows == table.num_rows == 3
    assert table["i"].to_pylist() == ["1", None, "later"]
    assert table["t"].to_pylist() == ["2020-01-02 03:00:00", None, "later"]
    assert table["d"].to_pylist() == ["1.10", None, "later"]
    assert table["f"].to_pylist() == ["0.5", None, None]
    assert table["u"].to_pylist() == [2**64 - 1, None, None]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_widening_a_csv_file_just_goes_on(tmp_path: Path):
    path = tmp_path / "x.csv"
    with sink_for(path) as sink:
        sink.open(SCHEMA)
        sink.write(BATCH)
        sink.widen(WIDE)
        sink.write(LATER)
        sink.commit()
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["i"] for row in rows] == ["1", "", "later"]
    assert [row["t"] for row in rows] == ["2020-01-02 03:00:00", "", "later"]
    assert rows[0]["l"] == "[1, null]"
    assert rows[0]["raw"] == "\\x00ff"


def test_widening_a_csv_file_rewrites_what_would_stand_otherwise(tmp_path: Path):
    # SQLite: truth values become its 1 and 0, whole floats get their point, text beside blobs becomes bytes
    old = pa.schema(
        [("b", pa.bool_()), ("f", pa.float64()), ("s\n", pa.string()), ("s\n", pa.decimal128(9, 8)), ("t", pa.timestamp("us")),
         ("l", pa.list_(pa.int8())), ("i", pa.int64())]
    )  # fmt: skip
    new = [pa.string(), pa.string(), pa.binary(), None, None, None, None]
    wide = pa.schema([field.with_type(kind or field.type) for field, kind in zip(old, new, strict=True)])
    rows = [[True, None], [2.0, None], ["ü\n,", ""], [Decimal("1E-8"), None], [0, None], [[1], None], [7, None]]
    first = pa.RecordBatch.from_arrays(
        [pa.array(row, field.type) for row, field in zip(rows, old, strict=True)], schema=old
    )
    later = pa.RecordBatch.from_arrays(
        [
            pa.array([value], kind.type)
            for value, kind in zip(["x", "y", b"z", None, None, None, None], wide, strict=True)
        ],
        schema=wide,
    )
    path = tmp_path / "x.csv"
    with sink_for(path) as sink:
        sink.open(old)
        sink.write(first)
        sink.widen(wide)
        sink.write(later)
        written = sink.commit()
    assert written is not None
    assert written.rows == 3
    assert list(csv.reader(io.StringIO(path.read_text())))[1:] == [
        ["1", "2.0", "\\xc3bc0a2c", "0.00000001", "1970-01-01 00:00:00", "[1]", "7"],
        ["", "", "\\x", "", "", "", ""],
        ["x", "y", "\\x7a", "", "", "", ""],
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("rows", [[], [None, None]])
def test_widening_a_csv_file_of_one_column_keeps_its_nulls(tmp_path: Path, rows: list):
    with sink_for(tmp_path / "x.csv") as sink:
        sink.open(pa.schema([("x", pa.bool_())]))
        sink.write(pa.record_batch({"x": pa.array(rows, pa.bool_())}))
        sink.widen(pa.schema([("x", pa.string())]))
        sink.write(pa.record_batch({"x": ["later"]}))
        sink.commit()
    assert (tmp_path / "x.csv").read_text() == '"x"\n' + "\n" * len(rows) + '"later"\n'


def test_what_parquet_has_no_type_for_is_text_with_a_note(tmp_path: Path):
    table = pa.table({"x": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()), "y": [1, 2]})
    with sink_for(tmp_path / "x.parquet") as sink:
        sink.open(table.schema)
        for batch in table.to_batches():
            sink.write(batch)
        written = sink.commit()
    assert written is not None
    assert written.notes == ("Column 'x' is text: Parquet has no type for intervals.",)
    assert read(tmp_path / "x.parquet")["x"].to_pylist() == ["P1M2DT0.000000003S", None]


@pytest.mark.parametrize("ending", ENDINGS)
def test_dictionaries_that_differ_names_used_twice_and_no_rows_are_fine(tmp_path: Path, ending: str):
    schema = pa.schema([("x", pa.dictionary(pa.int8(), pa.string())), ("x", pa.int8()), ("", pa.int8())])
    for name, count in (("many", 2), ("none", 0)):
        with sink_for(tmp_path / f"{name}{ending}") as sink:
            sink.open(schema)
            for word in ("a", "b")[:count]:
                words = pa.array([word]).dictionary_encode().cast(schema.field(0).type)
                sink.write(
                    pa.RecordBatch.from_arrays(
                        [words, pa.array([1], pa.int8()), pa.array([2], pa.int8())], schema=schema
                    )
                )
            written = sink.commit()
        assert written is not None
        assert written.rows == count
    if ending == ".csv":
        assert (tmp_path / "none.csv").read_text() == '"x","x",""\n'
        assert (tmp_path / "many.csv").read_text() == '"x","x",""\n"a",1,2\n"b",1,2\n'
    else:
        table = read(tmp_path / f"many{ending}")
        assert table.column(0).cast(pa.string()).to_pylist() == ["a", "b"]
        assert read(tmp_path / f"none{ending}").num_rows == 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_fails_leaves_nothing_and_an_existing_file_alone(tmp_path: Path, ending: str):
    path = tmp_path / f"x{ending}"
    path.write_text("precious")
    with pytest.raises(ZeroDivisionError), sink_for(path, overwrite=True) as sink:
        sink.open(SCHEMA)
        sink.write(BATCH)
        sink.widen(WIDE)
        raise ZeroDivisionError
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(path.name, "precious")]


def test_of_several_results_of_a_run_the_last_is_kept(tmp_path: Path):
    with sink_for(tmp_path / "x.csv") as sink:
        for number in (1, 2):
            sink.open(pa.schema([("x", pa.int64())]))
            sink.write(pa.record_batch({"x": [number]}))
        written = sink.commit()
    assert written is not None
    assert written.rows == 1
    assert (tmp_path / "x.csv").read_text() == '"x"\n2\n'
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_without_a_result_makes_no_file(tmp_path: Path):
    with sink_for(tmp_path / "x.csv") as sink:
        assert sink.commit() is None
    assert not list(tmp_path.iterdir())


def test_an_existing_target_is_refused_before_anything_is_run(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("precious")
    with pytest.raises(UsageError, match=r"The file .*x\.csv exists already"):
        sink_for(path)
    with sink_for(path, overwrite=True) as sink:
        sink.open(SCHEMA)
        sink.commit()
    assert path.read_text().startswith('"i"')


def test_a_target_that_came_up_meanwhile_is_not_overwritten(tmp_path: Path):
    path = tmp_path / "x.csv"
    with sink_for(path) as sink:
        sink.open(SCHEMA)
        path.write_text("precious")
        with pytest.raises(UsageError, match="already"):
            sink.commit()
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("x.csv", "precious")]


def test_overwriting_keeps_rights_and_symbolic_links(tmp_path: Path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with sink_for(link, overwrite=True) as sink:
        sink.open(pa.schema([("x", pa.int8())]))
        sink.commit()
    assert link.is_symlink()
    assert real.read_text() == '"x"\n'
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path: Path):
    before = os.umask(0o027)
    try:
        with sink_for(tmp_path / "x.csv") as sink:
            sink.open(SCHEMA)
            sink.commit()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.xlsx", r"ending '\.xlsx' says no format"),
        ("x", "missing ending says no format"),
        ("no/such/x.csv", "There is no folder .*no/such"),
        ("folder.csv", "is a folder"),
        ("n" * 300 + ".csv", "name too long"),
        ("nul\0.csv", "a NUL character"),
        ("half\ud800.csv", "half a character"),
    ],
)
def test_a_target_that_makes_no_sense_says_so(tmp_path: Path, name: str, words: str):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=words) as caught:
        sink_for(tmp_path / name)
    if "format" in words:
        assert all(ending in str(caught.value.hint) for ending in ENDINGS)


def test_the_home_of_nobody_is_no_place_for_a_file():
    with pytest.raises(UsageError, match=r"the home folder of nobody9, which is not known"):
        sink_for("~nobody9/x.csv")


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a pipe", "socket"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_regular_file_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, overwrite: bool
):  # S14
    path = tmp_path / "out.csv"
    if kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("out.csv")
    else:
        real = tmp_path / "real" if "link" in kind else path
        os.mkfifo(real)
        if real is not path:
            path.symlink_to(real)
    before = path.stat()
    with pytest.raises(UsageError, match="is not a regular file"):
        sink_for(path, overwrite=overwrite)
    assert path.stat() == before


def test_a_pipe_that_came_up_meanwhile_is_not_replaced(tmp_path: Path):  # S14
    path = tmp_path / "out.csv"
    with sink_for(path, overwrite=True) as sink:
        sink.open(SCHEMA)
        os.mkfifo(path)
        with pytest.raises(UsageError, match="not a regular file but a pipe"):
            sink.commit()
    assert path.is_fifo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["l.csv", "l.parquet", "l.arrow"])
def test_a_link_leads_anywhere_and_the_typed_ending_says_the_format(tmp_path: Path, name: str):
    (tmp_path / "real.dat").write_text("old")
    (tmp_path / name).symlink_to("real.dat")
    sink_table(tmp_path / name, overwrite=True)
    assert (tmp_path / name).is_symlink()
    sink_table(tmp_path / f"x{Path(name).suffix}")
    assert (tmp_path / "real.dat").read_bytes() == (tmp_path / f"x{Path(name).suffix}").read_bytes()


@pytest.mark.parametrize("letter", ["n", "ä", "漢"])
def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path: Path, letter: str):
    path = tmp_path / (letter * (250 // len(letter.encode())) + ".csv")
    sink_table(path)
    assert path.read_text() == '"i"\n'


def sink_table(path: Path, *, overwrite: bool = False) -> None:
    with sink_for(path, overwrite=overwrite) as sink:
        sink.open(pa.schema([("i", pa.int64())]))
        sink.commit()


def test_a_path_may_begin_at_home_or_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert FileSink("~/x.csv").path == FileSink("x.csv").path == tmp_path / "x.csv"


def test_using_a_sink_out_of_turn_is_a_bug_that_says_so(tmp_path: Path):
    sink = sink_for(tmp_path / "x.csv")
    for use in (lambda: sink.write(BATCH), lambda: sink.widen(WIDE)):
        with pytest.raises(InternalError, match="before it was opened"):
            use()
    sink.abort()


FULL = """
import resource, sys
import pyarrow as pa
from pathlib import Path
from tusk_jupyter.client.files import sink_for
from tusk_jupyter.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
path = Path(sys.argv[1])
path.write_text("precious")
import random
batch = pa.record_batch({"x": [random.random() for _ in range(50_000)]})
try:
    with sink_for(path, overwrite=True) as sink:
        sink.open(batch.schema)
        for _ in range(9):
            sink.write(batch)
        sink.commit()
except StorageError as exc:
    print(exc.message)
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path, ending: str):
    path = tmp_path / f"x{ending}"
    ended = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False)
    assert ended.stdout.startswith(f"{path} could not be written: "), ended.stderr
    assert ended.stderr == ""
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(path.name, "precious")]


WIDENED_WHEN_FULL = """
import resource, sys
import pyarrow as pa
from tusk_jupyter.client.files import sink_for
from tusk_jupyter.errors import StorageError
try:
    with sink_for(sys.argv[1]) as sink:
        sink.open(pa.schema([("x", pa.float64())]))
        sink.write(pa.record_batch({"x": [float(number) for number in range(1000)]}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
        sink.widen(pa.schema([("x", pa.string())]))
        sink.commit()
except StorageError as exc:
    print(exc.message)
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_disk_that_is_full_when_a_result_widens_keeps_nothing(tmp_path: Path, ending: str):
    """What the buffer of the file so far held could not be written, and its part stayed for ever."""
    path = tmp_path / f"x{ending}"
    script = [sys.executable, "-c", WIDENED_WHEN_FULL, str(path)]
    ended = subprocess.run(script, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith(f"{path} could not be written: "), ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_ending_has_a_writer():
    assert set(ENDINGS) == set(file_formats.WRITERS)


def test_nested_values_in_csv_stand_alike_before_and_after_they_widen(tmp_path: Path):
    old = pa.struct([("n", pa.int64()), ("d", pa.date32()), ("m", pa.map_(pa.string(), pa.list_(pa.int8())))])
    new = pa.struct(
        [("n", pa.decimal256(39, 0)), ("d", pa.string()), ("m", pa.map_(pa.string(), pa.list_(pa.float64())))]
    )
    path = tmp_path / "x.csv"
    with sink_for(path) as sink:
        sink.open(pa.schema([("s", old), ("same", pa.list_(pa.float64())), ("f", pa.float64())]))
        first = [{"n": 5, "d": dt.date(2024, 2, 29), "m": [('a"', [1, None])]}, None, {"n": None, "d": None, "m": None}]
        sink.write(pa.record_batch({"s": pa.array(first, old), "same": [[0.1], None, []], "f": [2.0, None, 0.5]}))
        wide = pa.schema([("s", new), ("same", pa.list_(pa.float64())), ("f", pa.string())])
        sink.widen(wide)
        later = [{"n": 10**30, "d": "infinity", "m": [("b", [0.5])]}]
        sink.write(pa.record_batch({"s": pa.array(later, new), "same": [[1.0]], "f": ["x"]}, schema=wide))
        sink.commit()
    assert list(csv.reader(io.StringIO(path.read_text())))[1:] == [
        ['{"n": "5", "d": "2024-02-29", "m": [["a\\"", [1.0, null]]]}', "[0.1]", "2.0"],
        ["", "", ""],
        ['{"n": null, "d": null, "m": null}', "[]", "0.5"],
        [f'{{"n": "{10**30}", "d": "infinity", "m": [["b", [0.5]]]}}', "[1.0]", "x"],
    ]


def test_nested_times_go_into_csv_at_the_speed_of_columns(tmp_path: Path):
    """Each value by way of Python's objects took 100 times as long."""
    rows = 20_000
    kinds = [pa.list_(pa.timestamp("ns")), pa.list_(pa.duration("us")), pa.list_(pa.timestamp("us", "UTC"))]
    numbers = pa.array([[n * 1000, None, -n * 1000] for n in range(rows)], pa.list_(pa.int64()))
    batch = pa.record_batch({str(place): numbers.cast(kind) for place, kind in enumerate(kinds)})
    with sink_for(tmp_path / "x.csv") as sink:
        sink.open(batch.schema)
        began = time.process_time()
        sink.write(batch)
        took = time.process_time() - began
        sink.commit()
    assert took < 5


BESIDE: dict[str, tuple[pa.DataType, object]] = {
    "interval": (pa.month_day_nano_interval(), pa.MonthDayNano((1, 2, 3_000_000_000))),
    "intervals": (pa.list_(pa.month_day_nano_interval()), [pa.MonthDayNano((1, 2, 3_000_000_000)), None]),
    "named": (pa.struct([("i", pa.month_day_nano_interval())]), {"i": pa.MonthDayNano((1, 0, 0))}),
    "seconds": (pa.timestamp("s"), dt.datetime(2024, 1, 2, 3)),
    "zoned": (pa.timestamp("us", "Europe/Berlin"), dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC)),
    "fixed": (pa.list_(pa.int32(), 2), [1, None]),
    "map": (pa.map_(pa.string(), pa.list_(pa.int64())), [("k", [1, None])]),
    "words": (pa.dictionary(pa.uint8(), pa.string()), "a"),
    "none": (pa.null(), None),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_columns_of_every_kind_stay_as_they_are_beside_one_that_widens(tmp_path: Path, ending: str):
    """What the format holds as text, too: intervals in Parquet."""
    schema = pa.schema([("day", pa.date32()), *((name, kind) for name, (kind, _) in BESIDE.items())])
    wide = pa.schema([("day", pa.string()), *list(schema)[1:]])
    values = {name: [value, None] for name, (_, value) in BESIDE.items()}
    columns = [pa.array(values[field.name], field.type) for field in list(schema)[1:]]
    first = pa.RecordBatch.from_arrays([pa.array([dt.date(2024, 1, 1), None]), *columns], schema=schema)
    later = pa.RecordBatch.from_arrays([pa.array(["infinity", None]), *columns], schema=wide)
    files = []
    for place, batches in enumerate(([first, later], [later, later])):
        with FileSink(tmp_path / f"{place}{ending}") as sink:
            sink.open(batches[0].schema)
            sink.write(batches[0])
            sink.widen(wide)
            sink.write(batches[1])
            sink.commit()
        files.append(tmp_path / f"{place}{ending}")
    if ending == ".csv":
        said, whole = (file.read_text().splitlines() for file in files)
        assert said[1].replace("2024-01-01", "infinity") == whole[1]
        assert said[3:] == whole[3:]
        return
    said, whole = map(read, files)
    assert said.schema.types == whole.schema.types
    assert said.column("day").to_pylist() == ["2024-01-01", None, "infinity", None]
    assert said.drop_columns("day").to_pylist() == whole.drop_columns("day").to_pylist()


def test_a_struct_with_an_interval_is_text_in_parquet_whose_numbers_widen(tmp_path: Path):
    def parts(number: pa.DataType) -> pa.DataType:
        return pa.struct([("i", pa.month_day_nano_interval()), ("n", number)])

    path = tmp_path / "x.parquet"
    with FileSink(path) as sink:
        for number, value in ((pa.int64(), 1), (pa.decimal256(39, 0), Decimal(2**70))):
            column = pa.array([{"i": pa.MonthDayNano((1, 0, 0)), "n": value}], parts(number))
            batch = pa.RecordBatch.from_arrays([column], names=["s"])
            sink.open(batch.schema) if number == pa.int64() else sink.widen(batch.schema)
            sink.write(batch)
        sink.commit()
    assert read(path).column("s").to_pylist() == [
        '{"i": "P1M0DT0S", "n": "1"}',
        f'{{"i": "P1M0DT0S", "n": "{2**70}"}}',
    ]
