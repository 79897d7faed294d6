#!/usr/bin/env python3
"""Compares a public API in Kotlin with its snapshot: api_snapshot.py SOURCES SNAPSHOT [--generated FILE] [--write].

It reads text and knows no types: names, types with their nullability, parameters and what they are set to, typealiases. One
declaration is one line, as it is written, without its body. Of a generated file it has what the sources name in it, by a
typealias, and what that names in turn.
"""

import argparse
import difflib
import pathlib
import re
import sys

MODIFIER = re.compile(
    r"(?:public|protected|private|internal|override|abstract|open|final|sealed|data|enum|annotation|value|inner|inline|suspend"
    r"|const|lateinit|operator|infix|tailrec|external|vararg|noinline|crossinline|companion|fun(?=\s+interface\b))\s+"
)
KEYWORD = re.compile(r"(class|interface|object|fun|val|var|typealias|constructor|init)\b")
ANNOTATION = re.compile(r"@[\w:.]+(?:\([^()]*\))?\s*")
# What a line begins with that begins a declaration. An object that is a value has no name.
BEGINS = re.compile(
    r"@|(?:(?:public|private|internal|protected)\s+(?!set\b)|(?:override|abstract|open|sealed|data|enum|inner|value|inline|suspend"
    r"|const|lateinit|operator|companion|fun|val|var|class|interface|typealias|constructor)\b|object\s+\w|init\s*\{)"
)
HIDDEN = re.compile(r"\b(private|internal)\b")
TEXT = re.compile("\0(\\d+)\0")
OPENS, CLOSES = "([{", ")]}"


def bare(text, kept):
    """A source without comments; texts are put into `kept`, and their numbers stand for them."""
    out, at = [], 0

    def end_of_text(at):
        quote = '"""' if text.startswith('"""', at) else '"'
        at += len(quote)
        while not text.startswith(quote, at):
            if text.startswith("${", at):
                depth, at = 1, at + 2
                while depth:
                    if text[at] == '"':
                        at = end_of_text(at)
                        continue
                    depth += (text[at] == "{") - (text[at] == "}")
                    at += 1
                continue
            at += 2 if text[at] == "\\" and quote == '"' else 1
        return at + len(quote)

    while at < len(text):
        if text.startswith("//", at):
            at = text.find("\n", at)
            at = len(text) if at < 0 else at
        elif text.startswith("/*", at):
            depth, at = 1, at + 2
            while depth:
                if text.startswith("/*", at):
                    depth, at = depth + 1, at + 2
                elif text.startswith("*/", at):
                    depth, at = depth - 1, at + 2
                else:
                    at += 1
        elif text[at] == '"':
            end = end_of_text(at)
            out.append(f"\0{len(kept)}\0")
            kept.append(text[at:end])
            at = end
        elif text[at] == "'":
            end = text.index("'", at + (2 if text[at + 1] != "\\" else 3)) + 1
            out.append(f"\0{len(kept)}\0")
            kept.append(text[at:end])
            at = end
        else:
            out.append(text[at])
            at += 1
    return "".join(out).replace("`", "")


def top(text, wanted):
    """Where `wanted` matches first outside brackets; the end if it does not."""
    depth = 0
    for at, char in enumerate(text):
        if depth == 0 and wanted.match(text, at):
            return at
        depth += (char in OPENS) - (char in CLOSES)
    return len(text)


def split(text, by):
    """The parts between what matches `by` outside brackets, those of types too."""
    parts, depth, angle, last = [], 0, 0, 0
    for at, char in enumerate(text):
        if depth == 0 and angle == 0 and char == by:
            parts.append(text[last:at])
            last = at + 1
        depth += (char in OPENS) - (char in CLOSES)
        angle += (char == "<") - (char == ">" and text[at - 1] != "-")
    return [part for part in parts + [text[last:]] if part.strip()]


def inner(text):
    """What is within the bracket that `text` begins with, and what follows it."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char in OPENS) - (char in CLOSES)
        if depth == 0:
            return text[1:at], text[at + 1 :]
    raise ValueError(f"a bracket that does not close: {text[:80]}")


def chunks(text):
    """The declarations of a scope, each with its body."""
    depth, chunk, chunks = 0, "", []
    for line in text.splitlines(keepends=True):
        if depth == 0 and BEGINS.match(line.strip()) and ANNOTATION.sub("", chunk).strip():
            chunks.append(chunk)
            chunk = ""
        chunk += line
        depth += sum((char in OPENS) - (char in CLOSES) for char in line)
    return chunks + [chunk]


def plain(text):
    """On one line, as short as it can be said."""
    text = re.sub(r"\bkotlin\.(?:time\.|collections\.)?(?=[A-Z])", "", " ".join(text.split()))
    text = re.sub(r",? ?([)\]])", r"\1", re.sub(r"([(\[]) ", r"\1", text))
    return re.sub(r" ?([,:?]) ", r"\1 ", text).strip()


def declared(text):
    """A declaration's modifiers, its keyword, and what follows."""
    text = ANNOTATION.sub("", text.strip()) if text.strip().startswith("@") else text.strip()
    modifiers = ""
    while found := MODIFIER.match(text) or ANNOTATION.match(text):
        modifiers += "" if found[0].startswith("@") else found[0]
        text = text[found.end() :]
    keyword = KEYWORD.match(text)
    return (" ".join(modifiers.split()), keyword[1], text[keyword.end() :]) if keyword else ("", "", text)


