"""Puts the URLs of bundled modules right.

A module names what lies beside it by `import.meta.url`; bundled, it stands in another file. The
bundler writes each module's path before it, so every `import.meta.url` is made the URL that the
module had. Workers, entries of the bundle themselves, are named `.js` there.

usage: place_urls.py ROOT SRC     ROOT/SRC: where the bundle of SRC (a folder's name) lies
"""
import json
import os
import re
import sys

ORIGIN = re.compile(r"^// (\S+\.(?:ts|js|mjs|cjs|json))$")
TABLE = re.compile(r"^var (\w+) = \{$")
# A text that sucrase would write, and code of nobody's.
TEXT = "CREATE_REQUIRE_NAME(import.meta.url)"
WORKER = re.compile(r'new URL\("([^"]+worker)\.ts", import\.meta\.url\)')


def placed(text: str, name: str, source: str) -> str:
    """The text of the bundled file `name`, a path below the root, with its URLs put right."""
    origin = None
    is_in_table = False
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        match = ORIGIN.match(line)
        if is_in_table:
            is_in_table = line != "};"
            continue
        if match:
            origin = match[1]
        elif origin is not None and origin.endswith(".json") and TABLE.match(line):
            is_in_table = True
            text_of_table = json.dumps(table(origin), separators=(",", ":"))
            line = f"var {TABLE.match(line)[1]} = JSON.parse({json.dumps(text_of_table)});"
        elif "import.meta.url" in line and TEXT not in line:
            if origin is None or not origin.startswith(f"{source}/"):
                raise SystemExit(f"saker: {name}:{number}: import.meta.url outside of {source}/")
            line = WORKER.sub(r'new URL("\1.js", import.meta.url)', line)
            path = os.path.relpath(origin, os.path.dirname(name))
            line = line.replace("import.meta.url", f'new URL("{path}", import.meta.url).href')
        lines.append(line)
    return "\n".join(lines)


def table(origin: str) -> object:
    with open(origin, encoding="utf-8") as file:
        return json.load(file)


def main() -> None:
    root, source = sys.argv[1:]
    for folder, _, names in os.walk(os.path.join(root, source)):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(placed(text, os.path.relpath(path, root), source))


if __name__ == "__main__":
    main()
