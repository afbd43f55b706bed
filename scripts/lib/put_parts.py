"""Puts files behind a program, as they are, and writes where each lies. What a compiled program
includes is read whole into memory at each start, and copied there once more: 1.3 ms and 2 MB for
each MB. What stands behind the runtime is read when it is asked for, from /proc/self/exe.

usage: put_parts.py PROGRAM OUTPUT INDEX PART ...     PART: a file, or a folder of files
"""
import json
import os
import sys

PAGE = 0x1000


def files(part: str) -> list[tuple[str, str]]:
    """Names as the index has them, below the folder, and where the files are."""
    if not os.path.isdir(part):
        return [(os.path.basename(part), part)]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(part) for name in names]
    return sorted((os.path.relpath(path, part), path) for path in paths)


def main() -> None:
    program, output, index, *parts = sys.argv[1:]
    places = {}
    with open(output, "wb") as out:
        with open(program, "rb") as file:
            out.write(file.read())
        for name, path in (entry for part in parts for entry in files(part)):
            if name in places:
                raise SystemExit(f"saker: two parts of the executable are called {name}")
            out.write(bytes(-out.tell() % PAGE))
            with open(path, "rb") as file:
                content = file.read()
            places[name] = [out.tell(), len(content)]
            out.write(content)
    os.chmod(output, 0o755)
    with open(index, "w", encoding="utf-8") as file:
        json.dump(places, file)


main()