def parameters(text):
    """The parameters of a constructor as a caller sees them, and the properties that they are."""
    shown, properties = [], []
    for parameter in split(text, ","):
        modifiers, keyword, rest = declared(parameter)
        if keyword in ("val", "var") and not HIDDEN.search(modifiers):
            shown.append(f"{modifiers} {keyword} {rest}")
            properties.append(plain(f"{modifiers} {keyword} {rest[: top(rest, re.compile('='))]}"))
        else:
            shown.append(rest if keyword else parameter)
    return plain(f"({', '.join(map(plain, shown))})"), properties


def typed(modifiers, keyword, rest):
    """A class, an interface or an object: its line, and a tree of what is in it."""
    head = rest[: top(rest, re.compile(r"\{"))]
    body = rest[len(head) :]
    holds = {}
    before = head[: top(head, re.compile(r"\(|:"))]
    name, constructor = before.strip(), ""
    after = head[len(before) :]
    access = re.search(r"(?:\b(private|internal|protected|public)\s+)?\bconstructor\s*$", name)
    if access:
        name = name[: access.start()].strip()
    if after.startswith("("):
        within, after = inner(after)
        constructor, properties = parameters(within)
        if "enum" in modifiers.split():
            constructor = ""
        elif access and access[1] in ("private", "internal"):
            constructor = ""
            holds.update((property, {}) for property in properties)
        elif access and access[1] == "protected":
            constructor = f" protected constructor{constructor}"
    supers = [part[: top(part, re.compile(r"\(|\bby\b"))] for part in split(after.strip().removeprefix(":"), ",")]
    line = f"{modifiers} {keyword} {name}{constructor}"
    if supers:
        line += f" : {', '.join(map(plain, supers))}"
    within = inner(body)[0] if body else ""
    if "enum" in modifiers.split():
        end = top(within, re.compile(";"))
        for entry in split(within[:end], ","):
            # In their order, which is that of their numbers.
            holds[f"{len(holds):03} " + re.match(r"\s*(\w+)", entry)[1]] = {}
        within = within[end + 1 :]
    merge(holds, declarations(within))
    return plain(line), holds


def declarations(text):
    """The public ones of a scope, as a tree."""
    tree = {}
    for chunk in chunks(text):
        modifiers, keyword, rest = declared(chunk)
        if keyword in ("", "init") or HIDDEN.search(modifiers):
            continue
        if keyword in ("class", "interface", "object"):
            line, holds = typed(modifiers, keyword, rest)
            if holds or "companion" not in modifiers.split():
                merge(tree.setdefault(line, {}), holds)
            continue
        if keyword == "typealias":
            tree[plain(f"{modifiers} typealias {rest}")] = {}
            continue
        setter = re.search(r"\n\s*(private|internal|protected) set\b", rest)
        head = rest[: top(rest, re.compile(r"\{|=|\bget\b\s*\(|\bby\s|\n\s*(?:private|internal|protected) set"))]
        line = plain(f"{modifiers} {keyword} {head}" if keyword != "constructor" else f"{modifiers} constructor{head}")
        tree[line + (f" {setter[1]} set" if setter else "")] = {}
    return tree


def merge(into, tree):
    for declaration, holds in tree.items():
        merge(into.setdefault(declaration, {}), holds)


def lines(tree, depth=0):
    def name(declaration):
        return re.sub(r"^(?:(?:public|override|final|open|abstract|data|sealed|enum|suspend|const|operator|fun(?= interface)) )*", "", declaration)

    for declaration, holds in sorted(tree.items(), key=lambda pair: (name(pair[0]), pair[0])):
        yield "    " * depth + re.sub(r"^\d{3} ", "", declaration)
        yield from lines(holds, depth + 1)


def used(generated, said):
    """What of a generated file is named in lines of the sources, and what that names in turn."""
    named = {}
    for declaration, holds in generated.items():
        named[re.sub(r".*?\b(?:class|interface|object|fun|val|var|typealias) (\w+).*", r"\1", declaration)] = {declaration: holds}
    new, tree = set(re.findall(r"\bdev\.parvis\.ffi\.(\w+)", "\n".join(said))), {}
    seen = set()
    while new:
        name = new.pop()
        seen.add(name)
        merge(tree, named[name])
        new |= (set(re.findall(r"\b[A-Z]\w*", "\n".join(lines(named[name])))) & named.keys()) - seen
    return tree


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("sources", type=pathlib.Path)
    arguments.add_argument("snapshot", type=pathlib.Path)
    arguments.add_argument("--generated", type=pathlib.Path)
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    kept, tree = [], {}
    for file in sorted(given.sources.rglob("*.kt")):
        merge(tree, declarations(bare(file.read_text(encoding="utf-8"), kept)))
    now = list(lines(tree))
    if given.generated:
        generated = declarations(bare(given.generated.read_text(encoding="utf-8"), kept))
        now += ["", "package dev.parvis.ffi", *lines(used(generated, now))]
    now = [TEXT.sub(lambda number: kept[int(number[1])], line) for line in now]
    if given.write:
        given.snapshot.write_text("\n".join(now) + "\n", encoding="utf-8")
        return 0
    before = given.snapshot.read_text(encoding="utf-8").splitlines()
    if now == before:
        return 0
    for line in difflib.unified_diff(before, now, str(given.snapshot), "the API as it is written", lineterm=""):
        print(line)
    print(f"The public API is another. If that is meant: scripts/api_snapshot.py {' '.join(sys.argv[1:])} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
