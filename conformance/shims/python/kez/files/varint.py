"""Variable-length integers as postcard writes them (files.md): seven bits a byte, the lowest first."""

from __future__ import annotations


class Reader:
    """Reads fields from bytes; raises ValueError where they end early or a number is not in its one form."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    @property
    def at_end(self) -> bool:
        return self._offset == len(self._data)

    def bytes(self, count: int) -> bytes:
        end = self._offset + count
        if end > len(self._data):
            raise ValueError("ends early")
        self._offset, start = end, self._offset
        return self._data[start:end]

    def byte(self) -> int:
        return self.bytes(1)[0]

    def varint(self, bits: int) -> int:
        """An integer below 2^bits in its shortest form."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise ValueError("a number that is too long")
        if value >> bits or (byte == 0 and shift > 7):
            raise ValueError("a number out of range, or not in its shortest form")
        return value


def write_varint(value: int) -> bytes:
    output = bytearray()
    while value >= 0x80:
        output.append(value & 0x7F | 0x80)
        value >>= 7
    output.append(value)
    return bytes(output)
