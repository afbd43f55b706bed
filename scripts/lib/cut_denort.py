"""Cuts denort, Deno's runtime for compiled programs, out of a program made with `deno compile`.

Such a program is denort followed by what was compiled into it. The section header table is the
last thing of the ELF file, so denort ends where that table does.

usage: cut_denort.py WHEEL MEMBER OUTPUT
"""
import struct
import sys
import zipfile


def elf_end(head: bytes) -> int:
    """Offset behind the section header table of a 64-bit little-endian ELF file."""
    if head[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("saker: not a 64-bit little-endian ELF file")
    (offset,) = struct.unpack_from("<Q", head, 0x28)
    entry_size, entries = struct.unpack_from("<HH", head, 0x3A)
    return offset + entry_size * entries


def main() -> None:
    wheel, member, output = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.split("/")[-1] == member]
        if len(names) != 1:
            raise SystemExit(f"saker: {wheel} holds {len(names)} files called {member}, not one")
        program = archive.read(names[0])
    with open(output, "wb") as file:
        file.write(program[: elf_end(program[:64])])


if __name__ == "__main__":
    main()
