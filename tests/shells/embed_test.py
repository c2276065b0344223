#!/usr/bin/env python3
"""What tools/cmake/embed_scripts.py leaves out of a script, and what it keeps."""

import os
import subprocess
import sys
import tempfile
import unittest

EMBEDDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools", "cmake", "embed_scripts.py")


def embed(text, name="put_away.sh"):
    with tempfile.TemporaryDirectory() as folder:
        script, header = os.path.join(folder, name), os.path.join(folder, "new", "scripts.h")
        with open(script, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        ran = subprocess.run([sys.executable, "-B", EMBEDDER, header, "otto::stage", script], capture_output=True, text=True)
        if ran.returncode != 0:
            return ran.stderr
        with open(header, encoding="utf-8") as file:
            return file.read()


class Embedding(unittest.TestCase):
    def test_a_constant_in_the_folders_namespace(self):
        header = embed("true\n")
        self.assertIn('inline constexpr std::string_view kPutAwayScript = R"sh(true\n)sh";', header)
        self.assertIn("namespace otto::stage {", header)

    def test_comments_blank_lines_and_indentation_go(self):
        self.assertIn('R"sh(if true; then\necho "a # b"  # c\nfi\n)sh"',
                      embed('# shellcheck shell=sh\n\nif true; then\n  # why\n  echo "a # b"  # c\nfi\n'))

    def test_here_documents_stay(self):
        body = "  # text\n\n\tmore\n"
        self.assertIn(f"cat <<END\n{body}END\ntrue\n", embed(f"cat <<END\n{body}END\n  true\n"))
        self.assertIn(f"cat <<-'END'\n{body}\tEND\ntrue\n", embed(f"cat <<-'END'\n{body}\tEND\n  true\n"))

    def test_what_cannot_be_embedded_is_refused(self):
        self.assertIn("has no end", embed("cat <<END\n"))
        self.assertIn("ends a string", embed('echo ")sh"\n'))

    def test_what_would_become_another_script_is_refused(self):
        for end in ("\\END", "'END-X'", "'E.F'", "'END OF'"):
            self.assertIn("must be a plain word", embed(f"cat <<{end}\n  # text\n"), end)
        self.assertIn("comes a comment", embed("true \\\n  # why\n  echo no\n"))
        self.assertIn("comes a comment", embed("true \\\n\n  echo no\n"))
        self.assertIn("without a blank", embed("echo foo\\\nbar\n"))
        self.assertIn("within quotes", embed("echo 'one\n# two\n'\n"))
        self.assertIn("carriage returns", embed("true\r\n"))

    def test_a_shift_and_words_about_here_documents_are_none(self):
        for line in ("echo $((1 << 3))", "echo $((1<<n))", "echo 'use <<EOF'", "echo a # like <<EOF", "echo \\<<EOF\nEOF"):
            self.assertIn("kPutAwayScript", embed(line + "\n"), line)


if __name__ == "__main__":
    unittest.main()
