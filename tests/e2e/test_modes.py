#!/usr/bin/env python3
"""Permission bits of directories: in images as Docker has them, in mounted trees as they are here, whatever the engine remembers."""

import os
import shutil

import harness
import soak_modes

MODES = {"tmp": 0o1777, "priv": 0o700, "grp": 0o2775, "shut": 0o555, "usual": 0o755}


class Images(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("modes")
        cls.repo.only_image("whole", "FROM otto-lab/base:1\nCOPY . /ctx/\n")

    def setUp(self):
        shutil.rmtree(self.repo.path("api"))
        for name, mode in MODES.items():
            self.repo.write(f"api/{name}/file", f"{name}\n")
            os.chmod(self.repo.path(f"api/{name}"), mode)
        self.repo.build()

    def modes(self, *names):
        out = self.repo.parent.docker("run", "--rm", self.repo.tag("whole"), "stat", "-c", "%a", *(f"/ctx/{name}" for name in names))
        return [int(mode, 8) for mode in out.split()]

    def assert_right(self):
        self.assertEqual(self.modes(*MODES), [os.stat(self.repo.path(f"api/{name}")).st_mode & 0o7777 for name in MODES])

    def test_an_image_has_them_as_dockers_own_build_does(self):
        self.assert_right()
        beside = os.path.join(harness.lab().directory, "machines", "pepper_seed", "truth")  # /mnt/truth there
        shutil.copytree(self.repo.path("api"), beside)
        self.addCleanup(shutil.rmtree, beside)
        self.repo.parent.sh("printf 'FROM otto-lab/base:1\\nCOPY . /ctx/\\n' | docker build --no-cache -q -t modes-truth -f - /mnt/truth")
        self.addCleanup(self.repo.parent.docker, "image", "rm", "modes-truth")
        truth = self.repo.parent.docker("run", "--rm", "modes-truth", "stat", "-c", "%a", *(f"/ctx/{name}" for name in MODES))
        self.assertEqual([int(mode, 8) for mode in truth.split()], self.modes(*MODES))

    def test_a_change_alone_is_a_reason_and_is_built(self):
        for mode in (0o700, 0o750, 0o2755, 0o1777, 0o711):
            old = self.repo.tag("whole")
            os.chmod(self.repo.path("api/usual"), mode)
            outcome = self.repo.build()
            self.assertEqual(outcome.reasons("whole"), [("mode-changed", "usual")])
            self.assertLess(outcome.image("whole")["uploaded_bytes"], 16_000)
            self.assertEqual(outcome.image("whole")["uploaded_files"], 0)
            self.assertNotEqual(self.repo.tag("whole"), old)
            self.assert_right()

    def test_a_directory_changed_by_hand_while_it_is_built_is_not_in_the_image(self):
        sleep = f"sleep 3.{os.getpid():07}"  # no engine has run it before
        slow = f"FROM otto-lab/base:1\nCOPY . /ctx/\nRUN {sleep}\n"
        self.repo.write("docker/whole.Dockerfile", slow)
        self.addCleanup(self.repo.write, "docker/whole.Dockerfile", "FROM otto-lab/base:1\nCOPY . /ctx/\n")
        process = self.repo.start("docker", "build", "--format", "json")
        harness.await_true("the build runs", lambda: harness.lab().processes("pepper_seed", f"^{sleep}"))
        staged = os.path.dirname(self.repo.staged("usual/file"))
        self.repo.parent.sh('chmod 700 "$1"; chmod 755 "$1"', staged)  # nothing shows it but the time of the change
        outcome = self.repo.finish(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("had been changed", outcome.err)
        self.assertNotEqual(os.path.dirname(self.repo.staged("usual/file")), staged)
        self.assert_right()

    def test_files_below_a_directory_that_nobody_may_write_in_follow(self):
        place = self.repo.path("api/shut")
        os.chmod(place, 0o755)
        self.repo.write("api/shut/file", "edited\n")
        self.repo.write("api/shut/more", "more\n")
        os.chmod(place, 0o555)
        self.assertEqual(self.repo.build().image("whole")["uploaded_files"], 2)
        os.chmod(place, 0o755)
        os.remove(self.repo.path("api/shut/file"))
        os.chmod(place, 0o555)
        self.repo.build()
        self.assert_right()
        self.assertEqual(self.repo.parent.docker("run", "--rm", self.repo.tag("whole"), "ls", "/ctx/shut"), "more\n")
        shutil.rmtree(place)
        self.repo.write("api/shut/again", "again\n")
        self.repo.build()
        self.assertEqual(self.repo.parent.docker("run", "--rm", self.repo.tag("whole"), "ls", "/ctx/shut"), "again\n")

    def test_a_directory_that_its_owner_could_not_read_there_is_refused_by_name(self):
        if os.geteuid() != 0:
            self.skipTest("only root can scan it")
        os.chmod(self.repo.path("api/priv"), 0)
        tags = self.repo.images("whole")
        outcome = self.repo.otto("docker", "build")
        self.assertEqual((outcome.code, outcome.statuses()), (1, {"whole": "failed"}))
        self.assertIn("directory priv ", outcome.err)
        self.assertIn("chmod u+rx", outcome.err)
        self.assertEqual(self.repo.images("whole"), tags)


class Soaked(harness.Test):
    def test_a_few_rounds_of_the_soak(self):
        repo = harness.Repo("modesoak", soak_modes.PARENT)
        self.addCleanup(repo.clear)
        soak = soak_modes.Soak(repo, int(os.environ.get("OTTO_MODES_SEED", "5")))
        self.addCleanup(soak.close)
        for _ in range(int(os.environ.get("OTTO_MODES_ROUNDS", "5"))):
            self.assertIsNone(soak.round(), soak.log)


if __name__ == "__main__":
    harness.main()
