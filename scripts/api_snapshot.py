#!/usr/bin/env python3
"""Compares the public API of the Kotlin SDK with its snapshot: api_snapshot.py CLASSES SNAPSHOT [--write]."""

import difflib
import os
import re
import subprocess
import sys

# What uniffi generates for its own use, and what the compiler does.
INTERNAL = re.compile(
    r"(^|[/.$])(FfiConverter|Uniffi|uniffi|RustBuffer|ForeignBytes|IntegrityChecking|NoHandle|UNIFFI|JavaLangRef)"
    r"|\$\d|\$\$|\$sam\$|DefaultImpls|WhenMappings|ErrorHandler|Parvis_ffi|parvis_ffiKt|\$Companion\$"
)


def classes(folder):
    """Names of the public classes under a folder."""
    for root, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            if file.endswith(".class"):
                path = os.path.relpath(os.path.join(root, file), folder)
                name = path[: -len(".class")].replace(os.sep, ".")
                if not INTERNAL.search(name):
                    yield name


def api(folder):
    """What `javap -public` says of them, without what is the compiler's."""
    names = list(classes(folder))
    said = subprocess.run(
        ["javap", "-public", "-cp", folder] + names, check=True, capture_output=True, text=True
    ).stdout
    lines = []
    for block in re.findall(r"^\S.*?^}$", said, re.M | re.S):
        head, *rest = [line for line in block.splitlines() if not line.startswith("Compiled from")]
        if not head.startswith("public "):
            continue
        kept = [
            line
            for line in rest
            if not re.search(r"component\d+\(|copy\$default|\$stable|\$ENTRIES|uniffi|Uniffi|\$[a-z]\w*\(|DefaultConstructorMarker", line)
        ]
        lines += [head] + kept
    return [line.rstrip() for line in lines]


def main():
    folders, snapshot = sys.argv[1].split(":"), sys.argv[2]
    now = [line for folder in folders for line in api(folder)]
    if "--write" in sys.argv:
        with open(snapshot, "w", encoding="utf-8") as file:
            file.write("\n".join(now) + "\n")
        return 0
    with open(snapshot, encoding="utf-8") as file:
        before = file.read().splitlines()
    if now == before:
        return 0
    for line in difflib.unified_diff(before, now, snapshot, "the API as it is built", lineterm=""):
        print(line)
    print(f"The public API is another. If that is meant: scripts/api_snapshot.py {sys.argv[1]} {snapshot} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
