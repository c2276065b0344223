#!/usr/bin/env python3
"""A parent as Debian 12 ships it: what the legacy builder makes of contexts and Dockerfiles."""

import os
import signal
import subprocess
import time

import harness
from harness import OLD_PARENT as OLD, OldRepo, await_true


class Builder(harness.Test):
    """The legacy builder: the context, the Dockerfile, what it cannot do."""

    @classmethod
    def setUpClass(cls):
        cls.repo = OldRepo("oldbuild")
        cls.addClassCleanup(cls.repo.clear)

    def setUp(self):
        self.images = self.repo.images("whole")

    def image(self, dockerfile):
        self.repo.only_image("whole", dockerfile)
        self.repo.replace(".otto/settings.toml", 'default_host = "pepper_seed"', f'default_host = "{OLD}"')

    def tree(self, reference):
        """What /ctx of an image holds: path → (mode, content), target, or a directory's mode."""
        folder = os.path.join(self.repo.folder, "tree")
        self.repo.parent.tree_in_image(reference, "/ctx", folder)
        found = {}
        for where, folders, names in os.walk(folder):
            for name in folders + names:
                path = os.path.join(where, name)
                status = os.lstat(path)
                if os.path.islink(path):
                    found[os.path.relpath(path, folder)] = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, folder)] = (status.st_mode & 0o7777, file.read())
                else:
                    found[os.path.relpath(path, folder)] = status.st_mode & 0o7777
        subprocess.run(["rm", "-rf", folder], check=True)
        return found

    def test_the_context_is_exactly_what_otto_says(self):
        self.image("FROM otto-lab/base:1\nCOPY . /ctx\n")
        self.repo.write("api/.dockerignore", "docs\n.dockerignore\n")
        self.repo.write("api/odd \u00e9\nname", "odd\n")
        self.repo.write("api/empty", "")
        os.symlink("nowhere/at all", self.repo.path("api/dangling"))
        for name, mode in (("nothing here", 0o1777), ("nothing here/private", 0o700), ("shared", 0o2775), ("shut", 0o555)):
            os.makedirs(self.repo.path("api/" + name))
            os.chmod(self.repo.path("api/" + name), mode)
        os.chmod(self.repo.path("api/notes.txt"), 0o640)
        self.addCleanup(lambda: os.path.exists(self.repo.path("docker/whole.Dockerfile.dockerignore")) and
                        os.remove(self.repo.path("docker/whole.Dockerfile.dockerignore")))
        for own in (None, "tests\n"):  # the Dockerfile's own ignore file is in force: the other one is data
            if own is not None:
                self.repo.write("docker/whole.Dockerfile.dockerignore", own)
            self.repo.build()
            listed = self.repo.done("docker", "context", "whole").json["files"]
            found = self.tree(self.repo.tag("whole"))
            self.assertEqual(set(found), {each["path"] for each in listed})
            self.assertEqual((own is not None, own is not None), (".dockerignore" in found, "docs" in found))
            for each in listed:
                path = each["path"]
                if each["type"] == "symlink":
                    self.assertEqual(found[path], each["target"])
                elif each["type"] == "dir":
                    self.assertEqual(found[path], int(each["mode"], 8), path)
                elif each["type"] == "file" and path != ".dockerignore":
                    with open(self.repo.path("api/" + path), "rb") as file:
                        self.assertEqual(found[path], (int(each["mode"], 8), file.read()), path)

    def test_stages_that_the_target_does_not_need_are_passed_by(self):
        self.image("FROM otto-lab/base:1 AS good\nRUN echo good > /ctx\n"
                   "FROM nobody.invalid/has:this AS broken\n# a note\nRUN false \\\n  && false\nCOPY --from=good /ctx /x\n"
                   "FROM good AS wanted\nCOPY --from=0 /ctx /again\nFROM broken AS later\nRUN false\n")
        self.repo.replace(".otto/settings.toml", 'context =', 'target = "wanted"\ncontext =')
        self.repo.build()
        self.assertEqual(self.repo.parent.file_in_image(self.repo.tag("whole"), "/again"), "good\n")

    def test_what_needs_buildkit_is_refused_before_anything_is_sent(self):
        for line, word in (("RUN --mount=type=cache,target=/c true", "'run --mount'"), ("COPY --link notes.txt /", "'copy --link'"),
                           ("COPY --chmod=600 notes.txt /", "'copy --chmod'"), ("RUN <<EOF\ntrue\nEOF", "a here-document"),
                           ("ARG TARGETARCH", "TARGETARCH")):
            self.image(f"FROM otto-lab/base:1\n{line}\n")
            outcome = self.repo.otto("docker", "build")
            self.assertEqual(outcome.code, 1, outcome.err)
            self.assertEqual(outcome.statuses(), {"whole": "failed"})
            self.assertIn("whole.Dockerfile:2: " + ("the build arg " if word == "TARGETARCH" else "") + word, outcome.err)
            self.assertIn("docker-buildx", outcome.err)
            self.assertEqual(outcome.image("whole")["uploaded_bytes"], 0)
        self.assertEqual(self.repo.images("whole"), self.images)

    def test_a_failed_build_shows_the_step_and_leaves_no_tag(self):
        self.image("FROM otto-lab/base:1\nRUN echo spoilt milk && false\n")
        outcome = self.repo.otto("docker", "build")
        self.assertEqual(outcome.code, 1)
        self.assertIn("spoilt milk", outcome.err)
        self.assertIn("returned a non-zero code: 1", outcome.err)
        self.assertEqual(self.repo.images("whole"), self.images)
        self.assertNotIn("spoilt", self.repo.parent.docker("ps", "-a", "--no-trunc", "--format", "{{.Command}}"))

    def test_killed_during_the_build(self):
        self.image("FROM otto-lab/base:1\nCOPY . /ctx\nRUN sleep 20.077\n")
        process = self.repo.start("docker", "build")
        await_true("the build runs", lambda: harness.lab().processes(OLD, "^sleep 20.077"))
        ended = harness.lab().watch_end(OLD, "sleep 20.077")
        at = time.time()
        process.send_signal(signal.SIGKILL)
        self.repo.finish(process)
        self.assertLess(ended() - at, 2.0)
        self.assertEqual(self.repo.images("whole"), self.images)


if __name__ == "__main__":
    harness.main()
