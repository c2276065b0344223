#!/usr/bin/env python3
"""Stacks survive interruption: whatever an `up` that was cut short leaves behind, the next one puts right.

Each kind by itself: Compose's half-replaced containers, made by hand with Compose's own labels, and services that were stopped
and look finished. Random rounds are in test_soak.py; what ends, warns and stops slowly is in test_states.py.
"""

import re
import time

import harness
import interrupts
import soak_stack
from harness import await_true

STUBBORN = "    image: otto-lab/base:1\n    command: [sh, -c, \"trap '' TERM; while :; do sleep 1; done\"]\n"
POLITE = "    image: otto-lab/base:1\n    command: [sh, -c, \"trap 'exit 0' TERM; while :; do sleep 1 & wait $$!; done\"]\n"
ONCE_WRITTEN = ("    image: otto-lab/base:1\n    volumes: [/kept]\n    stop_signal: SIGKILL\n    command: [sh, -c, "
                "'[ -e /kept/token ] || cat /proc/sys/kernel/random/uuid > /kept/token; while :; do sleep 1; done']\n")
NUMBER = "com.docker.compose.container-number"


class Stack(harness.StackTest):
    name = "survive"

    def only(self, service):
        """The one container of a service, which bears its plain name."""
        found = self.repo.replicas(service)
        self.assertEqual([each["Name"] for each in found], [f"/{self.repo.project}-{service}-1"])
        return found[0]

    def assert_runs(self, service):
        container = self.only(service)
        self.assertEqual(container["State"]["Status"], "running", service)
        return container

    def assert_nothing_to_do(self):
        before = soak_stack.touched(self.repo)
        outcome = self.repo.text("docker", "up")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("nothing to do", outcome.out, outcome.err)
        self.assertEqual(soak_stack.touched(self.repo), before)
        return outcome


class Interrupted(Stack):
    def edited(self, word):
        more = f"    stop_grace_period: 3s\n    environment: [WORD={word}]\n"
        self.services(f"  one:\n{STUBBORN}{more}  two:\n{STUBBORN}{more}")

    def interrupted(self, kind, seconds=1.5):
        otto = interrupts.Heard(self.repo, "docker", "up")
        self.assertTrue(otto.await_words(interrupts.COMPOSE_PHASE), otto.said())
        time.sleep(seconds)
        self.assertFalse(otto.ended(), "the stop takes 3 s: " + otto.said())
        interrupts.interrupt(kind, otto)
        self.assertNotEqual(otto.finish().code, 0)

    def test_two_that_ignore_term(self):
        self.edited("first")
        self.repo.up()
        for kind in interrupts.SIGNALS:
            with self.subTest(kind):
                self.edited(kind)
                self.interrupted(kind)
                outcome = self.repo.text("docker", "up")
                self.assertEqual(outcome.code, 0, outcome.err)
                for service in ("one", "two"):
                    self.assertIn(f"WORD={kind}", self.assert_runs(service)["Config"]["Env"])
                self.assert_nothing_to_do()

    def test_an_edit_taken_back_after_the_interruption(self):
        def written(word):
            self.services(f"  one:\n{STUBBORN}    stop_grace_period: 3s\n    environment: [WORD={word}]\n"
                       f"  gone:\n{POLITE}    environment: [WORD={word}]\n")
        written("first")
        self.repo.up()
        for kind in ("KILL", "INT"):
            with self.subTest(kind):
                written(kind)
                self.interrupted(kind)
                written("first")
                outcome = self.repo.text("docker", "up")
                self.assertEqual(outcome.code, 0, outcome.err)
                for service in ("one", "gone"):
                    self.assertIn("WORD=first", self.assert_runs(service)["Config"]["Env"])
                self.assert_nothing_to_do()


