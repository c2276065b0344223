#!/usr/bin/env python3
"""otto doctor: each step of the way to a Docker command, told as it is; the one that fails, its mend, and nothing behind it."""

import contextlib
import os
import re
import socket
import sqlite3

import harness
from harness import lab

MACHINE = ["route", "connect", "host-key", "log-in", "shell", "clock", "jobs", "tools"]
DOCKER = ["stage", "docker", "engine", "buildx", "compose", "space"]


class Doctor(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("patient")

    def with_hosts(self, change):
        self.repo.write_hosts(change)
        self.addCleanup(self.repo.write_hosts)

    def checks(self, outcome, host, subject=None):
        """Step → check, of one host; `subject`: only those about a hop or a parent."""
        found = next(each for each in outcome.json["hosts"] if each["id"] == host)
        return {check["step"]: check for check in found["checks"] if check.get("subject") == subject}

    def assert_stops_at(self, checks, step, code, *words, hint):
        """Everything before the step is well, it failed so, and everything behind it was skipped."""
        steps = list(checks)
        at = steps.index(step)
        statuses = [checks[each]["status"] for each in steps]
        self.assertEqual(set(statuses[:at]) - {"ok"}, set(), checks)
        self.assertEqual(statuses[at:], ["failed"] + ["skipped"] * (len(steps) - at - 1), checks)
        self.assertEqual(checks[step]["code"], code, checks[step])
        for word in words:
            self.assertIn(word, checks[step]["detail"])
        self.assertIn(hint, checks[step].get("hint", ""))


class Well(Doctor):
    def test_the_whole_lab(self):
        outcome = self.repo.otto("doctor")
        self.assertEqual(outcome.code, 4, outcome.err)  # turnip_plain has no Docker
        self.assertEqual([check["status"] for check in outcome.json["configuration"]], ["ok"] * 3)
        self.assertEqual([host["id"] for host in outcome.json["hosts"]],
                         ["carrot_seed", "leek_gate", "pepper_seed", "turnip_plain"])
        for host, steps in (("leek_gate", MACHINE), ("carrot_seed", MACHINE + DOCKER), ("pepper_seed", MACHINE + DOCKER)):
            checks = self.checks(outcome, host)
            self.assertEqual([(step, check["status"]) for step, check in checks.items()], [(step, "ok") for step in steps])
        pepper = self.checks(outcome, "pepper_seed")
        self.assertIn("127.0.0.1", pepper["route"]["detail"])
        self.assertIn("192.0.2.2:22", pepper["route"]["detail"])
        self.assertIn("id_ed25519", pepper["log-in"]["detail"])
        version = self.repo.parent.docker("version", "--format", "{{.Server.Version}}").strip()
        self.assertIn(version, pepper["engine"]["detail"])
        hop = self.checks(outcome, "pepper_seed", "leek_gate")
        self.assertEqual({step: check["status"] for step, check in hop.items()},
                         {"connect": "ok", "host-key": "ok", "log-in": "ok"})
        self.assert_stops_at(self.checks(outcome, "turnip_plain"), "docker", "docker_missing", "turnip_plain", hint="docker_command")

    def test_one_host_for_people(self):
        outcome = self.repo.text("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 0, outcome.out)
        self.assertTrue(outcome.out.endswith("\neverything works\n"), outcome.out)

        def without_room(text):  # other tests fill the disk meanwhile
            return re.sub(r"[0-9.]+ [kMGT]?B free", "… free", text)

        self.assertEqual(without_room(outcome.out), without_room(self.repo.text("doctor", "--on", "carrot_seed").out))
        self.assertEqual(lab().exec("carrot_seed", "sh", "-c", "ls -A /home/otto/.cache 2>/dev/null | grep doctor", check=False), "")

    def test_what_is_remembered_of_a_parent_is_asked_anew(self):
        self.repo.done("doctor", "carrot_seed")
        with contextlib.closing(sqlite3.connect(os.path.join(self.repo.state, "memo.db"))) as memo:
            facts = memo.execute("SELECT body FROM parent_facts WHERE parent = 'carrot_seed'").fetchone()[0]
            self.assertIn("buildx=1", facts)
            memo.execute("UPDATE parent_facts SET body = ?", (facts.replace("buildx=1", "buildx="),))
            memo.commit()
        self.repo.done("doctor", "carrot_seed")
        with contextlib.closing(sqlite3.connect(os.path.join(self.repo.state, "memo.db"))) as memo:
            self.assertEqual(memo.execute("SELECT body FROM parent_facts WHERE parent = 'carrot_seed'").fetchone()[0], facts)

    def test_a_container_and_its_parent(self):
        self.repo.up()
        api = "pepper_seed.patient.api"
        outcome = self.repo.done("doctor", api)
        self.assertEqual({step: check["status"] for step, check in self.checks(outcome, api).items()},
                         {"container": "ok", "shell": "ok"})
        self.assertEqual(self.checks(outcome, api, "pepper_seed")["engine"]["status"], "ok")
        self.repo.parent.docker("stop", "-t", "0", self.repo.containers()["api"].id)
        outcome = self.repo.otto("doctor", api)
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assert_stops_at(self.checks(outcome, api), "container", "not_running", api, "Exited", hint="otto docker up")
        self.assertEqual(self.repo.containers()["api"].status, "exited", "the doctor does not heal")

    def test_noise_of_rc_files(self):
        machine = "turnip_plain"
        lab().exec(machine, "sh", "-c", "mv /home/otto/.bashrc /home/otto/.bashrc.kept 2>/dev/null; "
                   "echo 'echo Welcome to turnip; echo mind the step >&2' >/home/otto/.bashrc")
        self.addCleanup(lab().exec, machine, "sh", "-c",
                        "rm /home/otto/.bashrc; mv /home/otto/.bashrc.kept /home/otto/.bashrc 2>/dev/null || :")
        outcome = self.repo.otto("doctor", machine)
        shell = self.checks(outcome, machine)["shell"]
        self.assertEqual(shell["status"], "warning")
        self.assertIn("Welcome to turnip", shell["detail"])
        self.assertIn("interactive", shell["hint"])


class Ill(Doctor):
    def test_wrong_settings(self):
        self.repo.append(".otto/settings.toml", "\nfrobnicate = 1\n")
        self.addCleanup(self.repo.replace, ".otto/settings.toml", "\nfrobnicate = 1\n", "")
        outcome = self.repo.otto("doctor")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertEqual([check["status"] for check in outcome.json["configuration"]], ["failed", "skipped", "skipped"])
        self.assertIn("frobnicate", outcome.json["configuration"][0]["detail"])
        self.assertEqual(outcome.json["hosts"], [])

    def test_wrong_hosts(self):
        self.addCleanup(self.repo.write_hosts)
        self.repo.append("lab/hosts.json", "]")
        outcome = self.repo.otto("doctor")
        self.assertEqual((outcome.code, [check["status"] for check in outcome.json["configuration"]]),
                         (2, ["ok", "failed", "skipped"]), outcome.out)
        self.assertIn("hosts.json", outcome.json["configuration"][1]["detail"])

    def test_unknown_host(self):
        self.assert_error(self.repo.otto("doctor", "peper_seed"), 2, "unknown_name", "did you mean 'pepper_seed'?")

    def test_wrong_key(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"]["ssh_options"].update(identity_files=[lab().environment["KEY_WRONG"]]))
        outcome = self.repo.otto("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 3, outcome.err)
        self.assert_stops_at(self.checks(outcome, "carrot_seed"), "log-in", "auth_failed", "id_wrong", hint="authorized_keys")

    def test_a_port_where_nobody_listens(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.with_hosts(lambda hosts: hosts["carrot_seed"]["ssh_options"].update(port=port))
            outcome = self.repo.otto("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 3, outcome.err)
        self.assert_stops_at(self.checks(outcome, "carrot_seed"), "connect", "unreachable", str(port), hint="sshd")

    def test_a_hop_that_is_down(self):
        lab().link(self.repo.link, "--refuse", "on")
        self.addCleanup(lab().link, self.repo.link, "--refuse", "off")
        outcome = self.repo.otto("doctor", "pepper_seed", "carrot_seed")
        self.assertEqual(outcome.code, 4, outcome.err)
        self.assertEqual(self.checks(outcome, "pepper_seed")["route"]["status"], "ok")
        hop = self.checks(outcome, "pepper_seed", "leek_gate")
        self.assertEqual([check["status"] for check in hop.values()].count("failed"), 1, hop)
        self.assertEqual({check["status"] for step, check in self.checks(outcome, "pepper_seed").items() if step != "route"}, {"skipped"})
        self.assertEqual({check["status"] for check in self.checks(outcome, "carrot_seed").values()}, {"ok"})

    def test_a_user_who_may_not_use_docker(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"].update(creds={lab().environment["NODOCKER_USER"]: None}))
        outcome = self.repo.otto("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assert_stops_at(self.checks(outcome, "carrot_seed"), "engine", "docker_denied", "permission denied", hint="usermod")

    def test_an_engine_that_does_not_run(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"].update(
            docker_command=["env", "DOCKER_HOST=unix:///nowhere.sock", "docker"]))
        outcome = self.repo.otto("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assert_stops_at(self.checks(outcome, "carrot_seed"), "engine", "docker_missing", "engine answers",
                             hint="systemctl start docker")

    def test_a_stage_folder_that_cannot_be_written_to(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"].update(stage_dir="/proc"))
        outcome = self.repo.otto("doctor", "carrot_seed")
        self.assertEqual(outcome.code, 1, outcome.err)
        stage = self.checks(outcome, "carrot_seed")["stage"]
        self.assertEqual((stage["status"], "stage_dir" in stage["hint"]), ("failed", True), stage)


if __name__ == "__main__":
    harness.main()
