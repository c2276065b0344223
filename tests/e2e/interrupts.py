"""An otto that is listened to while it runs, and every way to interrupt it.

What ends on its own side are signals; what ends on the way is the link; what ends on the parent are the sshd sessions and
the engine. `sshd` and `engine` hit everybody on the machine, so they are for a lab that is not shared.
"""

import re
import signal
import subprocess
import threading
import time

import harness

SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "HUP": signal.SIGHUP, "KILL": signal.SIGKILL}
QUICK = (*SIGNALS, "cut", "sshd", "engine")
SLOW = ("cable",)  # the parent learns of it by the heartbeat that stops
COMPOSE_PHASE = r"(?m): (starting|stopping|recreating)\b"


class Heard:
    """otto in the background; what it says is read as it comes, so that a test can act on it."""

    def __init__(self, repo, *arguments, **environment):
        self.repo = repo
        self.arguments = arguments
        self.started = time.monotonic()
        self.process = repo.start(*arguments, **environment)
        self._said = {"out": [], "err": []}
        self._readers = [threading.Thread(target=self._read, args=(name, pipe), daemon=True)
                         for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self._readers:
            reader.start()

    def _read(self, name, pipe):
        for line in pipe:
            self._said[name].append(line)
        pipe.close()

    def said(self, name="err"):
        return "".join(self._said[name])

    def ended(self):
        return self.process.poll() is not None

    def await_words(self, pattern, seconds=90):
        """Until standard error has the pattern: True; False where otto ends without."""
        harness.await_true(f"otto to say {pattern!r}, which said {self.said()!r}",
                           lambda: self.has_said(pattern) or self.ended(), seconds)
        return self.has_said(pattern)

    def has_said(self, pattern):
        return re.search(pattern, self.said()) is not None

    def finish(self, timeout=120):
        """What came of it; an otto that does not end is killed and told of."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"otto did not end within {timeout} s: {self.said('out')}{self.said()}") from None
        for reader in self._readers:
            reader.join(10)
        return harness.Outcome.of(code, self.said("out"), self.said(), time.monotonic() - self.started)


def interrupt(kind, otto):
    """Interrupts a running otto; its repo's next otto can reach the parent again."""
    repo = otto.repo
    if kind in SIGNALS:
        otto.process.send_signal(SIGNALS[kind])
    elif kind == "cut":
        harness.lab().link(repo.link, "--cut")
    elif kind == "sshd":
        repo.parent.sh("pkill -KILL -f '^sshd: otto'", check=False)
    elif kind == "engine":
        harness.lab().restart_engine(repo.parent.machine)
    elif kind == "cable":
        harness.lab().link(repo.link, "--stall", "on")
        otto.process.kill()
        repo.open_link()
        repo.write_hosts()
    else:
        raise ValueError(f"unknown kind of interruption: {kind}")
