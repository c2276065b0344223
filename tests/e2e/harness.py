"""What every end-to-end test stands on: the classes that tests derive from, and the words that they are written in.

The words are the lab's (lab_access.py), the repo's (repo.py) and the folders' (trees.py); tests take all of them from here.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from lab_access import OLD_PARENT, PARENT, SOURCE, Parent, await_true, die_with_parent, lab  # noqa: F401
from repo import OTTO, SERVICES, OldRepo, Outcome, Repo  # noqa: F401
from trees import make_odd_tree, tree_of, write_file  # noqa: F401


class Test(unittest.TestCase):
    """A test class in one repo, which the classes of its module may share."""
    maxDiff = None
    longMessage = True
    _repos = {}

    @classmethod
    def own(cls, name):
        if name not in Test._repos:
            Test._repos[name] = Repo(name)
            unittest.addModuleCleanup(Test._repos[name].clear)
        return Test._repos[name]

    def assert_error(self, outcome, exit_code, code, *words, hint=None):
        """One error document: exit code, stable code, words of the message, words of the hint."""
        shown = f"exit {outcome.code}\n{outcome.out}\n{outcome.err}"
        self.assertEqual(outcome.code, exit_code, shown)
        self.assertIsNotNone(outcome.json, shown)
        self.assertEqual(set(outcome.json) - {"dry_run"}, {"error"}, shown)
        error = outcome.error()
        self.assertLessEqual({"code", "message", "context"}, set(error), shown)
        self.assertLessEqual(set(error), {"code", "message", "context", "hint"}, shown)
        self.assertEqual(error["code"], code, shown)
        for word in words:
            self.assertIn(word, error["message"], shown)
        if hint is not None:
            self.assertIn(hint, error.get("hint", ""), shown)
        self.assertRegex(outcome.err, "(?m)^otto: error: ", shown)

    def assert_goes_there_and_back(self, repo, *ids, size=2 << 20):
        """put and get of a tree and of one file of `size`, with bytes of every value, on each of these hosts."""
        folder = tempfile.mkdtemp(dir=repo.folder)
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+rwx", folder], check=False)
        tree, far = os.path.join(folder, "tree"), f"/tmp/{os.path.basename(folder)}"
        make_odd_tree(tree, size)
        for id in ids:
            back = os.path.join(folder, "back-" + id)
            self.assertEqual(repo.done("host", id, "put", tree, far).json["files"], 13)
            repo.done("host", id, "get", far, back)
            self.assertEqual(tree_of(back), tree_of(tree), id)
            repo.done("host", id, "put", os.path.join(tree, "big"), far + "-big")
            repo.done("host", id, "get", far + "-big", back + "-big")
            with open(back + "-big", "rb") as file:
                self.assertEqual(file.read(), bytes(range(256)) * (size // 256), id)
            outcome = repo.text("host", id, "oneshot", f"chmod -R u+rwx {far}; rm -r {far} {far}-big; ls -a /tmp | grep otto-put")
            self.assertEqual(outcome.out, "", id)

    def assert_hash_tag(self, tag, repository):
        self.assertRegex(tag, "^" + re.escape(repository) + ":[0-9a-f]{40}$")


class StackTest(Test):
    """Each test has the repo to itself, with a stack of its own; the project's containers go in between."""
    name = ""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own(cls.name)

    def setUp(self):
        self.addCleanup(self.repo.parent.clear, self.repo.project, [])

    def services(self, text, **options):
        """A stack of these services, as they stand below `services:`."""
        self.repo.write_stack("services:\n" + text, **options)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unittest.main(verbosity=2)
