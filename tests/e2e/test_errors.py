#!/usr/bin/env python3
"""Whatever is wrong with hosts, names or files: a clear message, a hint, its exit code, and the same as JSON."""

import os
import socket
import unittest.mock

import harness


class Errors(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("wrong")

    def with_hosts(self, change):
        self.repo.write_hosts(change)
        self.addCleanup(self.repo.write_hosts)

    def ssh(self, host, **options):
        self.with_hosts(lambda hosts: hosts[host]["ssh_options"].update(options))

    def known(self, change):
        """Rewrites the repo's known_hosts, line by line."""
        self.addCleanup(self.repo.write_hosts)
        with open(self.repo.known_hosts, encoding="utf-8") as file:
            lines = [changed for line in file if (changed := change(line)) is not None]
        with open(self.repo.known_hosts, "w", encoding="utf-8") as file:
            file.writelines(lines)

    def build(self, *arguments):
        return self.repo.otto("docker", "build", *arguments)


class Hosts(Errors):
    def test_wrong_key(self):
        self.ssh("carrot_seed", identity_files=[harness.lab().environment["KEY_WRONG"]])
        self.assert_error(self.build("--on", "carrot_seed"), 3, "auth_failed", "carrot_seed", "otto", hint="key")

    def test_wrong_key_at_the_jump_host(self):
        self.ssh("leek_gate", identity_files=[harness.lab().environment["KEY_WRONG"]])
        self.assert_error(self.build(), 3, "auth_failed", "leek_gate")

    def test_unknown_host_key_under_strict(self):
        self.known(lambda line: None if line.startswith(f"[127.0.0.1]:{self.repo.port} ") else line)
        outcome = self.build()
        self.assert_error(outcome, 3, "host_key", "leek_gate")
        self.assertIn("SHA256:", outcome.err)
        self.assertIn("hint", outcome.error())

    def test_changed_host_key_names_file_and_line(self):
        other = harness.lab().host_keys("turnip_plain", self.repo.port).splitlines(keepends=True)
        number = [0, 0]

        def swap(line):
            number[0] += 1
            if not line.startswith(f"[127.0.0.1]:{self.repo.port} ssh-ed25519"):
                return None if line.startswith(f"[127.0.0.1]:{self.repo.port} ") else line
            return next(each for each in other if "ssh-ed25519" in each)
        self.known(swap)
        with open(self.repo.known_hosts, encoding="utf-8") as file:
            line = next(number for number, text in enumerate(file, 1) if text.startswith(f"[127.0.0.1]:{self.repo.port} "))
        outcome = self.build()
        self.assert_error(outcome, 3, "host_key", "leek_gate", "changed")
        self.assertIn(f"{self.repo.known_hosts}:{line}", outcome.err)

    def test_closed_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.ssh("carrot_seed", port=port)
            self.assert_error(self.build("--on", "carrot_seed"), 3, "unreachable", "carrot_seed", str(port))

    def test_unreachable_behind_the_jump_host(self):
        self.with_hosts(lambda hosts: hosts["pepper_seed"].update(ip="192.0.2.77"))
        self.ssh_timeout = self.repo.otto("docker", "build", "--on", "pepper_seed")
        self.assertEqual(self.ssh_timeout.code, 3, self.ssh_timeout.err)
        self.assertIn("pepper_seed", self.ssh_timeout.error()["message"])
        self.assertIn(self.ssh_timeout.error()["code"], ("unreachable", "timed_out"))

    def test_connect_timeout(self):
        harness.lab().link(self.repo.link, "--stall", "on")
        self.addCleanup(harness.lab().link, self.repo.link, "--stall", "off")
        self.ssh("leek_gate", connect_timeout=1)
        outcome = self.build()
        self.assert_error(outcome, 3, "timed_out", "leek_gate")
        self.assertLess(outcome.seconds, 8)

    def test_what_is_wrong_here_is_told_though_the_parent_does_not_answer(self):
        harness.lab().link(self.repo.link, "--stall", "on")
        self.addCleanup(harness.lab().link, self.repo.link, "--stall", "off")
        ignored = self.repo.read("api/.dockerignore")
        self.addCleanup(self.repo.write, "api/.dockerignore", ignored)
        self.repo.write("api/.dockerignore", "src\n[\n")
        for command in ("build", "up"):
            outcome = self.repo.otto("docker", command)
            self.assertEqual(outcome.error()["code"], "config", outcome.err)
            self.assertIn(".dockerignore:2", outcome.error()["message"])
            self.assertLess(outcome.seconds, 5)

    def test_no_docker(self):
        outcome = self.build("--on", "turnip_plain")
        self.assert_error(outcome, 1, "docker_missing", "turnip_plain", hint="docker_command")

    def test_not_docker_capable(self):
        outcome = self.build("--on", "leek_gate")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("leek_gate", outcome.error()["message"])

    def test_user_who_may_not_use_docker(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"].update(
            creds={harness.lab().environment["NODOCKER_USER"]: None}))
        self.assert_error(self.build("--on", "carrot_seed"), 1, "docker_denied", "carrot_seed", "permission denied", hint="docker")

    def test_an_engine_that_is_not_running_is_told(self):
        self.with_hosts(lambda hosts: hosts["carrot_seed"].update(docker_command=["env", "DOCKER_HOST=unix:///nowhere.sock", "docker"]))
        outcome = self.build("--on", "carrot_seed")
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assertEqual(outcome.error()["code"], "docker_missing")
        self.assertIn("carrot_seed", outcome.error()["message"])

    def test_unreachable_with_dry_run(self):
        harness.lab().link(self.repo.link, "--refuse", "on")
        self.addCleanup(harness.lab().link, self.repo.link, "--refuse", "off")
        for verb in ("build", "up"):
            outcome = self.repo.otto("docker", verb, "--dry-run")
            self.assertEqual(outcome.code, 3, outcome.err)
            self.assertIs(outcome.json["parent_reachable"], False)
            self.assertEqual(outcome.statuses(), {"base": "unknown", "api": "unknown"})
            self.assertRegex(outcome.err, "(?m)^otto: error: .*leek_gate")