class HalfReplaced(Stack):
    """`app` in each of the states that an interrupted Compose leaves, made by hand."""

    def setUp(self):
        super().setUp()
        self.whole = False
        self.few = (self.beside_a_running_one, self.alone, self.v1_renamed_away)
        self.all = (*self.few, self.beside_an_exited_one, self.started_under_the_temporary_name, self.v1_beside_a_created_one,
                    self.v1_beside_a_started_one)

    def begin(self):
        """The stack up, anew unless the state before has been put right."""
        if not self.whole:
            self.repo.parent.clear(self.repo.project, [])
        self.services(f"  app:\n{ONCE_WRITTEN}  apart:\n{ONCE_WRITTEN}")
        self.repo.up()
        self.original, self.apart = self.only("app"), self.only("apart")
        self.plain = self.original["Name"][1:]
        self.token = await_true("the token is written", lambda: self.read_token(self.original))

    def read_token(self, container):
        return self.repo.parent.docker("exec", container["Id"], "cat", "/kept/token", check=False)

    def docker(self, *arguments):
        return self.repo.parent.docker(*arguments).strip()

    def replacement(self, name=None, of=None, number="1"):
        """What Compose v2 creates first: all of the original's, and its anonymous volume, under a temporary name."""
        of = of or self.original
        name = name or f"{of['Id'][:12]}_{of['Name'][1:]}"
        labels = of["Config"]["Labels"] | {"com.docker.compose.replace": of["Name"][1:], NUMBER: number}
        mounts = [f"--volume={mount['Name']}:{mount['Destination']}" for mount in of["Mounts"]]
        command = of["Config"]["Cmd"]
        return self.docker("create", "--name", name, "--network", f"{self.repo.project}_default", "--stop-signal", "SIGKILL",
                           *(f"--label={key}={value}" for key, value in labels.items()), *mounts, of["Config"]["Image"], *command)

    def half(self):
        return f"{self.original['Id'][:12]}_{self.plain}"

    def stop(self):
        self.docker("stop", "-t", "0", self.original["Id"])

    def remove(self):
        self.docker("rm", "-f", self.original["Id"])  # without -v, as Compose does

    # The states, each made by hand: gives the id that must be the service's afterwards, None where it must be a new one.

    def beside_a_running_one(self):
        self.replacement()

    def beside_an_exited_one(self):
        self.replacement()
        self.stop()

    def alone(self):
        made = self.replacement()
        self.remove()
        return made

    def started_under_the_temporary_name(self):
        made = self.alone()
        self.docker("start", made)
        return made

    def v1_renamed_away(self):
        self.stop()
        self.docker("rename", self.plain, self.half())

    def v1_beside_a_created_one(self):
        self.v1_renamed_away()
        self.replacement(self.plain)

    def v1_beside_a_started_one(self):
        self.v1_renamed_away()
        made = self.replacement(self.plain)
        self.docker("start", made)
        return made

    def in_each(self, states, check):
        """Calls check(id that must stay) in each of these states, in a stack that is whole but for it."""
        for make in states:
            with self.subTest(make.__name__):
                self.begin()
                self.whole = False
                check(make())
                self.whole = True

    def assert_right(self, outcome, kept):
        """One running `app` with its data and nothing half, `apart` untouched, one line that tells of it."""
        self.assertEqual(outcome.code, 0, outcome.err)
        now = self.assert_runs("app")
        if kept is None:
            self.assertNotEqual(now["Id"], self.original["Id"], "it may have had its TERM")
        else:
            self.assertEqual(now["Id"], kept)
        self.assertEqual(self.read_token(now), self.token)
        apart = self.only("apart")
        self.assertEqual((apart["Id"], apart["State"]["StartedAt"]), (self.apart["Id"], self.apart["State"]["StartedAt"]))
        self.assertEqual(len(soak_stack.found_in(self.repo)), 2)

    def told(self, outcome):
        return re.findall(r"(?m)^.*interrupted.* put right.*$", outcome.err)

    def test_up_puts_it_right_and_says_so(self):
        def check(kept):
            self.assert_no_host()
            outcome = self.repo.text("docker", "up")
            self.assert_right(outcome, kept)
            self.assertEqual(len(self.told(outcome)), 1, outcome.err)
            self.assertIn("app", self.told(outcome)[0])
            self.assertEqual(self.told(self.assert_nothing_to_do()), [])
        self.in_each(self.all, check)

    def assert_no_host(self):
        """Neither `ps` nor the list of hosts takes the half-replaced container for one."""
        halves = [each["Name"][1:] for each in self.repo.replicas("app") if each["Name"][1:] != self.plain]
        shown = self.repo.done("docker", "ps", "--all", "--on", harness.PARENT).json["hosts"][0]["containers"]
        self.assertEqual([each for each in shown if each["name"] in halves and "host_id" in each], [])
        hosts = {host["id"] for host in self.repo.done("--list-hosts").json["hosts"] if host["kind"] == "container"}
        self.assertEqual(hosts, {f"{harness.PARENT}.{self.name}.{service}" for service in ("app", "apart")})

    def test_a_dry_run_changes_nothing(self):
        self.begin()
        self.replacement()
        before = soak_stack.touched(self.repo)
        outcome = self.repo.otto("docker", "up", "--dry-run")
        self.assertEqual((outcome.code, outcome.actions()["app"]), (0, "recreated"), outcome.err)
        self.assertEqual(soak_stack.touched(self.repo), before)

    def test_down_takes_all_away(self):
        def check(_):
            self.repo.done("docker", "down")
            self.assertEqual(soak_stack.found_in(self.repo), [])
        self.in_each(self.few, check)

    def test_a_host_that_is_asked_for_starts_as_it_should(self):
        def check(_):
            outcome = self.repo.text("host", f"{harness.PARENT}.{self.name}.app", "oneshot", "cat /kept/token")
            self.assertEqual((outcome.code, outcome.out), (0, self.token), outcome.err)
            self.assert_runs("app")
        self.in_each((self.alone, self.v1_renamed_away, self.beside_an_exited_one), check)

    def test_what_only_looks_like_one_is_left_alone(self):
        self.begin()
        labels = {"com.docker.compose.project": "someone-elses", "com.docker.compose.service": "app", NUMBER: "1"}
        strangers = [f"{'0' * 12}_{self.plain}", f"{self.apart['Id'][:12]}_{self.plain}"]
        for name, own in zip(strangers, ({}, labels)):
            self.docker("run", "-d", "--name", name, *(f"--label={key}={value}" for key, value in own.items()), "otto-lab/base:1",
                        "sleep", "100000")
            self.addCleanup(self.repo.parent.docker, "rm", "-f", name)
        before = soak_stack.touched(self.repo)
        self.assertEqual(len(before), 4)
        self.assert_nothing_to_do()
        self.services(f"  app:\n{ONCE_WRITTEN}    environment: [NEW=1]\n  apart:\n{ONCE_WRITTEN}")
        outcome = self.repo.text("docker", "up")
        self.assertEqual((outcome.code, self.told(outcome)), (0, []), outcome.err)
        self.repo.done("docker", "down")
        after = soak_stack.touched(self.repo)
        self.assertEqual(after, {"/" + name: before["/" + name] for name in strangers})

    def test_a_container_that_is_called_so_on_purpose(self):
        self.services(f"  app:\n{ONCE_WRITTEN}    container_name: 0123456789ab_x\n  apart:\n{ONCE_WRITTEN}")
        outcome = self.repo.text("docker", "up")
        self.assertEqual((outcome.code, self.told(outcome)), (0, []), outcome.err)
        self.assertEqual(self.repo.replicas("app")[0]["Name"], "/0123456789ab_x")
        self.assert_nothing_to_do()
        self.docker("stop", "-t", "0", "0123456789ab_x")
        self.assertEqual(self.repo.up().actions()["app"], "started")
        self.assertEqual(self.repo.replicas("app")[0]["Name"], "/0123456789ab_x")
        answer = self.repo.text("host", f"{harness.PARENT}.{self.name}.app", "oneshot", "hostname")
        self.assertEqual(answer.out.strip(), self.repo.replicas("app")[0]["Config"]["Hostname"], answer.err)

    def test_a_one_shot_with_a_replacement_beside_it_runs_again(self):
        self.services(f"  task:\n    image: otto-lab/base:1\n    command: [sh, -c, 'sleep 0.2']\n    restart: 'no'\n  app:\n{ONCE_WRITTEN}"
                   "    depends_on: {task: {condition: service_completed_successfully}}\n")
        self.repo.up()
        task = self.only("task")
        self.replacement(of=task)
        outcome = self.repo.text("docker", "up")
        self.assertEqual(outcome.code, 0, outcome.err)
        await_true("the one-shot has run again", lambda: self.only("task")["State"]["Status"] == "exited")
        now = self.only("task")
        self.assertEqual(now["State"]["ExitCode"], 0)
        self.assertNotEqual(now["State"]["StartedAt"], task["State"]["StartedAt"])
        self.assert_nothing_to_do()


class Stopped(Stack):
    """A service that exits 0 when it is stopped has not finished."""

    def test_it_is_started_by_whatever_needs_it(self):
        self.services(f"  app:\n{POLITE}")
        self.repo.up()
        id = self.only("app")["Id"]
        for arguments in (["docker", "up"], ["docker", "up", "--wait"], ["host", f"{harness.PARENT}.{self.name}.app", "oneshot", "true"]):
            self.repo.parent.docker("stop", id)
            self.assertEqual((self.only("app")["State"]["Status"], self.only("app")["State"]["ExitCode"]), ("exited", 0))
            outcome = self.repo.text(*arguments)
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertEqual(self.assert_runs("app")["Id"], id, arguments)
        self.assert_nothing_to_do()

    def test_what_was_told_to_stop_and_did_is_not_taken_for_interrupted(self):
        """The notes of a scale that was carried out do not outlive it."""
        for scale in (3, 2, 1):
            self.services(f"  app:\n{ONCE_WRITTEN}    scale: {scale}\n")
            self.repo.up()
            self.assertEqual(len(self.repo.replicas("app")), scale)
            self.assert_nothing_to_do()


if __name__ == "__main__":
    harness.main()
