#!/usr/bin/env python3
"""A parent whose docker is reached by sudo alone: the same promises, also that nothing keeps running without otto.

The user `nodocker` may `sudo docker` and nothing else by sudo, so what runs there is root's and takes no signal from them.
"""

import os
import shlex
import signal
import time

import harness
from harness import await_true, lab

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Handing(harness.Test):
    """sudo as Debian sets it up: it stays beside the command and hands signals on."""
    PARENT, NAME = "carrot_seed", "handing"

    @classmethod
    def setUpClass(cls):
        cls.container = f"{cls.PARENT}.{cls.NAME}.worker"
        cls.repo = harness.Repo(cls.NAME, cls.PARENT)
        cls.addClassCleanup(cls.repo.clear)
        cls.repo.replace(".otto/settings.toml", 'default_host = "pepper_seed"', f'default_host = "{cls.PARENT}"')
        cls.repo.write_hosts(lambda hosts: hosts[cls.PARENT].update(
            creds={lab().environment["NODOCKER_USER"]: None}, docker_command=["sudo", "-n", "docker"]))
        cls.repo.up()

    def assert_ends(self, process, how, sleep):
        """Ends otto so; nothing that has the sleep in its command line is left on the parent or in a container 2 s later."""
        ended = lab().watch_end(self.PARENT, sleep)
        at = time.time()
        process.send_signal(how)
        outcome = self.repo.finish(process)
        self.assertLess(ended() - at, 2.0, (how, outcome.err))
        self.assertEqual(outcome.code, -how if how == signal.SIGKILL else 130, outcome.err)

    def test_everything_works(self):
        self.assertEqual(set(self.repo.containers()), harness.SERVICES)
        again = self.repo.text("docker", "up")
        self.assertIn("nothing to do (2 images, 5 services up to date)", again.out, again.err)
        self.assertEqual(self.repo.done("doctor", self.PARENT).json["hosts"][0]["checks"][-1]["status"], "ok")

    def test_commands_and_files(self):
        for text in ("it's \"quoted\" $HOME \\ `x` ü", "'", "two\nlines", "''\\''"):
            outcome = self.repo.text("host", self.container, "oneshot", f"printf %s {shlex.quote(text)}; exit 7")
            self.assertEqual((outcome.code, outcome.out), (7, text), outcome.err)
        outcome = self.repo.text("host", self.container, "oneshot", "cat; echo err >&2", stdin="\x03\x04in\n")
        self.assertEqual((outcome.code, outcome.out, outcome.err.splitlines()[-1]), (0, "\x03\x04in\n", "err"))
        source, back = os.path.join(self.repo.folder, "bytes"), os.path.join(self.repo.folder, "back")
        content = os.urandom(3_000_000)
        with open(source, "wb") as file:
            file.write(content)
        self.repo.done("host", self.container, "put", source, "/tmp/bytes")
        self.repo.done("host", self.container, "get", "/tmp/bytes", back)
        with open(back, "rb") as file:
            self.assertTrue(file.read() == content)

    def test_commands_in_a_container_end_with_otto(self):
        for number, (how, verb) in enumerate((how, verb) for how in SIGNALS for verb in ("oneshot", "run")):
            sleep = f"sleep {len(self.NAME)}200{number}"
            process = self.repo.start("host", self.container, verb, f"{sleep} & {sleep}; echo never")
            await_true("the command runs", lambda: len(lab().processes(self.PARENT, f"^{sleep}")) == 2)
            self.assert_ends(process, how, sleep)

    def test_builds_end_with_otto(self):
        dockerfile = "docker/base.Dockerfile"
        kept = self.repo.read(dockerfile)
        self.addCleanup(self.repo.write, dockerfile, kept)
        for number, how in enumerate(SIGNALS):
            sleep = f"sleep {len(self.NAME)}300{number}"
            self.repo.write(dockerfile, kept + f"\nRUN {sleep}\n")
            process = self.repo.start("docker", "build", "base")
            await_true("the build runs", lambda: lab().processes(self.PARENT, f"^(/bin/)?(sh -c )?{sleep}"))
            self.assert_ends(process, how, sleep)
            # by its stage: other tests build on the same parent
            self.assertEqual(lab().processes(self.PARENT, f"docker buildx build.*/{self.repo.name}-"), [])


class Becoming(Handing):
    """sudo that becomes the command: nothing of the user's own is left to send a signal to."""
    PARENT, NAME = "pepper_seed", "becoming"


if __name__ == "__main__":
    harness.main()
