#!/usr/bin/env python3
"""Many images at once over a connection with room for few channels, and the trace that shows who did what.

The parent is pepper_seed by way of a second sshd of its own, which lets in two channels (MaxSessions 2) a connection.
"""

import json
import os

import harness
from harness import lab

MACHINE = "pepper_seed"
IMAGES = [f"part{number}" for number in range(10)]
SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {keys}/key
PidFile none
UsePAM yes
AuthorizedKeysFile {keys}/authorized_keys
StrictModes no
MaxSessions 2
"""
START = """mkdir -p "$1" && cat >"$1/config" && ssh-keygen -q -t ed25519 -N "" -f "$1/key" </dev/null && printf '%s\\n' "$2" >"$1/authorized_keys" &&
{ setsid /usr/sbin/sshd -D -e -f "$1/config" </dev/null >/dev/null 2>"$1/log" & echo $! >"$1/pid"; }
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do grep -q listening "$1/log" && exit; sleep 0.2; done
cat "$1/log" >&2; exit 1"""


class Trace(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = harness.Repo("parallel")
        cls.addClassCleanup(cls.repo.clear)
        cls.keys, cls.port = f"/tmp/otto-parallel-{os.getpid()}", 20000 + os.getpid() % 20000
        cls.addClassCleanup(lab().exec, MACHINE, "sh", "-c", 'kill "$(cat "$1/pid")"; rm -rf "$1"', "sh", cls.keys, check=False)
        with open(lab().environment["KEY_ED25519"] + ".pub", encoding="utf-8") as file:
            public = file.read().strip()
        lab().exec(MACHINE, "sh", "-c", START, "sh", cls.keys, public, stdin=SSHD.format(port=cls.port, keys=cls.keys))
        cls.repo.write_hosts(cls.add_host)
        settings = 'name = "parallel"\nlabs = ["${sutDir}/lab"]\ndefault_lab = "veggies"\n'
        services = "services:\n"
        for name in IMAGES:
            cls.repo.write(f"{name}/Dockerfile", "FROM otto-lab/base:1\nCOPY . /srv\nRUN sleep 1\n")
            cls.repo.write(f"{name}/text", f"{name} of process {os.getpid()}\n")
            settings += f'[[docker.images]]\nname = "{name}"\ndockerfile = "${{sutDir}}/{name}/Dockerfile"\ncontext = "${{sutDir}}/{name}"\n'
            cls.repo.repositories.append(f"parallel-{name}")
        for name in IMAGES[:2]:
            services += f"  {name}:\n    image: parallel-{name}\n    init: true\n    command: [sleep, '100000']\n    stop_signal: SIGKILL\n"
        settings += '[[docker.composes]]\npath = "${sutDir}/compose.yml"\ndefault_host = "narrow_seed"\n'
        cls.repo.write(".otto/settings.toml", settings)
        cls.repo.write("compose.yml", services)

    @classmethod
    def add_host(cls, hosts):
        pepper = hosts[MACHINE]
        hosts["narrow_seed"] = {**pepper, "ne": "narrow", "ip": "127.0.0.1", "hop": MACHINE,
                                "ssh_options": {**pepper["ssh_options"], "port": cls.port, "host_key_policy": "accept-new"}}

    def trace(self, name):
        with open(self.repo.path(name), encoding="utf-8") as file:
            events = json.load(file)
        rows = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
        spans = [event for event in events if event["ph"] == "X"]
        self.nodes = {event["name"]: event["args"] for event in events if event["ph"] == "i"}
        self.assertEqual(len(rows) + len(spans) + len(self.nodes), len(events))
        for span in spans:
            self.assertLessEqual({"name", "cat", "pid", "tid", "ts", "dur", "args"}, set(span))
            self.assertGreaterEqual(span["dur"], 0)
            self.assertIn(span["tid"], rows)
        self.assert_nested(spans)
        return rows, spans

    def assert_nested(self, spans):
        """Of two spans in one row either is over before the other begins, or holds it whole."""
        for row in {span["tid"] for span in spans}:
            open_ends = []
            for span in sorted((span for span in spans if span["tid"] == row), key=lambda span: (span["ts"], -span["dur"])):
                end = span["ts"] + span["dur"]
                while open_ends and open_ends[-1] <= span["ts"]:
                    open_ends.pop()
                self.assertTrue(not open_ends or end <= open_ends[-1], span)
                open_ends.append(end)

    def test_sixteen_jobs_through_two_channels(self):
        outcome = self.repo.otto("docker", "build", "-j", "16", "--trace", "build.json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.statuses(), {name: "built" for name in IMAGES})
        for name in IMAGES:
            self.assertIn(outcome.image(name)["hash"], self.repo.parent.images(f"parallel-{name}"))
        rows, spans = self.trace("build.json")
        named = {(span["cat"], span["args"]["subject"]) for span in spans}
        for name in IMAGES:
            self.assertLessEqual({("scanning", name), ("uploading", name), ("building", name)}, named)
            steps = [span["name"] for span in spans if span["cat"] == "step" and span["args"]["subject"] == name]
            self.assertTrue(any("RUN sleep 1" in step for step in steps), steps)
            self.assertEqual(steps[-1], "tagging")
        self.assertLessEqual({("connecting", "narrow_seed"), ("checking", "narrow_seed")}, named)
        workers = {rows[span["tid"]] for span in spans if span["cat"] == "building"}
        self.assertEqual(len(workers), len(IMAGES), workers)
        self.assertEqual({name: node["end"] for name, node in self.nodes.items() if name.startswith("image ")},
                         {f"image {name}": "acted" for name in IMAGES})

        up = self.repo.otto("docker", "up", "-j", "16", "--trace", "up.json")
        self.assertEqual(up.code, 0, up.err)
        self.assertEqual(up.actions(), {name: "created" for name in IMAGES[:2]})
        _, spans = self.trace("up.json")
        self.assertEqual({span["args"]["subject"] for span in spans if span["cat"] == "starting"}, set(IMAGES[:2]))
        self.assertEqual({name for name, node in self.nodes.items() if name.startswith("service ") and node["end"] == "acted"},
                         {f"service {name}" for name in IMAGES[:2]})
        self.assertTrue(any(name.startswith("container ") for name in self.nodes), self.nodes)

    def test_a_trace_that_cannot_be_written_is_said_before_anything_is_done(self):
        outcome = self.repo.otto("docker", "build", "--trace", "no/such/folder/trace.json")
        self.assert_error(outcome, 1, "io", "no/such/folder/trace.json", hint="--trace")


if __name__ == "__main__":
    harness.main()
