#!/usr/bin/env python3
"""Compares a public API in Kotlin with its snapshot: api_snapshot.py CLASSES SOURCES SNAPSHOT [--write].

What the sources call internal is public to the JVM, and not to apps.
"""

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
INTERNAL_TYPE = re.compile(r"^internal (?:[a-z]+ )*?(?:class|interface|object) (\w+)", re.M)
INTERNAL_FUNCTION = re.compile(r"^internal (?:[a-z]+ )*?fun ?(?:<[^>]*> )?(?:[\w.]+\.)?(\w+)\(", re.M)


def internal(sources):
    """Names of types and of functions outside types that are internal."""
    types, functions = set(), set()
    for source in sources:
        for root, _, files in os.walk(source):
            for file in files:
                with open(os.path.join(root, file), encoding="utf-8") as opened:
                    text = opened.read()
                types |= set(INTERNAL_TYPE.findall(text))
                functions |= set(INTERNAL_FUNCTION.findall(text))
    return types, functions


def classes(folder, types):
    """Names of the public classes under a folder."""
    for root, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            if file.endswith(".class"):
                path = os.path.relpath(os.path.join(root, file), folder)
                name = path[: -len(".class")].replace(os.sep, ".")
                if not INTERNAL.search(name) and re.split(r"[.$]", name[name.rfind(".") + 1 :])[0] not in types:
                    yield name


def api(folder, types, functions):
    """What `javap -public` says of them, without what is the compiler's."""
    names = list(classes(folder, types))
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
        if re.search(r"Kt \{$", head):
            kept = [line for line in kept if not set(re.findall(r"(\w+)\(", line)) & functions]
            if kept == ["}"]:
                continue
        lines += [head] + kept
    return [line.rstrip() for line in lines]


def main():
    folders, sources, snapshot = sys.argv[1].split(":"), sys.argv[2].split(":"), sys.argv[3]
    types, functions = internal(sources)
    now = [line for folder in folders for line in api(folder, types, functions)]
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
    print(f"The public API is another. If that is meant: scripts/api_snapshot.py {' '.join(sys.argv[1:4])} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
