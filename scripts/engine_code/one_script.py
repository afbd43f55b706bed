"""Makes a bundled module one script: a function, which takes how modules of the runtime are had and
the module's own URL. V8's code of a script can be kept (worker.js), that of a module cannot.

usage: one_script.py MODULE NAME > SCRIPT     MODULE: a bundle without parts; NAME: the path that it
                                              stands for, below the root
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from place_urls import TEXT, placed

IMPORT = re.compile(r'^import (\{[^}]*\}|\w+) from "(node:[^"]+)";$', re.MULTILINE)
# What a function cannot have; a text that begins a line so would be refused too.
MODULES_OWN = ("import ", "import{", "export ", "export{", "export*")
# No name of the bundle's is like these.
GIVEN, URL = "$given", "$moduleUrl"


def script(module: str) -> str:
    def given(match: re.Match[str]) -> str:
        return f'const {match[1].replace(" as ", ": ")} = {GIVEN}("{match[2]}");'

    if GIVEN in module or URL in module:
        raise SystemExit("saker: the engine's bundle has names that are the script's own")
    text = IMPORT.sub(given, module).replace("import.meta.url", URL)
    for line in text.split("\n"):
        if line.startswith(MODULES_OWN) or "import.meta" in line and TEXT not in line:
            raise SystemExit(f"saker: the engine's bundle has what no script has: {line[:99]}")
    return f'(function ({GIVEN}, {URL}) {{\n"use strict";\n{text}\n}})'


def main() -> None:
    module, name = sys.argv[1:]
    with open(module, encoding="utf-8") as file:
        print(script(placed(file.read(), name, name.split("/")[0])))


main()
