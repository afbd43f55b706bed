"""Cuts the table of source lines out of a probe's .BTF.ext: two thirds of the object, which the
kernel checks and keeps a copy of for each program, to show them in the verifier's log alone. The
table of functions before it stays: programs that call back need it.

usage: cut_lines.py BTF_EXT OUTPUT     both are that section's bytes
"""
import struct
import sys

MAGIC = 0xEB9F
# Magic, version, flags, length of the header; then offset (from the header's end) and length of the
# functions, the lines, and the relocations by name, which Rust has none of.
HEADER = struct.Struct("<HBBI6I")


def main() -> None:
    source, output = sys.argv[1:]
    with open(source, "rb") as file:
        section = file.read()
    magic, version, flags, header, at, length, _, _, _, relocations = HEADER.unpack_from(section)
    if (magic, version, header, at, relocations) != (MAGIC, 1, HEADER.size, 0, 0):
        raise SystemExit("saker: the probe's .BTF.ext is laid out in a way that is not known")
    cut = HEADER.pack(magic, version, flags, header, at, length, length, 0, length, 0)
    with open(output, "wb") as file:
        file.write(cut + section[header : header + length])


main()
