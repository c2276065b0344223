#!/usr/bin/env python3
"""What a container's state means to `up`: finished or stopped, ill at every `up`, and how long a stop may take."""

import json

import harness
from harness import await_true

ONCE = "    image: otto-lab/base:1\n    command: [sh, -c, 'sleep 0.3']\n"
SLEEP = "    image: otto-lab/base:1\n    command: [sleep, '100000']\n    stop_signal: SIGKILL\n"
STUBBORN = "    image: otto-lab/base:1\n    command: [sh, -c, \"trap '' TERM; while :; do sleep 1; done\"]\n"
STOPPING = r"(?m)^(?=.*\bapp\b)(?=.*stopping).*up to {} s"


class Stack(harness.StackTest):
    name = "states"

    def state(self, service):
        return self.repo.replicas(service)[0]["State"]

    def await_state(self, service, status):
        return await_true(f"{service} is {status}", lambda: (state := self.state(service))["Status"] == status and state)


class OneShots(Stack):
    MARKED = {"written": "    restart: 'no'\n", "marked": "    x-otto: {oneshot: true}\n", "awaited": ""}

    def begin(self):
        self.services("".join(f"  {name}:\n{ONCE}{more}" for name, more in self.MARKED.items()) +
                   f"  app:\n{SLEEP}    depends_on: {{awaited: {{condition: service_completed_successfully}}}}\n")
        self.repo.up()
        self.ran = {name: self.await_state(name, "exited") for name in self.MARKED}

    def test_what_is_a_one_shot_by_its_definition_is_not_run_again(self):
        self.begin()
        for arguments in ([], ["--wait"]):
            outcome = self.repo.up(*arguments)
            self.assertEqual(outcome.actions(), {name: "completed" for name in self.MARKED} | {"app": "unchanged"})
        text = self.repo.text("docker", "up")
        self.assertIn("nothing to do", text.out, text.err)
        self.assertEqual({name: self.state(name) for name in self.MARKED}, self.ran)

    def test_one_that_was_interrupted_runs_again(self):
        self.begin()
        for name in self.MARKED:
            id = self.repo.replicas(name)[0]["Id"]
            self.repo.parent.sh('docker start "$1" > /dev/null; docker kill "$1"', id)
            self.assertEqual(self.await_state(name, "exited")["ExitCode"], 137)
        outcome = self.repo.up()
        self.assertEqual(outcome.actions(), {name: "started" for name in self.MARKED} | {"app": "unchanged"})
        for name in self.MARKED:
            await_true(f"{name} has run", lambda: (self.state(name)["Status"], self.state(name)["ExitCode"]) == ("exited", 0))
        self.assertEqual(self.repo.up().actions(), {name: "completed" for name in self.MARKED} | {"app": "unchanged"})

    def test_one_that_was_made_and_never_ran_runs(self):
        self.begin()
        awaited = self.repo.replicas("awaited")[0]
        self.repo.parent.docker("rm", awaited["Id"])
        self.repo.parent.docker("create", "--name", awaited["Name"][1:], "--network", f"{self.repo.project}_default",
                                *(f"--label={key}={value}" for key, value in awaited["Config"]["Labels"].items()),
                                awaited["Config"]["Image"], *awaited["Config"]["Cmd"])
        self.assertEqual(self.repo.up().actions()["awaited"], "started")
        await_true("it has run", lambda: (self.state("awaited")["Status"], self.state("awaited")["ExitCode"]) == ("exited", 0))
        self.assertFalse(self.state("awaited")["StartedAt"].startswith("0001"))

    def test_any_other_that_exits_with_0_is_started(self):
        self.services(f"  plain:\n{ONCE}  unless:\n{ONCE}    restart: on-failure\n  said:\n{ONCE}    x-otto: {{oneshot: false}}\n")
        self.repo.up()
        ran = {name: self.await_state(name, "exited")["StartedAt"] for name in ("plain", "unless", "said")}
        self.assertEqual(self.repo.up().actions(), {name: "started" for name in ran})
        for name, before in ran.items():
            self.assertNotEqual(self.state(name)["StartedAt"], before, name)


