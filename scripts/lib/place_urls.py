"""Puts the URLs and names of bundled modules right.

A module names what lies beside it by `import.meta.url`; bundled, it stands in another file. The
bundler writes each module's path before it, so every `import.meta.url` is made the URL that the
module had. Workers, entries of the bundle themselves, are named `.js` there. Modules of packages
have names with the way from the clone to Deno's cache, which is left out: a build is the same
anywhere. Of such names are the hashes too by which the bundler calls its parts; they get others.

usage: place_urls.py ROOT SRC     ROOT/SRC: where the bundle of SRC (a folder's name) lies
"""
import hashlib
import json
import os
import re
import sys

ORIGIN = re.compile(r"^// (\S+\.(?:ts|js|mjs|cjs|json))$")
TABLE = re.compile(r"^var (\w+) = \{$")
# A text that sucrase would write, and code of nobody's.
TEXT = "CREATE_REQUIRE_NAME(import.meta.url)"
# A module of a package, in a comment or as the key under which it is kept: what goes, its name.
PACKAGED = re.compile(r'^(// |\s*")[^"\s]*/npm/[^/"\s]+/((?:@[^/"\s]+/)?[^/"\s]+/\d)')
# A part that several modules are in: its name, the bundler's hash.
PART = re.compile(r"(.+)-[0-9A-Z]{8}\.js")
# How far a part's hash looks: what it imports, what that imports, …
DEPTH = 8
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
        lines.append(PACKAGED.sub(r"\1npm/\2", line))
    return "\n".join(lines)


def table(origin: str) -> object:
    with open(origin, encoding="utf-8") as file:
        return json.load(file)


def names_of_parts(texts: dict[str, str]) -> dict[str, str]:
    """New names for the parts among files, by their texts and those of the parts that they import,
    but not by the names that these have now."""
    parts = {os.path.basename(path): text for path, text in texts.items()}
    parts = {name: text for name, text in parts.items() if PART.fullmatch(name)}
    if not parts:
        return {}
    hashes = dict.fromkeys(parts, "")
    for _ in range(DEPTH):
        hashes = {
            name: hashlib.sha256(with_names(text, hashes).encode()).hexdigest()
            for name, text in parts.items()
        }
    names = {name: f"{PART.fullmatch(name)[1]}-{of[:8]}.js" for name, of in hashes.items()}
    if len(set(names.values())) < len(names):
        raise SystemExit("saker: two parts of the bundle cannot be told apart")
    return names


def with_names(text: str, names: dict[str, str]) -> str:
    """The text with names of parts replaced; each stands behind a slash, in quotes."""
    return re.sub(r'(?<=/)[\w.-]+-[0-9A-Z]{8}\.js(?=")', lambda m: names.get(m[0], m[0]), text)


def main() -> None:
    root, source = sys.argv[1:]
    texts = {}
    for folder, _, names in os.walk(os.path.join(root, source)):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                texts[path] = placed(file.read(), os.path.relpath(path, root), source)
    names = names_of_parts(texts)
    for path, text in texts.items():
        folder, name = os.path.split(path)
        os.remove(path)
        with open(os.path.join(folder, names.get(name, name)), "w", encoding="utf-8") as file:
            file.write(with_names(text, names))


if __name__ == "__main__":
    main()
