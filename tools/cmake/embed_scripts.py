#!/usr/bin/env python3
"""Writes a header in which the sh scripts of a folder are string constants: embed_scripts.py HEADER NAMESPACE FILE.sh...

put_away.sh becomes kPutAwayScript. What a remote shell does not need is left out, because scripts travel with every
command: full-line comments, blank lines and indentation. Here-documents stay as they are. Several lines between quotes
must therefore not begin with blanks or '#' that mean something; continued lines have a blank before the backslash."""

import os
import re
import sys

HERE_DOCUMENT = re.compile(r"(?<!<)<<(-?)\s*([\"']?)(\w+)\2")


def compact(text):
    lines, ends = [], []
    for line in text.split("\n"):
        if ends:
            tabs, end = ends[0]
            if (line.lstrip("\t") if tabs else line) == end:
                ends.pop(0)
            lines.append(line)
            continue
        line = line.lstrip(" ")
        if not line or line.startswith("#"):
            continue
        ends = [(match[1] == "-", match[3]) for match in HERE_DOCUMENT.finditer(line)]
        lines.append(line)
    if ends:
        raise ValueError(f"the here-document up to {ends[0][1]} has no end")
    return "\n".join(lines) + "\n"


def constant(path):
    name = os.path.splitext(os.path.basename(path))[0]
    return "k" + "".join(word.capitalize() for word in name.split("_")) + "Script"


def main():
    header, namespace, *paths = sys.argv[1:]
    out = ["// Generated from the .sh files of the folder by tools/cmake/embed_scripts.py.", "#pragma once", "",
           "#include <string_view>", "", f"namespace {namespace} {{", ""]
    for path in paths:
        with open(path, encoding="utf-8") as file:
            try:
                script = compact(file.read())
            except ValueError as problem:
                sys.exit(f"{path}: {problem}")
        if ')sh"' in script:
            sys.exit(f"{path}: )sh\" ends a string of C++")
        out.append(f'inline constexpr std::string_view {constant(path)} = R"sh({script})sh";\n')
    out += [f"}}  // namespace {namespace}", ""]
    os.makedirs(os.path.dirname(header), exist_ok=True)
    with open(header, "w", encoding="utf-8") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    main()
