#!/usr/bin/env python3
"""Compares what Swift sources declare public with its snapshot: public_swift.py FOLDER SNAPSHOT [--write].

For sources that only a Mac compiles: it reads text and knows no types. One declaration is one line, as it is written, without
what it is set to and without bodies.
"""

import difflib
import pathlib
import re
import sys

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"""(?:\\.|.)*?"""|"(?:\\.|[^"\\\n])*"', re.S)
# What a line ends or begins with that goes on in the next.
GOES_ON = re.compile(r"(?:[,:(&=]|->|\bwhere|\bin)$")
CONTINUES = re.compile(r"\s*(?:->|where\b|async\b|throws\b|[,:.&?=)])")
TYPE = re.compile(r"(?:@?\w+(?:\(\w+\))?\s+)*?(class|struct|enum|protocol|extension|actor)\s+(?!func\b|var\b|let\b)\w")
PUBLIC = re.compile(r"\b(public|open)\s+(?!\()")
HIDDEN = re.compile(r"\b(private|fileprivate|internal|package)\s")


class Scope:
    """A type or an extension, a function's body, or a file."""

    def __init__(self, header, holds):
        self.header, self.holds = header, holds
        kind = TYPE.match(header)
        self.is_type = bool(kind) or not header
        public = kind[1] if kind and PUBLIC.search(header) else None
        # What a public protocol asks for, a public extension adds and an enum has as cases does not say it itself.
        self.tells, self.cases = public in ("protocol", "extension"), public == "enum"

    def shows(self, declaration):
        if HIDDEN.search(declaration):
            return False
        is_case = re.match(r"(indirect )?case\s", declaration)
        return bool(PUBLIC.search(declaration)) or self.tells or (self.cases and bool(is_case))


def declarations(text):
    """The public ones of a file, as a tree of dictionaries."""
    text = COMMENT_OR_TEXT.sub(lambda found: '""' if found[0].startswith('"') else " ", text)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    tree = {}
    scopes, header, depth = [Scope("", tree)], "", 0

    def said():
        declaration = " ".join(re.split(r"\s=\s(?![^(]*\))", header, maxsplit=1)[0].split())
        declaration = declaration.replace("( ", "(").replace(" )", ")")
        scope = scopes[-1]
        holds = {}
        if declaration and scope.is_type:
            # Any type is named if something in it is public.
            if scope.shows(declaration) or TYPE.match(declaration):
                holds = scope.holds.setdefault(declaration, {})
        return declaration, holds

    for index, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "{" and depth == 0:
            scopes.append(Scope(*said()))
            header = ""
        elif char == "}" and depth == 0:
            said()
            scopes.pop()
            header = ""
        elif char in ";\n" and depth == 0:
            goes_on = char == "\n" and (GOES_ON.search(header.rstrip()) or CONTINUES.match(text, index))
            # An attribute stands above what it is said of.
            if not goes_on and not re.fullmatch(r"\s*(@\w+(\([^)]*\))?\s*)+", header):
                said()
                header = ""
            else:
                header += " "
        else:
            header += char
    return tree


def merge(into, tree):
    for declaration, holds in tree.items():
        merge(into.setdefault(declaration, {}), holds)


def lines(tree, depth=0):
    for declaration, holds in sorted(tree.items(), key=lambda pair: re.sub(r"@\w+ ", "", pair[0])):
        inner = list(lines(holds, depth + 1))
        if inner or PUBLIC.search(declaration) or not TYPE.match(declaration):
            yield "    " * depth + declaration
            yield from inner


def main():
    folder, snapshot = sys.argv[1:3]
    tree = {}
    for file in sorted(pathlib.Path(folder).rglob("*.swift")):
        merge(tree, declarations(file.read_text(encoding="utf-8")))
    now = list(lines(tree))
    if "--write" in sys.argv:
        pathlib.Path(snapshot).write_text("\n".join(now) + "\n", encoding="utf-8")
        return 0
    before = pathlib.Path(snapshot).read_text(encoding="utf-8").splitlines()
    if now == before:
        return 0
    for line in difflib.unified_diff(before, now, snapshot, folder, lineterm=""):
        print(line)
    print(f"The public API is another. If that is meant: scripts/public_swift.py {folder} {snapshot} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
