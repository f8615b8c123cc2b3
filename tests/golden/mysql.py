"""MySQL and MariaDB: type, Arrow type, {SQL literal: value}. Each case has a NULL before and behind them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

US = pa.timestamp("us")
DURATION = pa.duration("us")
LONGEST = timedelta(hours=838, minutes=59, seconds=59)
POINT = bytes(4) + bytes.fromhex("0101000000000000000000f03f0000000000000040")

# type, Arrow type, {SQL literal: value}; every case has NULL, smallest, largest and the awkward
GOLDEN: list[tuple[str, pa.DataType, dict[str, Any]]] = [
    ("TINYINT", pa.int8(), {"-128": -128, "127": 127, "0": 0}),
    ("TINYINT(1)", pa.int8(), {"0": 0, "1": 1, "2": 2, "-128": -128}),
    ("TINYINT UNSIGNED", pa.uint8(), {"0": 0, "255": 255}),
    ("SMALLINT", pa.int16(), {"-32768": -32768, "32767": 32767}),
    ("SMALLINT UNSIGNED", pa.uint16(), {"0": 0, "65535": 65535}),
    ("MEDIUMINT", pa.int32(), {"-8388608": -8388608, "8388607": 8388607, "-1": -1}),
    ("MEDIUMINT UNSIGNED", pa.uint32(), {"0": 0, "16777215": 16777215}),
    ("INT", pa.int32(), {"-2147483648": -(2**31), "2147483647": 2**31 - 1}),
    ("INT(7) UNSIGNED ZEROFILL", pa.uint32(), {"0": 0, "42": 42, "4294967295": 2**32 - 1}),
    ("BIGINT", pa.int64(), {"-9223372036854775808": -(2**63), "9223372036854775807": 2**63 - 1}),
    ("BIGINT UNSIGNED", pa.uint64(), {"0": 0, "9223372036854775808": 2**63, "18446744073709551615": 2**64 - 1}),
    (
        "DECIMAL(12,2)",
        pa.decimal128(12, 2),
        {"-9999999999.99": Decimal("-9999999999.99"), "0.01": Decimal("0.01"), "0": Decimal("0.00")},
    ),
    ("DECIMAL(5,0)", pa.decimal128(5, 0), {"-99999": Decimal(-99999), "99999": Decimal(99999)}),
    ("DECIMAL(6,6)", pa.decimal128(6, 6), {"0.999999": Decimal("0.999999"), "-0.000001": Decimal("-0.000001")}),
    ("DECIMAL(10,3) UNSIGNED", pa.decimal128(10, 3), {"0": Decimal("0.000"), "9999999.999": Decimal("9999999.999")}),
    ("DECIMAL(38,0)", pa.decimal128(38, 0), {"9" * 38: Decimal("9" * 38)}),
    (
        "DECIMAL(65,30)",
        pa.decimal256(65, 30),
        {f"-{'9' * 35}.{'9' * 30}": Decimal(f"-{'9' * 35}.{'9' * 30}"), "0." + "0" * 29 + "1": Decimal("1E-30")},
    ),
    (
        "FLOAT",
        pa.float32(),
        {
            "16777216": 16777216.0,
            "0.1": 0.10000000149011612,
            "-3.40282346638528859e38": -3.4028234663852886e38,
            "1.17549435e-38": 1.1754943508222875e-38,
            "123456.789": 123456.7890625,
        },
    ),
    (
        "DOUBLE",
        pa.float64(),
        {
            "1.7976931348623157e308": 1.7976931348623157e308,
            "2.2250738585072014e-308": 2.2250738585072014e-308,
            "0.1": 0.1,
            "-0.3333333333333333e0": -0.3333333333333333,
            "123456789.12345679e0": 123456789.12345679,
        },
    ),
    ("BIT(1)", pa.bool_(), {"b'0'": False, "b'1'": True}),
    ("BIT(8)", pa.uint64(), {"0": 0, "255": 255, "b'10'": 2}),
    ("BIT(10)", pa.uint64(), {"513": 513, "1023": 1023}),
    ("BIT(64)", pa.uint64(), {"0": 0, "18446744073709551615": 2**64 - 1, "251": 251}),
    ("YEAR", pa.int16(), {"1901": 1901, "2155": 2155, "'0000'": 0}),
    (
        "DATE",
        pa.date32(),
        {
            "'0001-01-01'": date(1, 1, 1),
            "'9999-12-31'": date(9999, 12, 31),
            "'2024-02-29'": date(2024, 2, 29),
            "'1969-12-31'": date(1969, 12, 31),
        },
    ),
    (
        "DATETIME",
        US,
        {
            "'0001-01-01 00:00:00'": datetime(1, 1, 1),
            "'9999-12-31 23:59:59'": datetime(9999, 12, 31, 23, 59, 59),
            "'2024-02-29'": datetime(2024, 2, 29),
        },
    ),
    ("DATETIME(3)", US, {"'1969-12-31 23:59:59.999'": datetime(1969, 12, 31, 23, 59, 59, 999000)}),
    (
        "DATETIME(6)",
        US,
        {
            "'0001-01-01 00:00:00.000001'": datetime(1, 1, 1, 0, 0, 0, 1),
            "'9999-12-31 23:59:59.999999'": datetime(9999, 12, 31, 23, 59, 59, 999999),
        },
    ),
    (
        "TIMESTAMP",
        US,
        {
            "'1970-01-01 00:00:01'": datetime(1970, 1, 1, 0, 0, 1),
            "'2038-01-19 03:14:07'": datetime(2038, 1, 19, 3, 14, 7),
        },
    ),
    ("TIMESTAMP(6)", US, {"'2024-02-29 12:00:00.000001'": datetime(2024, 2, 29, 12, 0, 0, 1)}),
    (
        "TIME",
        DURATION,
        {
            "'-838:59:59'": -LONGEST,
            "'838:59:59'": LONGEST,
            "'00:00:00'": timedelta(0),
            "'-00:00:01'": timedelta(seconds=-1),
            "'24:00:00'": timedelta(days=1),
        },
    ),
    (
        "TIME(6)",
        DURATION,
        {
            "'-838:59:58.999999'": -(LONGEST - timedelta(microseconds=1)),
            "'00:00:00.000001'": timedelta(microseconds=1),
            "'100:00:00.5'": timedelta(hours=100, microseconds=500000),
        },
    ),
    ("CHAR(4)", pa.string(), {"''": "", "'ab'": "ab", "'😀é語x'": "😀é語x"}),
    (
        "VARCHAR(300)",
        pa.string(),
        {
            "''": "",
            "REPEAT('x',300)": "x" * 300,
            "REPEAT('語',251)": "語" * 251,
            "'a\\nb\\0c'": "a\nb\0c",
            "'NULL'": "NULL",
            "' x '": " x ",
        },
    ),
    ("VARCHAR(20) CHARACTER SET latin1", pa.string(), {"'é€ÿ'": "é€ÿ"}),
    ("VARCHAR(20) COLLATE utf8mb4_bin", pa.string(), {"'😀'": "😀"}),
    ("TINYTEXT", pa.string(), {"''": "", "REPEAT('x',255)": "x" * 255}),
    (
        "TEXT",
        pa.string(),
        {"REPEAT('x',65535)": "x" * 65535, "REPEAT('y',251)": "y" * 251, "REPEAT('z',250)": "z" * 250},
    ),
    ("MEDIUMTEXT", pa.string(), {"REPEAT('語',50000)": "語" * 50000}),
    ("LONGTEXT", pa.string(), {"REPEAT('x',70000)": "x" * 70000, "'😀'": "😀"}),
    ("BINARY(4)", pa.binary(), {"'ab'": b"ab\0\0", "X'00FF27FB'": b"\x00\xff\x27\xfb"}),
    ("VARBINARY(300)", pa.binary(), {"''": b"", "X'FFFEFB00'": b"\xff\xfe\xfb\x00"}),
    ("TINYBLOB", pa.binary(), {"X'00'": b"\0"}),
    ("BLOB", pa.binary(), {"REPEAT(X'FB',65535)": b"\xfb" * 65535}),
    ("MEDIUMBLOB", pa.binary(), {"REPEAT(X'FE',70000)": b"\xfe" * 70000}),
    ("LONGBLOB", pa.binary(), {"''": b"", "X'DEADBEEF'": b"\xde\xad\xbe\xef"}),
    ("JSON", pa.string(), {'\'{"a": [1, null], "ü": "😀"}\'': '{"a": [1, null], "ü": "😀"}', "'null'": "null"}),
    ("ENUM('small','', 'größe')", pa.string(), {"'small'": "small", "''": "", "'größe'": "größe"}),
    ("SET('a','b','ü')", pa.string(), {"''": "", "'a,ü'": "a,ü"}),
    ("GEOMETRY", pa.binary(), {"POINT(1,2)": POINT}),
    ("POINT", pa.binary(), {"POINT(1,2)": POINT}),
    ("INET6", pa.string(), {"'::1'": "::1", "'ffff::ffff'": "ffff::ffff"}),
    ("INET4", pa.string(), {"'255.255.255.255'": "255.255.255.255", "'0.0.0.0'": "0.0.0.0"}),
    ("UUID", pa.string(), {"'00000000-0000-4000-8000-00000000beef'": "00000000-0000-4000-8000-00000000beef"}),
]
