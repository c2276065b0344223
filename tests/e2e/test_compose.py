#!/usr/bin/env python3
"""Compose stacks on a real engine: who follows whom, what travels, what counts."""

import json
import os

import compose_stack
import harness
from compose_stack import SLEEP

# Every way to hang on another service. `core` is what changes.
HANGING = f"""services:
  core:
{SLEEP}    ipc: shareable
    environment: ["SEASON=${{SEASON:-spring}}"]
    volumes: ["shared:/shared"]
  in-net:
{SLEEP}    network_mode: service:core
  in-ipc:
{SLEEP}    ipc: service:core
  in-pid:
{SLEEP}    pid: service:core
  in-volumes:
{SLEEP}    volumes_from: [core]
  restarts:
{SLEEP}    depends_on: {{core: {{condition: service_started, restart: true}}}}
  restarts-too:
{SLEEP}    depends_on: {{restarts: {{condition: service_started, restart: true}}}}
  plain:
{SLEEP}    depends_on: [core]
  plain-on-follower:
{SLEEP}    depends_on: [in-net]
  apart:
{SLEEP}volumes:
  shared: {{}}
"""
FOLLOW = {"in-net": "core", "in-ipc": "core", "in-pid": "core", "in-volumes": "core", "restarts": "core",
          "restarts-too": "restarts"}
STAY = ("plain", "plain-on-follower", "apart")

FILES = f"""include: [extra/more.yml]
services:
  env:
{SLEEP}    env_file: [conf/service.env]
  configured:
{SLEEP}    configs: [site]
    secrets: [key]
  extended:
    extends: {{file: bases/base.yml, service: idle}}
  bound:
{SLEEP}    volumes: ["./www:/www", "./motd:/etc/motd:ro"]
  hidden:
{SLEEP}    profiles: [debug]
configs:
  site: {{file: ./conf/site.conf}}
secrets:
  key: {{file: ./conf/key}}
"""


class Stack(compose_stack.Stack):
    name = "stack"


class Affected(Stack):
    def test_only_what_cannot_live_without_a_restart_follows(self):
        self.stack(HANGING)
        first = self.up()
        self.assertEqual(set(first.actions().values()), {"created"})
        before = self.repo.containers()
        outcome = self.repo.text("docker", "up", SEASON="autumn")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(self.told(outcome.out), {"core": ("recreated", "its definition changed: SEASON, environment.SEASON")} |
                         {name: ("recreated", f"follows {other}") for name, other in FOLLOW.items()} |
                         {name: ("unchanged", "") for name in STAY})
        now = self.repo.containers()
        for name in STAY:
            self.assertEqual(now[name], before[name], name)
        for name in FOLLOW:
            self.assertNotEqual(now[name].id, before[name].id, name)
        self.assertEqual({each.status for each in now.values()}, {"running"})
        core = now["core"].id
        for name, mode in {"in-net": "NetworkMode", "in-ipc": "IpcMode", "in-pid": "PidMode"}.items():
            self.assertEqual(self.all(name)[0]["HostConfig"][mode], f"container:{core}", name)
        self.assertIn("SEASON=autumn", self.all("core")[0]["Config"]["Env"])
        self.assertEqual(set(self.up(SEASON="autumn").actions().values()), {"unchanged"})

    def test_a_stopped_service_is_started_as_it_is_and_its_sidecar_moves_along(self):
        self.stack(HANGING)
        self.up("in-net", "plain")
        before = self.repo.containers()
        self.assertEqual(set(before), {"core", "in-net", "plain"})
        self.repo.parent.docker("stop", "-t", "0", before["core"].id)
        outcome = self.up("in-net", "plain")
        self.assertEqual(outcome.actions(), {"core": "started", "in-net": "recreated", "plain": "unchanged"})
        now = self.repo.containers()
        self.assertEqual((now["core"].id, now["plain"]), (before["core"].id, before["plain"]))

    def test_an_optional_dependency_may_be_missing_or_fail(self):
        self.stack(f"services:\n  app:\n{SLEEP}    depends_on:\n"
                   "      absent: {condition: service_started, required: false}\n"
                   "      broken: {condition: service_completed_successfully, required: false}\n"
                   "  absent:\n    image: otto-lab/base:1\n    command: [sleep, '100000']\n    profiles: [never]\n"
                   "  broken:\n    image: otto-lab/base:1\n    command: [sh, -c, 'sleep 1; echo no luck; exit 4']\n")
        outcome = self.repo.otto("docker", "up")
        containers = self.repo.containers()
        self.assertEqual(containers["app"].status, "running", outcome.err)
        self.assertNotIn("absent", containers)
        self.assert_error(outcome, 1, "compose_failed", "'broken' exited at once with code 4", "no luck")