class Names(Errors):
    def test_unknown_image(self):
        self.assert_error(self.build("apu"), 2, "unknown_name", "unknown image 'apu'", "did you mean 'api'?")
        self.assert_error(self.repo.otto("docker", "context", "bse"), 2, "unknown_name", "unknown image 'bse'", "did you mean 'base'?")

    def test_unknown_host(self):
        self.assert_error(self.build("--on", "peper_seed"), 2, "unknown_name", "unknown host 'peper_seed'", "did you mean 'pepper_seed'?")
        self.assert_error(self.repo.otto("host", "pepper_sed", "run", "true"), 2, "unknown_name", "did you mean 'pepper_seed'?")
        self.assert_error(self.repo.otto("host", "pepper_seed.wrong.apo", "run", "true"), 2, "unknown_name",
                          "did you mean 'pepper_seed.wrong.api'?")

    def test_unknown_service(self):
        self.assert_error(self.repo.otto("docker", "up", "metrix"), 2, "unknown_name", "unknown service 'metrix'", "did you mean 'metrics'?")
        self.assertEqual(self.repo.images("base"), {})  # told before anything was built

    def test_unknown_lab_and_repo(self):
        self.assert_error(self.build("--lab", "vegies"), 2, "unknown_name", "vegies", "did you mean 'veggies'?")
        self.assert_error(self.build("--repo", "wrng"), 2, "unknown_name", "wrng", "did you mean 'wrong'?")

    def test_nobody_was_asked(self):
        connections = harness.lab().link(self.repo.link)["connections"]
        self.test_unknown_image()
        self.test_unknown_host()
        self.assertEqual(harness.lab().link(self.repo.link)["connections"], connections)

    def test_wrong_usage(self):
        for arguments in (("docker", "biuld"), ("docker", "build", "--rebild"), ("--format", "yaml", "docker", "ps")):
            outcome = self.repo.text(*arguments)
            self.assertEqual((outcome.code, outcome.out), (2, ""), arguments)
            self.assertRegex(outcome.err, "(?m)^otto: error: ")
        self.assertIn("build", self.repo.text("docker", "biuld").err)


class Files(Errors):
    def settings(self, old, new):
        text = self.repo.read(".otto/settings.toml")
        self.addCleanup(self.repo.write, ".otto/settings.toml", text)
        self.repo.replace(".otto/settings.toml", old, new)

    def assert_at(self, outcome, file, line, column):
        self.assert_error(outcome, 2, "config")
        self.assertIn(f"{self.repo.path(file)}:{line}:{column}", outcome.err)

    def test_a_misspelt_key_is_told_with_its_place(self):
        self.settings("dockerfile = \"${sutDir}/docker/base", "dockerfle = \"${sutDir}/docker/base")
        outcome = self.build()
        self.assert_at(outcome, ".otto/settings.toml", 9, 1)
        self.assertIn("did you mean 'dockerfile'?", outcome.err)

    def test_broken_toml_is_told_with_its_place(self):
        self.settings('version = "1.4.0"', 'version = = "1.4.0"')
        self.assert_at(self.build(), ".otto/settings.toml", 3, 11)

    def test_broken_hosts_json_is_told_with_its_place(self):
        self.addCleanup(self.repo.write_hosts)
        self.repo.write("lab/hosts.json", '[\n  {"ne": "carrot", "ip": "127.0.0.1", "lab": ["veggies"]}\n]\n')
        outcome = self.build()
        self.assert_error(outcome, 2, "config")
        self.assertIn(self.repo.path("lab/hosts.json") + ":2:", outcome.err)
        self.assertIn("did you mean 'labs'?", outcome.err)

    def test_a_missing_context_is_told(self):
        self.settings('context = "${sutDir}/base"', 'context = "${sutDir}/bass"')
        outcome = self.build()
        self.assert_error(outcome, 2, "config", "bass")

    def test_no_repo(self):
        elsewhere = os.path.join(self.repo.folder, "home")
        with unittest.mock.patch.object(self.repo, "root", elsewhere):
            outcome = self.build()
        self.assert_error(outcome, 2, "usage", "settings.toml", hint="--repo-dir")

    def test_errors_for_people_go_to_standard_error(self):
        outcome = self.repo.text("docker", "build", "apu")
        self.assertEqual((outcome.code, outcome.out), (2, ""))
        self.assertRegex(outcome.err, r"\Aotto: error: unknown image 'apu'.*\n")


if __name__ == "__main__":
    harness.main()