class Warned(Stack):
    """What runs and is ill is told of at every `up`, also where there is nothing to do."""
    LOOPING = "    image: otto-lab/base:1\n    restart: always\n    command: [sh, -c, 'sleep 0.5; echo no way; exit 3']\n"
    SICK = SLEEP + "    healthcheck: {test: [CMD, 'false'], interval: 200ms, retries: 1}\n"

    def test_looping_and_unhealthy_services_are_named_every_time(self):
        self.services(f"  loop:\n{self.LOOPING}  sick:\n{self.SICK}  fine:\n{SLEEP}")
        self.repo.up()
        await_true("the loop to turn", lambda: self.repo.replicas("loop")[0]["RestartCount"] > 1)
        await_true("the check to fail", lambda: self.state("sick")["Health"]["Status"] == "unhealthy")
        for _ in range(2):
            outcome = self.repo.text("docker", "up")
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertRegex(outcome.err, "(?m)^otto: warning: .*'loop'.*restart")
            self.assertRegex(outcome.err, "(?m)^otto: warning: .*'sick'.*unhealthy")
            self.assertNotIn("'fine'", outcome.err)
        outcome = self.repo.otto("docker", "up", "--wait")
        self.assert_error(outcome, 1, "compose_failed", "'sick'", "unhealthy")
        self.assertIn("'loop'", outcome.err)
        self.assertEqual(self.repo.replicas("fine")[0]["State"]["Status"], "running")

    def test_waiting_for_a_loop_alone_fails_too(self):
        self.services(f"  loop:\n{self.LOOPING}  fine:\n{SLEEP}")
        self.repo.up()
        await_true("the loop to turn", lambda: self.repo.replicas("loop")[0]["RestartCount"] > 1)
        self.assert_error(self.repo.otto("docker", "up", "--wait"), 1, "compose_failed", "'loop'", "no way")


class Grace(Stack):
    """How long a container has between TERM and KILL, by the engine's own clock."""

    def write(self, word, more=""):
        self.services(f"  app:\n{STUBBORN}{more}    environment: [WORD={word}]\n")

    def replaced(self, *arguments):
        """`up` after an edit: what it said, and the seconds that the old container had."""
        old, since = self.repo.replicas("app")[0]["Id"], self.repo.parent.clock()
        self.write(f"at {since}", self.more)
        outcome = self.repo.text("docker", "up", *arguments)
        self.assertEqual(outcome.code, 0, outcome.err)
        events = self.repo.parent.docker("events", "--since", since, "--until", self.repo.parent.clock(), "--filter", f"container={old}",
                                         "--filter", "event=kill", "--format", "{{json .}}").splitlines()
        times = [event["timeNano"] / 1e9 for event in map(json.loads, events)]
        self.assertEqual(len(times), 2, "TERM and KILL")
        return outcome, times[1] - times[0]

    def begin(self, more=""):
        self.more = more
        self.write("first", more)
        self.repo.up()

    def test_a_second_unless_more_is_given(self):
        self.begin()
        outcome, seconds = self.replaced()
        self.assertTrue(0.9 < seconds < 2.9, seconds)
        self.assertRegex(outcome.err, STOPPING.format(1))
        outcome, seconds = self.replaced("--timeout", "3")
        self.assertTrue(2.9 < seconds < 9, seconds)
        self.assertRegex(outcome.err, STOPPING.format(3))

    def test_a_services_own_grace_is_honoured(self):
        self.begin("    stop_grace_period: 4s\n")
        outcome, seconds = self.replaced()
        self.assertTrue(3.9 < seconds < 9, seconds)
        self.assertRegex(outcome.err, STOPPING.format(4))

    def test_one_who_stops_in_time_is_not_waited_for(self):
        slow = "    image: otto-lab/base:1\n    command: [sh, -c, \"trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done\"]\n"
        write = lambda word: self.services(f"  app:\n{slow}    stop_grace_period: 30s\n    environment: [WORD={word}]\n")
        write("first")
        self.repo.up()
        old, since = self.repo.replicas("app")[0]["Id"], self.repo.parent.clock()
        write("second")
        self.assertLess(self.repo.up().seconds, 25)
        ended = self.repo.parent.docker("events", "--since", since, "--until", self.repo.parent.clock(), "--filter", f"container={old}",
                                        "--filter", "event=die", "--format", "{{.Actor.Attributes.exitCode}}").split()
        self.assertEqual(ended, ["0"])


if __name__ == "__main__":
    harness.main()
