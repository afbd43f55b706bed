"""Puts machine code in front of a program: it runs before the program's own entry does.

The code (section .front of an ELF file) becomes a segment of its own at the program's end. The
program header that tells of its notes, which nobody reads at run time, then tells of that segment.
At the mark in the code stands how far the program's own entry is, so that the code can jump there.

usage: put_front.py PROGRAM FRONT OUTPUT
"""
import struct
import sys

PAGE = 0x1000
PT_LOAD, PT_NOTE = 1, 4
READ_EXECUTE = 5
MARK = b"FRONT_TO"
HEADER = "<16sHHIQQQIHHHHHH"
PROGRAM_HEADER = "<IIQQQQQQ"


def section(elf: bytes, wanted: bytes) -> bytes:
    header = struct.unpack_from(HEADER, elf)
    at, size, count, names = header[6], header[11], header[12], header[13]
    rows = [struct.unpack_from("<IIQQQQIIQQ", elf, at + size * row) for row in range(count)]
    texts = rows[names][4]
    for row in rows:
        name = elf[texts + row[0] : elf.index(b"\0", texts + row[0])]
        if name == wanted:
            return elf[row[4] : row[4] + row[5]]
    raise SystemExit(f"saker: the front has no section {wanted.decode()}")


def main() -> None:
    program, front, output = sys.argv[1:]
    with open(program, "rb") as file:
        elf = bytearray(file.read())
    with open(front, "rb") as file:
        code = bytearray(section(file.read(), b".front"))
    entry, headers = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    rows = [headers + size * row for row in range(count)]
    segments = {row: struct.unpack_from(PROGRAM_HEADER, elf, row) for row in rows}
    notes = [row for row in rows if segments[row][0] == PT_NOTE]
    loads = [row for row in rows if segments[row][0] == PT_LOAD]
    # Segments stand in the order of their addresses, and ours is the last.
    if not notes or notes[-1] < loads[-1]:
        raise SystemExit("saker: the runtime has no notes behind its segments")
    end = max(segments[row][3] + segments[row][6] for row in loads)
    address = (end + 2 * PAGE - 1) // PAGE * PAGE
    if code.count(MARK) != 1:
        raise SystemExit("saker: the front has no single place for the way to the runtime")
    struct.pack_into("<q", code, code.index(MARK), entry - address)
    elf.extend(bytes(-len(elf) % PAGE))
    load = (PT_LOAD, READ_EXECUTE, len(elf), address, address, len(code), len(code), PAGE)
    struct.pack_into(PROGRAM_HEADER, elf, notes[-1], *load)
    struct.pack_into("<Q", elf, 24, address)
    with open(output, "wb") as file:
        file.write(elf + code)


if __name__ == "__main__":
    main()
