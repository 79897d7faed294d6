#!/usr/bin/env python3
"""Makes a table of what the bindings cost: bindings_table.py ROWS [--write PAGE]; fails where a row is short.

ROWS has a line for each figure: `ok` or `short`, the row with its unit at the end, the figure, the target.
"""

import argparse
import os
import pathlib
import platform
import re
import sys

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("rows", type=pathlib.Path)
parser.add_argument("--write", type=pathlib.Path, help="writes the table into this Markdown file")
options = parser.parse_args()

UNITS = {"us": "µs", "ns": "ns", "MB": "MB"}

# Maven puts colours before what a program prints.
plain = re.sub(r"\x1b\[[0-9;]*m", "", options.rows.read_text())
rows = [line.split() for line in plain.splitlines() if line.startswith(("ok ", "short "))]
model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
lines = [f"{os.cpu_count()} cores of {model}, Linux {platform.release()}.", "", "| What | Figure | Target | |", "|---|---|---|---|"]
for word, row, figure, target in rows:
    name, _, unit = row.rpartition("-")
    lines.append(f"| `{name}` | {figure} {UNITS[unit]} | {float(target):g} {UNITS[unit]} | {word} |")
if options.write:
    head, _, rest = options.write.read_text().partition("<!-- bench -->")
    tail = rest.partition("<!-- /bench -->")[2]
    table = "\n".join(lines)
    options.write.write_text(f"{head}<!-- bench -->\n\n{table}\n\n<!-- /bench -->{tail or chr(10)}")
short = [row for word, row, *_ in rows if word == "short"]
if short or len(rows) < 8:
    sys.exit(f"short: {', '.join(short) or 'rows are missing'}")
