#!/usr/bin/env python3
"""The simulated parent answers as real ones do: the scripts of parent_scripts.cc run on both, and differ in nothing."""

import os
import subprocess

import harness
from harness import OldRepo, Repo

SCRIPTS = os.environ.get("OTTO_PARENT_SCRIPTS", os.path.join(harness.SOURCE, "build", "dev", "tests", "e2e", "otto_parent_scripts"))


class Alike(harness.Test):
    def assert_alike(self, repo):
        ran = subprocess.run([SCRIPTS, repo.root, repo.parent.machine], env=repo.environment, capture_output=True, text=True,
                             timeout=300, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertNotIn("differ", ran.stdout)

    def test_compose_v2_and_buildkit(self):
        repo = Repo("scripts")
        self.addCleanup(repo.clear)
        self.assert_alike(repo)

    def test_compose_v1_and_the_legacy_builder(self):
        repo = OldRepo("oldscripts")
        self.addCleanup(repo.clear)
        self.assert_alike(repo)


if __name__ == "__main__":
    harness.main()
