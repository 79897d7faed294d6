#!/usr/bin/env python3
"""api.py PARVIS.json PARVIS_FFI.json: the public API as text, from what swift-api-digester dumps of the two modules.

Of the generated module only the types that Parvis names are public to apps. One declaration is one line.
"""

import json
import sys

# What every type has, or the compiler adds by itself.
SILENT = {"Copyable", "Escapable", "BitwiseCopyable"}


def load(path: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return json.load(file)["ABIRoot"]["children"]


def types(node: dict) -> list[str]:
    return [child["printedName"] + (" = …" if child.get("hasDefaultArg") else "") for child in node.get("children", [])]


def signature(node: dict) -> str:
    """A function with its labels and types; the first of the types is what it returns."""
    result, *arguments = types(node)
    name, _, labels = node["printedName"].partition("(")
    labels = labels.rstrip(")").split(":")[:-1]
    if len(labels) == len(arguments):
        inside = ", ".join(f"{label}: {kind}" for label, kind in zip(labels, arguments))
    else:
        inside = ", ".join(arguments)
    # The digester says nothing of async; the mangled name does.
    marks = (" async" if "Ya" in node.get("mangledName", "") else "") + (" throws" if node.get("throwing") else "")
    shown = "" if node["kind"] == "Constructor" or result == "()" else f" -> {result}"
    return f"{name}({inside}){marks}{shown}"


def payload(node: dict) -> str:
    """What a case carries, with its labels: the case is a function of the enum's type, and then of that."""
    made = node["children"][0]["children"][0]
    if made["kind"] != "TypeFunc":
        return ""
    carries = made["children"][1]["printedName"]
    return carries if carries.startswith("(") else f"({carries})"


def isolation(node: dict, isolated: bool) -> str:
    """What differs from the type that a declaration is in. Of a global actor the digester does not say which; there is one."""
    own = "Custom" in node.get("declAttributes", [])
    if own == isolated or node.get("declKind") not in ("Func", "Var", "Constructor", "Class", "Struct", "Enum"):
        return ""
    return "@MainActor " if own else "nonisolated "


def line(node: dict) -> str | None:
    kind = node.get("declKind")
    static = "static " if node.get("static") else ""
    generic = f" {node['genericSig']}" if "genericSig" in node else ""
    match kind:
        case "Import":
            return None
        case "Func":
            return f"{static}func {signature(node)}{generic}"
        case "Constructor":
            return f"{signature(node)}{generic}"
        case "Var":
            attributes = node.get("declAttributes", [])
            setter = any(a.get("accessorKind") == "set" for a in node.get("accessors", [])) and "SetterAccess" not in attributes
            return f"{static}{'var' if setter else 'let'} {node['printedName']}: {types(node)[0]}"
        case "EnumElement":
            return f"case {node['printedName'].partition('(')[0]}{payload(node)}"
        case "TypeAlias":
            return f"typealias {node['printedName']} = {types(node)[0]}"
        case "Class" | "Struct" | "Enum" | "Protocol":
            conformances = sorted({c["printedName"] for c in node.get("conformances", [])} - SILENT)
            inherited = node.get("superclassNames", [])[:1] + conformances
            inherits = f": {', '.join(inherited)}" if inherited else ""
            is_final = kind == "Class" and "Final" in node.get("declAttributes", [])
            marks = "open " if node.get("isOpen") else "final " if is_final else ""
            return f"{marks}{kind.lower()} {node['printedName']}{generic}{inherits}"
        case _:
            return f"{kind} {node['printedName']}"


def lines(nodes: list[dict], depth: int = 0, isolated: bool = False) -> list[str]:
    said = []
    for node in nodes:
        # Operators that the compiler writes, and what is inside them, say nothing new.
        if node.get("implicit") or (own := line(node)) is None:
            continue
        inner = [c for c in node.get("children", []) if "declKind" in c]
        is_isolated = "Custom" in node.get("declAttributes", [])
        said.append((own, isolation(node, isolated) + own, lines(inner, depth + 1, is_isolated)))
    said.sort(key=lambda one: one[0])
    return [text for _, own, inner in said for text in ["    " * depth + own, *inner]]


def main() -> None:
    parvis, generated = load(sys.argv[1]), load(sys.argv[2])
    named = {
        child["printedName"].removeprefix("ParvisFFI.")
        for node in parvis
        if node.get("declKind") == "TypeAlias"
        for child in node["children"]
    }
    # What this module adds to others' types is said, not that it knows them.
    own = [node for node in parvis if not node.get("isExternal") or any("declKind" in c for c in node.get("children", []))]
    print("\n".join(lines(own)))
    print("\n// What is generated of these types.\n")
    print("\n".join(lines([node for node in generated if node["printedName"] in named])))


if __name__ == "__main__":
    main()
