"""What becomes of each Arrow type in an upload, engine by engine: data, from which tests and TYPES.md's table are made.

A cell says what happens to the values: `EXACT`, read back equal (as text, where the engine has no such type);
`Refused` with a word of the message; `Noted` with a word of the note, read back equal but for what the note says.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pyarrow as pa

ENGINES = ("postgresql", "mysql", "duckdb", "sqlite")
EXACT = "exact"


@dataclass(frozen=True)
class Refused:
    """The upload is refused, nothing is written, and the message names the column and has these words."""

    words: str


@dataclass(frozen=True)
class Noted:
    """The upload has a note with these words."""

    words: str


Cell = str | Refused | Noted


@dataclass(frozen=True)
class Kind:
    """A type with values for it, and what each engine does."""

    name: str
    type: pa.DataType
    values: list[Any]
    cells: dict[str, Cell]
    family: str
    """How values are compared: see `canonical`."""

    @property
    def array(self) -> pa.Array:
        """The values, with a NULL before and behind them."""
        values = [None, *self.values, None]
        if isinstance(self.type, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(self.type, pa.array(values, self.type.storage_type))
        if pa.types.is_run_end_encoded(self.type):
            return pa.compute.run_end_encode(pa.array(values, self.type.value_type))
        if pa.types.is_dictionary(self.type):
            codes = pa.array([None, *range(len(self.values)), None], self.type.index_type)
            return pa.DictionaryArray.from_arrays(codes, pa.array(self.values, self.type.value_type))
        return pa.array(values, self.type)


def _kind(name: str, type_: pa.DataType, values: list[Any], family: str, **cells: Cell) -> Kind:
    return Kind(name, type_, values, {engine: cells.get(engine, EXACT) for engine in ENGINES}, family)


NANOS, YEARS, NAN, TYPE = Refused("nanoseconds"), Refused("year"), Refused("NaN"), Refused("of type")
UTC = Noted("holds UTC")
TEXT = Noted("as text")
DAY_US = 86_400_000_000
BERLIN, OFFSET = "Europe/Berlin", "+05:30"
IN_1880 = -2_840_140_800  # when Berlin was 53 minutes and 28 seconds before Greenwich
KEPT = {"mysql": NANOS, "postgresql": NANOS}
LENGTHS = {"sqlite": TYPE}
NESTED = {"mysql": TYPE}
JSON_ONLY = Refused("as JSON, which has no")

KINDS: tuple[Kind, ...] = (
    _kind("null", pa.null(), [], "text"),
    _kind("bool", pa.bool_(), [True, False], "number"),
    _kind("bool8", pa.bool8(), [1, 0], "number"),
    *(
        _kind(str(t), t, [-(2 ** (t.bit_width - 1)), -1, 0, 2 ** (t.bit_width - 1) - 1], "number")
        for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64())
    ),
    *(_kind(str(t), t, [0, 2**t.bit_width - 1], "number") for t in (pa.uint8(), pa.uint16(), pa.uint32())),
    _kind("uint64", pa.uint64(), [0, 2**63 - 1], "number"),
    _kind("uint64 from 2^63 on", pa.uint64(), [2**64 - 1], "number", sqlite=Refused("18446744073709551615")),
    _kind("float16", pa.float16(), [0.5, -65504.0, 6e-8], "number"),
    _kind("float32", pa.float32(), [0.1, -3.4028234663852886e38, 1e-45, 16777217.0], "number"),
    _kind("float64", pa.float64(), [0.1, -1.7976931348623157e308, 5e-324, 1 / 3, 1e22, 123456789.0], "number"),
    _kind("float64, infinity", pa.float64(), [float("inf"), float("-inf")], "number", mysql=Refused("infinity")),
    _kind("float64, NaN", pa.float64(), [float("nan")], "number", mysql=NAN, sqlite=NAN),
    _kind("float32, NaN", pa.float32(), [float("nan")], "number", mysql=NAN, sqlite=NAN),
    _kind("decimal32", pa.decimal32(7, 2), [D("12345.67"), D("-0.01")], "number"),
    _kind("decimal64", pa.decimal64(15, 3), [D("123456789012.345"), D("-0.001")], "number"),
    _kind("decimal128", pa.decimal128(15, 2), [D("9999999999999.99"), D("0.10"), D("0.00")], "number"),
    _kind(
        "decimal128, many digits", pa.decimal128(38, 27),
        [D("0.000000012345678901234567890"), D("-99999999999.999999999999999999999999999")], "number", sqlite=TEXT,
    ),
    _kind("decimal128, scale below 0", pa.decimal128(5, -2), [D("1E+2"), D("-9.99E+6")], "number"),
    _kind(
        "decimal256, 39 digits", pa.decimal256(39, 0), [D(2**127 - 1), D(-(2**127) + 1)], "number", sqlite=TEXT,
    ),
    _kind(
        "decimal256, 39 digits, beyond 128 bits", pa.decimal256(39, 0), [D(2**127)], "number",
        sqlite=TEXT, duckdb=Refused("HUGEINT"),
    ),
    _kind(
        "decimal256, 60 digits", pa.decimal256(60, 20), [D("9" * 40 + "." + "9" * 20)], "number",
        sqlite=TEXT, duckdb=Refused("DECIMAL.38,20"),
    ),
    _kind(
        "decimal256, 76 digits", pa.decimal256(76, 38), [D("9" * 38 + "." + "9" * 38)], "number",
        sqlite=TEXT, duckdb=Refused("DECIMAL.38,38"), mysql=TYPE,
    ),
    *(
        _kind(name, t, ["", "it's \\ \"q\" 😀\n", " x ", "NULL", "\\N"], "text")
        for name, t in (("string", pa.string()), ("large_string", pa.large_string()), ("string_view", pa.string_view()))
    ),
    _kind("string, NUL", pa.string(), ["a\0b"], "text", postgresql=Refused("holds text with the character NUL")),
    *(
        _kind(name, t, [b"", b"\0\xff'\\\n", b"abc"], "bytes")
        for name, t in (("binary", pa.binary()), ("large_binary", pa.large_binary()), ("binary_view", pa.binary_view()))
    ),
    _kind("fixed_size_binary", pa.binary(2), [b"\0\xff", b"ab"], "bytes"),
    _kind("date32", pa.date32(), [-719162, 0, 2932896], "date"),
    _kind("date32, beyond 9999 and BC", pa.date32(), [4000000, -800000, 12000000, 23956421], "date", mysql=YEARS, sqlite=YEARS),
    _kind("date64", pa.date64(), [0, 86_400_000 * 2932896], "date"),
    _kind("time32[s]", pa.time32("s"), [0, 86_399], "time"),
    _kind("time32[ms]", pa.time32("ms"), [1, 86_399_999], "time"),
    _kind("time64[us]", pa.time64("us"), [1, DAY_US - 1], "time"),
    _kind("time64[ns], whole microseconds", pa.time64("ns"), [1000, DAY_US * 1000 - 1000], "time"),
    _kind("time64[ns]", pa.time64("ns"), [1, DAY_US * 1000 - 1], "time", **KEPT),
    *(
        _kind(f"timestamp[{unit}]", pa.timestamp(unit), [-62135596800 * n, -1, 1, 253402300799 * n], "moment")
        for unit, n in (("s", 1), ("ms", 10**3), ("us", 10**6))
    ),
    _kind("timestamp[ns], whole microseconds", pa.timestamp("ns"), [-1000, 1000, 2**62 // 1000 * 1000], "moment"),
    _kind("timestamp[ns]", pa.timestamp("ns"), [-1, 1, 2**62 + 1], "moment", **KEPT),
    _kind(
        "timestamp[us], beyond 9999 and BC", pa.timestamp("us"), [4 * 10**17, -7 * 10**16 + 5], "moment",
        mysql=YEARS, sqlite=YEARS,
    ),
    _kind(
        "timestamp[s], year 40000", pa.timestamp("s"), [1_200_000_000_000], "moment", mysql=YEARS, sqlite=YEARS,
    ),
    *(
        _kind(f"timestamp[{unit}, {zone}]", pa.timestamp(unit, zone), [IN_1880 * n, -1, 25 * 10**10 * n], "moment", mysql=UTC)
        for zone in ("UTC", BERLIN, OFFSET)
        for unit, n in (("s", 1), ("ms", 10**3), ("us", 10**6))
    ),
    _kind("timestamp[ns, Europe/Berlin]", pa.timestamp("ns", BERLIN), [IN_1880 * 10**9, 1, 2**62 + 1], "moment", **KEPT),
    _kind(
        "timestamp[us, UTC], beyond 9999 and BC", pa.timestamp("us", "UTC"), [400_000_000_000 * 10**6, -70_000_000_000 * 10**6],
        "moment", mysql=YEARS, sqlite=YEARS,
    ),
    *(
        _kind(f"duration[{unit}]", pa.duration(unit), [-3_020_399 * n, -1, 1, 3_020_399 * n], "length", **LENGTHS)
        for unit, n in (("s", 1), ("ms", 10**3), ("us", 10**6))
    ),
    _kind("duration[ns], whole microseconds", pa.duration("ns"), [-1000, 3_600_000_001_000], "length", **LENGTHS),
    _kind("duration[ns]", pa.duration("ns"), [1], "length", mysql=NANOS, postgresql=NANOS, duckdb=NANOS, sqlite=TYPE),
    _kind("duration, beyond 838:59:59", pa.duration("s"), [3_020_400], "length", mysql=Refused("838"), sqlite=TYPE),
    _kind(
        "month_day_nano_interval", pa.month_day_nano_interval(),
        [pa.MonthDayNano([-14, 3, -5_000_000_000]), pa.MonthDayNano([1, 0, 1000])], "interval", mysql=TYPE, sqlite=TYPE,
    ),
    _kind(
        "month_day_nano_interval, nanoseconds", pa.month_day_nano_interval(), [pa.MonthDayNano([0, 0, 1])], "interval",
        mysql=TYPE, sqlite=TYPE, postgresql=NANOS, duckdb=NANOS,
    ),
    *(
        _kind(f"{name}<int64>", t, [[], [1, None, -3]], "nested", **NESTED)
        for name, t in (
            ("list", pa.list_(pa.int64())), ("large_list", pa.large_list(pa.int64())), ("list_view", pa.list_view(pa.int64())),
        )
    ),
    _kind("fixed_size_list", pa.list_(pa.int64(), 2), [[1, 2], [None, 4]], "nested", **NESTED),
    _kind("list<string>", pa.list_(pa.string()), [["", "NULL", None, 'a,"b\\', "{}", "\n"]], "nested", **NESTED),
    _kind("list<decimal>", pa.list_(pa.decimal128(30, 20)), [[D("0.12345678901234567890")]], "nested", **NESTED),
    _kind("list<binary>", pa.list_(pa.binary()), [[b"\0", b""]], "nested", mysql=TYPE, sqlite=JSON_ONLY),
    _kind("list<timestamp[ns]>", pa.list_(pa.timestamp("ns")), [[1]], "moments", mysql=TYPE, postgresql=NANOS),
    _kind("list<timestamp[us, zone]>", pa.list_(pa.timestamp("us", BERLIN)), [[IN_1880 * 10**6, 1]], "moments", **NESTED),
    _kind("list<duration[ns]>", pa.list_(pa.duration("ns")), [[1]], "nested",
          mysql=TYPE, sqlite=JSON_ONLY, postgresql=NANOS, duckdb=NANOS),
    _kind("list<list>", pa.list_(pa.list_(pa.int64())), [[[5], [6]]], "nested", **NESTED),
    _kind("list<list>, uneven", pa.list_(pa.list_(pa.int64())), [[[], []], [[5], [6, 7]], [None]], "nested",
          mysql=TYPE, postgresql=Refused("rectangle")),
    _kind("list<struct>", pa.list_(pa.struct([("a", pa.int64())])), [[{"a": 1}, {"a": None}]], "nested", **NESTED),
    _kind("struct", pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 2**63 - 1, "b": 'x"y'}], "nested", **NESTED),
    _kind("struct of decimal", pa.struct([("d", pa.decimal128(38, 30))]), [{"d": D("0.123456789012345678901234567890")}],
          "nested", **NESTED),
    _kind("struct of binary", pa.struct([("b", pa.binary())]), [{"b": b"\0"}], "nested",
          mysql=TYPE, postgresql=JSON_ONLY, sqlite=JSON_ONLY),
    _kind("struct of NaN", pa.struct([("f", pa.float64())]), [{"f": float("nan")}], "nested",
          mysql=TYPE, postgresql=JSON_ONLY, sqlite=JSON_ONLY),
    _kind("struct of duration", pa.struct([("f", pa.duration("s"))]), [{"f": 5}], "lengths",
          mysql=TYPE, postgresql=JSON_ONLY, sqlite=JSON_ONLY),
    _kind("map", pa.map_(pa.string(), pa.int64()), [[("a", 1), ("ü", None)], []], "map", **NESTED),
    _kind("map, a key twice", pa.map_(pa.string(), pa.int64()), [[("a", 1), ("a", 2)]], "map",
          mysql=TYPE, postgresql=Refused("key twice"), sqlite=Refused("key twice"), duckdb=Refused("(?i)duplicate|unique")),
    _kind("dictionary<string>", pa.dictionary(pa.int8(), pa.string()), ["a", "b"], "text"),
    _kind("dictionary<string_view>", pa.dictionary(pa.uint32(), pa.string_view()), ["a", "b"], "text"),
    _kind("dictionary<timestamp>", pa.dictionary(pa.int8(), pa.timestamp("us")), [1, 2], "moment"),
    _kind("run_end_encoded", pa.run_end_encoded(pa.int32(), pa.int64()), [7, 7, 8], "number"),
    _kind("uuid", pa.uuid(), [bytes(range(16)), b"\xff" * 16], "uuid"),
    _kind("json", pa.json_(), ['{"a": [1, null]}', "null", '"x"'], "text"),
)  # fmt: skip


# --- the table of TYPES.md ---

MARKS = {Refused: "refused", Noted: "noted"}


def page_table() -> str:
    """Return the table as TYPES.md has it."""
    rows = ["| Arrow | PostgreSQL | MySQL, MariaDB | DuckDB | SQLite |", "|---|---|---|---|---|"]
    for kind in KINDS:
        cells = [kind.cells[engine] for engine in ENGINES]
        marks = [EXACT if isinstance(cell, str) else MARKS[type(cell)] for cell in cells]
        rows.append(f"| {kind.name} | {' | '.join(marks)} |")
    return "\n".join(rows)
