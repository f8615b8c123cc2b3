"""numeric to Arrow decimals: exact, with as many digits as the values have shown to need."""

from __future__ import annotations

import contextlib

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.postgresql.readers import Reader

SMALL, LARGE = 38, 76
"""Digits that decimal128 and decimal256 hold."""


class NumericReader(Reader):
    """numeric: its declared precision and scale, or for an undeclared one the scale seen so far.

    NaN, infinities and more than 76 digits make the column text.
    """

    def __init__(self, declared: tuple[int, int] | None) -> None:
        """Begin with the declared (precision, scale), which may be negative or above the precision."""
        super().__init__(pa.decimal128(SMALL, 0))
        self._declared = declared is not None
        self._whole = 0
        self._scale = 0
        if declared:
            precision, scale = declared
            self.type = _decimal(digits=max(precision, scale, precision - scale), scale=max(scale, 0))

    @property
    def csv_type(self) -> pa.DataType | None:
        """decimal128 only, as pyarrow.csv does not parse decimal256; and only with digits that the server keeps to.

        Arrow brings a text to the scale of a decimal without a look at what overflows: as decimal128(38, 20),
        987654321098765432109876543210 would become 697891785488159075.35.
        """
        return self.type if self._declared and pa.types.is_decimal128(self.type) else None

    def read(self, text: pa.StringArray) -> pa.Array:
        """Cast; an undeclared scale grows with the values."""
        if self.type == pa.string():
            return text
        if self.started and self._has_room_for(text):
            with contextlib.suppress(pa.ArrowInvalid):  # a finer scale, NaN, an infinity
                return pc.cast(text, self.type)
        if pc.any(pc.match_substring_regex(text, "[NI]")).as_py():
            return self.widen(text, "NaN or infinity")
        if not self._declared:
            self._grow(text)
        if self.type == pa.string():
            return self.widen(text, f"numbers of more than {LARGE} digits")
        return pc.cast(text, self.type)

    def _has_room_for(self, text: pa.StringArray) -> bool:
        """Return whether values of such lengths cannot overflow, whatever their digits are."""
        if not pa.types.is_decimal128(self.type):
            return False
        longest = pc.max(pc.binary_length(text)).as_py() or 0
        return bool(longest + self.type.scale <= SMALL)

    def _grow(self, text: pa.StringArray) -> None:
        digits = pc.ascii_ltrim(text, "-")
        point = pc.find_substring(digits, ".")
        length = pc.utf8_length(digits)
        has_point = pc.greater_equal(point, 0)
        scale = pc.max(pc.if_else(has_point, pc.subtract(pc.subtract(length, point), 1), 0)).as_py() or 0
        whole = pc.max(pc.if_else(has_point, point, length)).as_py() or 0
        self._whole, self._scale = max(self._whole, whole), max(self._scale, scale)
        digits = self._whole + self._scale
        self.type = _decimal(digits=SMALL if digits <= SMALL else max(digits, LARGE), scale=self._scale)


def _decimal(*, digits: int, scale: int) -> pa.DataType:
    """Return the Arrow type for that many digits; text where there is none."""
    if digits <= SMALL:
        return pa.decimal128(digits, scale)
    return pa.decimal256(digits, scale) if digits <= LARGE else pa.string()
