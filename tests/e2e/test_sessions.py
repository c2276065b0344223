#!/usr/bin/env python3
"""The library's sessions, and commands that are overdue: on a machine behind a hop, in a container, by telnet, on this machine."""

import subprocess

import harness
import session_probe


class Sessions(harness.Test):
    def test_behind_a_hop_and_in_a_container(self):
        repo = self.own("sessions")
        repo.up()
        for host, sleep in (("pepper_seed", "611.1"), ("pepper_seed.sessions.api", "612")):
            session_probe.assert_works(self, repo, host, sleep)
            session_probe.assert_ended("pepper_seed", sleep)

    def test_by_telnet(self):
        repo = self.own("sessions")
        self.addCleanup(repo.write_hosts)
        entries = harness.lab().start("bean_old")
        repo.write_hosts(lambda hosts: hosts.update(entries))
        session_probe.assert_works(self, repo, "bean_telnet", "613.1")
        session_probe.assert_ended("bean_old", "613.1")

    def test_on_this_machine(self):
        repo = harness.Repo("here")
        self.addCleanup(repo.clear)
        repo.write(".otto/settings.toml", 'name = "here"\n')
        session_probe.assert_works(self, repo, "local", "614.1")
        self.assertEqual(subprocess.run(["pgrep", "-f", "^sleep 614.1"], check=False).returncode, 1)


if __name__ == "__main__":
    harness.main()
