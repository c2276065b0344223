#!/usr/bin/env python3
"""Writes a header in which the sh scripts of a folder are string constants: embed_scripts.py HEADER NAMESPACE FILE.sh...

put_away.sh becomes kPutAwayScript. What a remote shell does not need is left out, because scripts travel with every
command: full-line comments, blank lines and indentation. Here-documents stay as they are. Several lines between quotes
must therefore not begin with blanks that mean something. Refused is what would become another script: a line that goes on
(by a backslash) with a comment, a blank line or a glued word; a comment's '#' at the start of a line within quotes; ends
of here-documents that are no plain words; and carriage returns."""

import os
import re
import sys

HERE_DOCUMENT = re.compile(r"(?<!<)<<(-?)\s*([\"']?)(\w+)\2")
ANY_HERE_DOCUMENT = re.compile(r"(?<!<)<<-?(?!<)")


class Quotes:
    """Whether a place of a script lies within quotes; what is between them there may be other than sh."""

    def __init__(self):
        self.open = ""

    def outside(self, line):
        """The line without what is quoted or a comment; takes note of quotes that stay open at its end."""
        out, i = [], 0
        while i < len(line):
            c = line[i]
            if self.open == "'":
                if c == "'":
                    self.open = ""
            elif c == "\\":
                i += 1
            elif self.open == '"':
                if c == '"':
                    self.open = ""
            elif c in "'\"":
                self.open = c
            elif c == "#" and (i == 0 or line[i - 1] in " \t;|&("):
                break
            else:
                out.append(c)
            i += 1
        return "".join(out)


def here_documents(line, plain):
    """Those that the line begins; `plain`: the line without what is quoted."""
    arithmetic = re.sub(r"\$\(\(.*?\)\)", "", plain)
    if not ANY_HERE_DOCUMENT.search(arithmetic):
        return []
    found = [(match[1] == "-", match[3]) for match in HERE_DOCUMENT.finditer(line)]
    if len(found) != len(ANY_HERE_DOCUMENT.findall(arithmetic)):
        raise ValueError(f"the end of the here-document in '{line}' must be a plain word")
    return found


def compact(text):
    if "\r" in text:
        raise ValueError("it has carriage returns")
    lines, ends, quotes, goes_on = [], [], Quotes(), False
    for line in text.split("\n"):
        if ends:
            tabs, end = ends[0]
            if (line.lstrip("\t") if tabs else line) == end:
                ends.pop(0)
            lines.append(line)
            continue
        line = line.lstrip(" ")
        if not line or line.startswith("#"):
            if goes_on:
                raise ValueError("after a backslash at the end of a line comes a comment or a blank line")
            if line and quotes.open:
                raise ValueError(f"'{line}' lies within quotes, and would go as a comment does")
            continue
        inside = bool(quotes.open)
        plain = quotes.outside(line)
        goes_on = not inside and not quotes.open and (len(line) - len(line.rstrip("\\"))) % 2 == 1
        if goes_on and not line.endswith(" \\"):
            raise ValueError(f"'{line}' goes on without a blank before the backslash")
        ends = here_documents(line, plain)
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
        with open(path, encoding="utf-8", newline="") as file:
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
