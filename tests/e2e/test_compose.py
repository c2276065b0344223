#!/usr/bin/env python3
"""Compose stacks on a real engine: what travels, what is touched and why, what is told."""

import json
import os

import harness

SLEEP = "    image: otto-lab/base:1\n    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n"

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


class Stack(harness.StackTest):
    name = "stack"

    def stack(self, *arguments, **options):
        self.repo.write_stack(*arguments, **options)

    def up(self, *arguments, **environment):
        return self.repo.done("docker", "up", *arguments, **environment)

    def all(self, service):
        return self.repo.replicas(service)

    def inside(self, service, *command):
        return self.repo.parent.docker("exec", self.repo.containers()[service].id, *command)

    def told(self, text):
        """service → (action, reason) as the table for people has them."""
        rows = (line.split(None, 3) for line in text.splitlines() if "pepper_seed.stack." in line)
        return {row[0]: (row[1], row[3].strip() if len(row) > 3 else "") for row in rows}


class Affected(Stack):
    def test_only_what_cannot_live_without_a_restart_follows(self):
        self.stack(HANGING)
        first = self.up()
        self.assertEqual(set(first.actions().values()), {"created"})
        before = self.repo.containers()
        outcome = self.repo.text("docker", "up", SEASON="autumn")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(self.told(outcome.out), {"core": ("recreated", "its definition changed")} |
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


BUILDS = f"""services:
  web:
    build: {{context: ./web, dockerfile: Containerfile, target: prod, args: {{COLOUR: "${{COLOUR:-red}}", BARE: }}}}
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  named:
    build: named
    image: team/named:1.0
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  same:
    image: team/named:1.0
    command: [sleep, '100000']
    init: true
    stop_signal: SIGKILL
  other:
{SLEEP}"""


class Builds(Stack):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.repo.parent.clear, self.repo.project, ["stack-web", "stack-named"])
        self.stack(BUILDS)
        for name, text in {"web/Containerfile": "FROM otto-lab/base:1 AS prod\nARG COLOUR\nARG BARE\nCOPY page /page\n"
                                                "RUN echo $COLOUR $BARE > /args\nFROM prod AS never\nRUN false\n",
                           "web/page": "one\n", "named/Dockerfile": "FROM stack-web\nCOPY file /file\n", "named/file": "1\n"}.items():
            self.repo.write(name, text)

    def test_a_build_section_is_an_image_of_the_repo(self):
        first = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual(first.statuses(), {"web": "built", "named": "built"})
        before = self.repo.containers()
        for service, image in {"web": "web", "named": "named", "same": "named"}.items():
            self.assert_hash_tag(before[service].image, f"stack-{image}")
            self.assertEqual(before[service].image, first.image(image)["tag"])
        self.assertEqual(self.inside("web", "cat", "/page", "/args"), "one\nred bare\n")
        self.assertEqual(self.repo.containers(), before)
        again = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual((again.statuses(), set(again.actions().values())), ({"web": "cached", "named": "cached"}, {"unchanged"}))
        self.repo.write("named/file", "2\n")
        outcome = self.repo.done("docker", "up", BARE="bare")
        self.assertEqual(outcome.statuses(), {"web": "cached", "named": "built"})
        self.assertEqual(outcome.reasons("named"), [("file-changed", "file")])
        self.assertEqual(outcome.actions(), {"web": "unchanged", "named": "recreated", "same": "recreated", "other": "unchanged"})
        outcome = self.repo.done("docker", "build", "named", BARE="bare", COLOUR="blue")
        self.assertEqual(outcome.reasons("web"), [("build-arg-changed", "COLOUR")])
        self.assertEqual(outcome.reasons("named"), [("upstream-changed", "web")])
        listed = self.repo.done("docker", "context", "web").json
        self.assertEqual([file["path"] for file in listed["files"]], ["Containerfile", "page"])
        self.repo.parent.clear(self.repo.project, [])
        self.assertEqual(set(self.repo.done("docker", "up", "--no-build").actions().values()), {"created"})
        self.assertEqual(self.inside("web", "cat", "/args"), "blue bare\n")

    def test_a_named_service_needs_its_own_images_only(self):
        self.repo.write("named/Dockerfile", "FROM stack-web\nRUN false\n")
        first = self.repo.done("docker", "up", "web")
        self.assertEqual((first.statuses(), first.actions()), ({"web": "built"}, {"web": "created"}))
        again = self.repo.done("docker", "up", "web")  # by what is remembered of the model
        self.assertEqual((again.statuses(), again.actions()), ({"web": "cached"}, {"web": "unchanged"}))
        self.assertEqual(self.repo.done("docker", "up", "--no-build", "web").actions(), {"web": "unchanged"})
        self.assertEqual(self.repo.done("docker", "up", "other").statuses(), {})
        self.assert_error(self.repo.otto("docker", "up", "--no-build", "same"), 1, "not_running",
                          "image 'named' of service 'same'", hint="otto docker up")  # never built, or removed since
        self.assertEqual(self.repo.otto("docker", "up", "same").code, 1)  # now the broken image counts
        self.repo.write("named/Dockerfile", "FROM stack-web\nCOPY file /file\n")
        self.assertEqual(self.repo.done("docker", "up", "same").statuses(), {"web": "cached", "named": "built"})
        self.assertEqual(set(self.repo.containers()), {"web", "other", "same"})
        self.repo.parent.clear(self.repo.project, ["stack-named"])
        self.assert_error(self.repo.otto("docker", "up", "--no-build", "same"), 1, "not_running",
                          "image 'named' of service 'same' is no more on pepper_seed", hint="otto docker up")

    def test_the_dockerfile_may_stand_in_the_compose_file(self):
        text = ("services:\n  web:\n    build:\n      context: web\n      dockerfile_inline: |\n        FROM otto-lab/base:1\n"
                "        COPY page /page\n        RUN echo ${COLOUR} $$HOME > /args\n"
                "    command: [sleep, '100000']\n    init: true\n    stop_signal: SIGKILL\n")
        self.stack(text)
        self.assertEqual(self.repo.done("docker", "up", COLOUR="red").statuses(), {"web": "built"})
        self.assertEqual(self.inside("web", "cat", "/page", "/args"), "one\nred /root\n")
        self.stack(text.replace("COPY page", "COPY --chmod=600 page"))
        again = self.repo.done("docker", "up", COLOUR="red")
        self.assertEqual(again.reasons("web"), [("dockerfile-changed", "compose.yml (dockerfile_inline of web)")])
        self.assertEqual(again.actions(), {"web": "recreated"})
        self.assertEqual(self.repo.done("docker", "up", COLOUR="red").actions(), {"web": "unchanged"})

    def test_what_cannot_be_built_is_refused_with_its_place(self):
        for section, words, hint in (("{context: 'https://example.com/x.git'}", "not on this machine", "clone it"),
                                     ("./nowhere", "does not exist", "relative paths"),
                                     ("{context: web, dockerfile: Missing}", "Missing' does not exist", "relative to the build context"),
                                     ("{context: web, dockerfile: Containerfile, secrets: [a]}", "'build.secrets'", "leave it out")):
            self.stack(f"services:\n  web:\n    build: {section}\n")
            outcome = self.repo.otto("docker", "up")
            self.assert_error(outcome, 2, "config", "compose.yml:3:", words, hint=hint)
            self.assertEqual(self.repo.otto("--list-hosts").code, 0)