class Files(Stack):
    def setUp(self):
        super().setUp()
        self.stack(FILES)
        for name, text in {"conf/service.env": "COLOUR=red\n", "conf/site.conf": "site 1\n", "conf/key": "hunter2\n",
                           "bases/base.yml": f"services:\n  idle:\n{SLEEP}    env_file: [base.env]\n", "bases/base.env": "FROM=base\n",
                           "extra/more.yml": f"services:\n  included:\n{SLEEP}    env_file: [more.env]\n", "extra/more.env": "MORE=1\n",
                           "www/index.html": "one\n", "www/old.html": "old\n", "motd": "welcome\n"}.items():
            self.repo.write(name, text)

    def test_everything_named_travels_and_counts_where_it_is_used(self):
        self.assertEqual(set(self.up().actions()), {"env", "configured", "extended", "bound", "included"})
        self.assertEqual([self.inside(service, "sh", "-c", f"echo ${name}") for service, name in
                          (("env", "COLOUR"), ("extended", "FROM"), ("included", "MORE"))], ["red\n", "base\n", "1\n"])
        self.assertEqual(self.inside("configured", "cat", "/site", "/run/secrets/key"), "site 1\nhunter2\n")
        self.assertEqual(self.inside("bound", "cat", "/www/index.html", "/etc/motd"), "one\nwelcome\n")
        everybody = {"env", "configured", "extended", "bound", "included"}
        for changed in ({"conf/service.env": "env"}, {"conf/site.conf": "configured", "bases/base.env": "extended"},
                        {"conf/key": "configured", "extra/more.env": "included"}):
            for name in changed:
                self.repo.append(name, "ANOTHER=2\n")
            actions = self.up().actions()
            self.assertEqual({each for each in everybody if actions[each] == "recreated"}, set(changed.values()), changed)
        self.assertEqual(self.inside("configured", "cat", "/site"), "site 1\nANOTHER=2\n")
        self.assertEqual(self.up("hidden").actions(), {"hidden": "created"})

    def test_a_seccomp_profile_travels_and_counts(self):
        profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
        self.stack(f"services:\n  kept:\n{SLEEP}  bound:\n{SLEEP}    security_opt: ['seccomp:./conf/profile.json']\n")
        self.assert_error(self.repo.otto("docker", "up"), 2, "config", "compose.yml:12:", "seccomp profile", "does not exist")
        self.repo.write("conf/profile.json", json.dumps(profile))
        self.assertEqual(self.up().actions(), {"kept": "created", "bound": "created"})
        self.assertEqual(self.inside("bound", "sh", "-c", "mkdir /a 2>/dev/null || echo refused"), "refused\n")
        self.repo.write("conf/profile.json", json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}))
        self.assertEqual(self.up().actions(), {"kept": "unchanged", "bound": "recreated"})
        self.assertEqual(self.inside("bound", "sh", "-c", "mkdir /a && echo made"), "made\n")
        self.assertEqual(self.up().actions(), {"kept": "unchanged", "bound": "unchanged"})

    def test_edits_in_bound_trees_reach_the_running_container(self):
        self.up("bound")
        before = self.repo.containers()
        self.inside("bound", "sh", "-c", "echo mine > /www/written; mkdir /www/made; echo too > /www/made/by-me; echo edited > /www/index.html")
        inode = self.inside("bound", "stat", "-c", "%i", "/www/index.html", "/etc/motd")
        self.repo.write("www/index.html", "two, and longer\n")
        self.repo.write("www/new/page.html", "new\n")
        self.repo.write("motd", "good bye, all of you\n")
        os.remove(self.repo.path("www/old.html"))
        self.assertEqual(self.up("bound").actions(), {"bound": "unchanged"})
        self.assertEqual(self.repo.containers(), before)
        self.assertEqual(self.inside("bound", "cat", "/www/index.html", "/www/new/page.html", "/etc/motd"),
                         "two, and longer\nnew\ngood bye, all of you\n")
        self.assertEqual(self.inside("bound", "stat", "-c", "%i", "/www/index.html", "/etc/motd"), inode)
        self.assertEqual(self.inside("bound", "sh", "-c", "ls /www; cat /www/written /www/made/by-me"),
                         "index.html\nmade\nnew\nwritten\nmine\ntoo\n")

    def test_what_is_mounted_from_a_stage_that_was_removed_by_hand_follows_the_new_one(self):
        self.up("bound", "env")
        before = self.repo.containers()
        self.repo.parent.sh('rm -r /home/otto/.cache/otto/stages/"$1"-compose', self.repo.project)
        self.assertEqual(self.up("bound", "env").actions(), {"bound": "recreated", "env": "unchanged"})
        self.repo.write("www/index.html", "after the removal\n")
        self.assertEqual(self.up("bound", "env").actions(), {"bound": "unchanged", "env": "unchanged"})
        self.assertEqual(self.inside("bound", "cat", "/www/index.html"), "after the removal\n")
        self.assertEqual(self.repo.containers()["env"], before["env"])

    def test_variables_are_the_clients_and_count_by_digest(self):
        self.stack(f"services:\n  a:\n{SLEEP}    environment: [\"WORD=${{WORD}}\", BARE]\n  b:\n{SLEEP}")
        self.repo.write(".env", "WORD=from-dot-env\n")
        self.addCleanup(os.remove, self.repo.path(".env"))
        self.up(BARE="s3cret-value")
        self.assertEqual(self.inside("a", "sh", "-c", "echo $WORD $BARE"), "from-dot-env s3cret-value\n")
        self.assertEqual(self.up(BARE="s3cret-value").actions(), {"a": "unchanged", "b": "unchanged"})
        self.assertEqual(self.up(BARE="other-value", WORD="mine").actions(), {"a": "recreated", "b": "unchanged"})
        self.assertEqual(self.inside("a", "sh", "-c", "echo $WORD $BARE"), "mine other-value\n")
        for folder, _, files in os.walk(self.repo.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(b"s3cret-value", file.read(), name)

    def test_a_refusal_names_the_file_as_it_is_called_here(self):
        self.stack(f"services:\n  app:\n{SLEEP}    prots: ['80:80']\n")
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "compose_failed", f"{self.repo.root}/compose.yml", "prots")
        self.assertNotIn("/stages/", outcome.error()["message"])


if __name__ == "__main__":
    harness.main()
