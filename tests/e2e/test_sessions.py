#!/usr/bin/env python3
"""The library's sessions, and commands that are overdue: on a machine behind a hop, in a container, by telnet, on this machine."""

import os
import subprocess

import harness
from harness import await_true

PROBE = os.environ.get("OTTO_SESSION_PROBE", os.path.join(harness.SOURCE, "build", "dev", "tests", "e2e", "otto_session_probe"))
TOLD = """overdue: 124 true "begun\\n"
deaf to SIGINT: 124 true
state afterwards: 0 "state\\n/tmp\\nu"
a name twice: a session 'shell' is open on 'HOST' already
group: 42
the other: <one>
directory: /usr
not in time: timed out
after Ctrl-C: still here
exit code: 5
"""


class Sessions(harness.Test):
    def probe(self, repo, host, sleep):
        answer = subprocess.run([PROBE, repo.root, host, sleep], env=repo.environment, capture_output=True, text=True, timeout=120,
                                check=False)
        self.assertEqual((answer.stdout, answer.returncode), (TOLD.replace("HOST", host), 0), answer.stderr)

    def assert_nothing_runs(self, machine, sleep):
        await_true("what was overdue has ended", lambda: not harness.lab().processes(machine, f"sleep {sleep}"))

    def test_behind_a_hop_and_in_a_container(self):
        repo = self.own("sessions")
        repo.up()
        for host, sleep in (("pepper_seed", "611.1"), ("pepper_seed.sessions.api", "612")):
            self.probe(repo, host, sleep)
            self.assert_nothing_runs("pepper_seed", sleep)

    def test_by_telnet(self):
        repo = self.own("sessions")
        self.addCleanup(repo.write_hosts)
        entries = harness.lab().start("bean_old")
        repo.write_hosts(lambda hosts: hosts.update(entries))
        self.probe(repo, "bean_telnet", "613.1")
        self.assert_nothing_runs("bean_old", "613.1")

    def test_on_this_machine(self):
        repo = harness.Repo("here")
        self.addCleanup(repo.clear)
        repo.write(".otto/settings.toml", 'name = "here"\n')
        self.probe(repo, "local", "614.1")
        self.assertEqual(subprocess.run(["pgrep", "-f", "^sleep 614.1"], check=False).returncode, 1)


if __name__ == "__main__":
    harness.main()
