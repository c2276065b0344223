#!/usr/bin/env python3
"""No lab at all: the host `local`, with a real engine at hand (a lab engine's socket, named by docker_command)."""

import json
import os
import signal
import subprocess
import time

import harness
from harness import SERVICES, await_true


class Local(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = harness.Repo("locally")
        cls.addClassCleanup(cls.repo.clear)
        pid = json.loads(harness.lab().tool("status"))["machines"]["pepper_seed"]
        socket = f"unix:///proc/{pid}/root/run/docker.sock"
        # /proc/PID/root of root's process is root's to enter.
        command = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), "docker", "-H", socket]
        cls.repo.replace(".otto/settings.toml", 'labs = ["${sutDir}/lab"]\ndefault_lab = "veggies"\n', "")
        cls.repo.replace(".otto/settings.toml", '\ndefault_host = "pepper_seed"', "")
        cls.repo.append(".otto/settings.toml", f'\n[docker]\ncommand = {json.dumps(command)}\n')
        cls.first = cls.repo.otto("docker", "up", "--wait")

    def test_a_stack_on_this_machine(self):
        self.assertEqual(self.first.code, 0, self.first.err)
        self.assertEqual(self.first.json["parent"], "local")
        self.assertEqual(self.first.statuses(), {"base": "built", "api": "built"})
        before = self.repo.containers()
        self.assertEqual(set(before), SERVICES)
        again = self.repo.text("docker", "up")
        self.assertEqual(again.out, "locally on local: nothing to do (2 images, 5 services up to date)\n", again.err)
        self.repo.append("api/src/catalog/tomato.txt", "ripe\n")
        outcome = self.repo.up()
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "built"})
        now = self.repo.containers()
        self.assertEqual({service for service in SERVICES if now[service].id != before[service].id}, {"api", "metrics"})

    def test_hosts_and_listings(self):
        hosts = {host["id"]: host for host in self.repo.done("--list-hosts").json["hosts"]}
        self.assertEqual((hosts["local"]["kind"], hosts["local"]["docker_capable"]), ("local", True))
        self.assertEqual(hosts["local.locally.api"]["state"], "running")
        shown = self.repo.done("docker", "ps").json["hosts"]
        self.assertEqual([host["id"] for host in shown], ["local"])
        self.assertIn("local.locally.db", [each.get("host_id") for each in shown[0]["containers"]])
        looked = self.repo.done("doctor", "local", "local.locally.api").json["hosts"]
        self.assertEqual([host["id"] for host in looked], ["local", "local.locally.api"])
        self.assertEqual([check["step"] for check in looked[0]["checks"][:3]], ["route", "shell", "clock"])
        self.assertEqual({check["status"] for host in looked for check in host["checks"]}, {"ok"})
        outcome = self.repo.text("host", "local.locally.api", "oneshot", "cat; hostname; exit 6", stdin="in\n")
        self.assertEqual((outcome.code, outcome.out), (6, f"in\n{self.repo.containers()['api'].id[:12]}\n"), outcome.err)
        outcome = self.repo.text("host", "local", "run", "cd /usr", "pwd; echo err >&2; exit 4")
        self.assertEqual((outcome.code, outcome.out, outcome.err.splitlines()[-1:]), (4, "/usr\n", ["err"]))

    def test_files_go_there_and_back(self):
        self.assert_goes_there_and_back(self.repo, "local", "local.locally.api")

    def test_nothing_keeps_running_after_otto(self):
        for number, how in (("093", signal.SIGINT), ("094", signal.SIGKILL)):
            sleep = f"sleep 600.{number}"
            running = lambda: subprocess.run(["pgrep", "-f", f"^{sleep}"], capture_output=True, check=False).stdout
            process = self.repo.start("host", "local", "run", sleep)
            await_true("the command runs", running)
            at = time.monotonic()
            process.send_signal(how)
            self.repo.finish(process)
            await_true("the command has ended", lambda: not running())
            self.assertLess(time.monotonic() - at, 2.0, how)

    def test_without_an_engine_it_says_so(self):
        good = self.repo.read(".otto/settings.toml")
        self.addCleanup(self.repo.write, ".otto/settings.toml", good)
        self.repo.write(".otto/settings.toml", good.split("[docker]\n")[0] + '[docker]\ncommand = ["docker", "-H", "unix:///nowhere.sock"]\n')
        self.assert_error(self.repo.otto("docker", "up"), 1, "docker_missing", "local")


if __name__ == "__main__":
    harness.main()