class Ends(Stack):
    def test_orphans_are_told_and_removed_when_asked(self):
        far = ("far.yml", f"services:\n  far:\n{SLEEP}", "carrot_seed")
        self.stack(f"services:\n  kept:\n{SLEEP}  gone:\n{SLEEP}", far)
        self.addCleanup(harness.Parent("carrot_seed").clear, self.repo.project, [])
        self.up("--on", "pepper_seed")  # both files' services on one parent
        self.assertEqual(set(self.repo.containers()), {"kept", "gone", "far"})
        self.stack(f"services:\n  kept:\n{SLEEP}", far)
        before = self.repo.containers()
        outcome = self.up()
        self.assertIn("stack.gone; `otto docker up --remove-orphans` removes", outcome.err)
        self.assertNotIn("stack.far", outcome.err)
        self.assertEqual(self.repo.containers(), before)
        self.assertIn("would be removed: pepper_seed.stack.gone", self.up("--remove-orphans", "-n").err)
        self.assertEqual(self.repo.containers(), before)
        self.assertIn("removed: pepper_seed.stack.gone", self.up("--remove-orphans").err)
        del before["gone"]
        self.assertEqual(self.repo.containers(), before)
        self.assertNotIn("pepper_seed.stack.gone", self.repo.done("--list-hosts").out)

    def test_every_replica_is_a_host_and_counts(self):
        self.stack(f"services:\n  web:\n{SLEEP}    deploy: {{replicas: 3}}\n  two:\n{SLEEP}    scale: 2\n  none:\n{SLEEP}    scale: 0\n")
        self.up("--wait")
        hosts = {host["id"] for host in self.repo.done("--list-hosts").json["hosts"] if host["state"] == "running"}
        self.assertEqual(hosts, {f"pepper_seed.stack.{name}" for name in ("web", "web-2", "web-3", "two", "two-2")})
        second = self.all("web")[1]
        answer = self.repo.text("host", "pepper_seed.stack.web-2", "oneshot", "hostname")
        self.assertEqual(answer.out.strip(), second["Config"]["Hostname"])
        self.repo.parent.docker("rm", "-f", second["Id"])
        kept = [each["State"]["StartedAt"] for each in (self.all("web"))]
        outcome = self.repo.text("docker", "up")
        self.assertEqual(self.told(outcome.out)["web"], ("created", "2 of 3 containers exist"))
        now = self.all("web")
        self.assertEqual(len(now), 3)
        self.assertLessEqual(set(kept), {each["State"]["StartedAt"] for each in now})
        self.repo.parent.docker("stop", "-t", "0", now[2]["Id"])
        outcome = self.repo.text("docker", "up")
        self.assertEqual(self.told(outcome.out)["web"], ("started", "exited with code 137"))
        self.assertEqual([each["State"]["Status"] for each in self.all("web")], ["running"] * 3)
        self.stack(f"services:\n  web:\n{SLEEP}    scale: 1\n")
        self.up()
        self.assertEqual(len(self.all("web")), 1)

    def test_a_service_keeps_its_id_where_a_replica_of_another_would_have_it(self):
        self.stack(f"services:\n  web:\n{SLEEP}    scale: 2\n  web-2:\n{SLEEP}")
        self.assertIn("replica 2 of service 'web' is no host: 'pepper_seed.stack.web-2' is service 'web-2'", self.up().err)
        answer = self.repo.text("host", "pepper_seed.stack.web-2", "oneshot", "hostname")
        self.assertEqual(answer.out.strip(), self.all("web-2")[0]["Config"]["Hostname"])

    def test_what_exits_at_once_is_named_with_its_last_words(self):
        self.stack(f"services:\n  bad:\n    image: otto-lab/base:1\n    command: [sh, -c, 'echo first; echo no such table >&2; exit 7']\n"
                   f"  loop:\n    image: otto-lab/base:1\n    command: [sh, -c, 'echo waiting for db; exit 1']\n    restart: always\n"
                   f"  once:\n    image: otto-lab/base:1\n    command: ['true']\n  good:\n{SLEEP}")
        outcome = self.repo.otto("docker", "up")
        self.assert_error(outcome, 1, "compose_failed", "'bad' exited at once with code 7", "no such table", hint="otto docker up")
        self.assertNotIn("'once'", outcome.error()["message"])
        self.assertIn("'loop' ended at once and is restarted", outcome.err)
        self.assertEqual(self.repo.containers()["good"].status, "running")
        listed = {host["id"]: host["state"] for host in self.repo.done("--list-hosts").json["hosts"]}
        self.assertEqual(listed["pepper_seed.stack.bad"], "exited")

    def test_what_is_paused_or_restarting_is_left_alone_and_told(self):
        self.stack(f"services:\n  held:\n{SLEEP}  fine:\n{SLEEP}  loop:\n    image: otto-lab/base:1\n    restart: always\n"
                   "    command: [sh, -c, 'test -e /tmp/broken && exit 1; touch /tmp/broken; sleep 2; exit 1']\n")
        self.up()
        held, loop = self.all("held")[0]["Id"], self.all("loop")[0]["Id"]
        self.repo.parent.docker("pause", held)
        harness.await_true("the loop to wait for its next attempt", lambda: self.all("loop")[0]["State"]["Restarting"])
        for options in (["-n"], []):
            outcome = self.repo.text("docker", "up", *options)
            self.assertEqual(self.told(outcome.out)["held"], ("unchanged", "is paused"))
            self.assertIn(f"service 'held' is paused; on host 'pepper_seed' `docker unpause {held[:12]}` lets it go on", outcome.err)
            self.assertNotIn("nothing to do", outcome.out)
            self.assertNotIn("'fine'", outcome.err)
        harness.await_true("otto to tell of the loop", lambda: f"`docker logs {loop[:12]}` says why" in self.repo.text("docker", "up").err)
        for verb in ("oneshot", "run"):
            self.assert_error(self.repo.otto("host", "pepper_seed.stack.held", verb, "true"), 1, "not_running", "is paused", hint="docker unpause")
        self.assertEqual(self.all("held")[0]["State"]["Status"], "paused")
        self.repo.parent.docker("unpause", held)
        self.assertNotIn("'held'", self.repo.text("docker", "up").err)

    def test_wait_is_content_with_a_one_shot_and_not_with_a_failure(self):
        self.stack("services:\n  once:\n    image: otto-lab/base:1\n    command: [sleep, '1']\n    restart: 'no'\n"
                   f"  slow:\n{SLEEP}    healthcheck: {{test: [CMD-SHELL, 'test -e /tmp/ok || {{ touch /tmp/ok; exit 1; }}'], interval: 1s, retries: 9}}\n")
        self.up("--wait")
        state = self.all("slow")[0]["State"]
        self.assertEqual(state["Health"]["Status"], "healthy")
        harness.await_true("the one-shot to end", lambda: self.all("once")[0]["State"]["Status"] == "exited")
        self.assertEqual(self.up("--wait").actions(), {"once": "completed", "slow": "unchanged"})
        self.stack("services:\n  fails:\n    image: otto-lab/base:1\n    command: [sh, -c, 'sleep 5; echo too late; exit 3']\n"
                   "    healthcheck: {test: [CMD, 'false'], interval: 1s, retries: 99}\n")
        self.assert_error(self.repo.otto("docker", "up", "--wait"), 1, "compose_failed", "'fails' exited with code 3", "too late")

    def test_a_network_the_engine_lost_sight_of_is_asked_for_once_more(self):
        """What the engine does under load, told in its own words by a docker command that then lets everything through."""
        self.stack(f"services:\n  app:\n{SLEEP}")
        wrapper = ('#!/bin/sh\ncase " $* " in *" up "*) echo x >> /tmp/otto-ups; '
                   'if [ "$(wc -l < /tmp/otto-ups)" -le "$(cat /tmp/otto-failures)" ]; then '
                   'echo "Error response from daemon: failed to set up container networking: network otto-stack_default not found" >&2; '
                   'exit 1; fi ;; esac\nexec docker "$@"\n')
        self.repo.parent.sh("cat > /tmp/lossy-docker; chmod 755 /tmp/lossy-docker", stdin=wrapper)
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(docker_command=["/tmp/lossy-docker"]))
        self.repo.parent.sh("rm -f /tmp/otto-ups; echo 2 > /tmp/otto-failures")
        self.assert_error(self.repo.otto("docker", "up"), 1, "compose_failed", "network otto-stack_default not found")
        self.repo.parent.sh("rm -f /tmp/otto-ups; echo 1 > /tmp/otto-failures")
        outcome = self.up()
        self.assertEqual(outcome.actions(), {"app": "created"})
        self.assertIn("asked again", outcome.err)
        self.assertEqual(self.repo.parent.sh("wc -l < /tmp/otto-ups").strip(), "2")


if __name__ == "__main__":
    harness.main()
