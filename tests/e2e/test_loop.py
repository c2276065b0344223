#!/usr/bin/env python3
"""The main job on the parent behind the jump host: the first `up`, the second, and what one edit causes."""

import os
import re
import shutil
import time

import harness
from harness import SERVICES

SPY = """#!/bin/sh
echo "$*" >> "${0%/*}/calls"
exec docker "$@"
"""


class Loop(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("loop")
        cls.first = cls.repo.otto("docker", "up", "--wait")

    def setUp(self):
        self.repo.up()
        self.before = self.repo.containers()
        self.base, self.api = self.repo.images("base"), self.repo.images("api")

    def assert_untouched(self, *services):
        now = self.repo.containers()
        for service in services:
            self.assertEqual(now[service], self.before[service], service)

    def assert_replaced(self, *services):
        now = self.repo.containers()
        for service in services:
            self.assertNotEqual(now[service].id, self.before[service].id, service)
            self.assertEqual(now[service].status, "running", service)

    def assert_nothing_done(self, outcome):
        """Nothing was built, sent or recreated, whatever otto believes."""
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "cached"})
        self.assertEqual(outcome.actions(), {service: "unchanged" for service in SERVICES} | {"migrate": "completed"})
        self.assertEqual([image["reasons"] for image in outcome.json["images"]], [[], []])
        self.assertEqual(self.repo.containers(), self.before)
        self.assertEqual((self.repo.images("base"), self.repo.images("api")), (self.base, self.api))

    def test_first_up_builds_in_order_and_starts_everything(self):
        self.assertEqual(self.first.code, 0, self.first.err)
        self.assertEqual([image["name"] for image in self.first.json["images"]], ["base", "api"])
        for name in ("base", "api"):
            image = self.first.image(name)
            self.assertEqual((image["status"], self.first.reasons(name)), ("built", [("never-built", name)]))
            self.assert_hash_tag(image["tag"], "loop-" + name)
            self.assertEqual(image["tag"], f"loop-{name}:{image['hash']}")
            tags = self.repo.images(name)
            self.assertEqual(tags.get(image["hash"]), image["image_id"])
            self.assertIn("latest", tags)
        plain = self.first.err.splitlines()
        self.assertLess(next(i for i, line in enumerate(plain) if line.startswith("base: built")),
                        next(i for i, line in enumerate(plain) if line == "api: building"))
        self.assertEqual(self.first.actions(), {service: "created" for service in SERVICES})
        self.assertEqual({service["service"]: service["container_id"] for service in self.first.json["services"]}.keys(), SERVICES)

    def test_the_stack_is_what_compose_would_make_of_it(self):
        self.assertEqual(set(self.before), SERVICES)
        self.assertEqual({service for service, each in self.before.items() if each.status == "running"}, SERVICES - {"migrate"})
        self.assertEqual(self.before["migrate"].status, "exited")
        state = self.repo.otto("docker", "up")
        for service, each in self.before.items():
            image = state.image("api" if service == "api" else "base")
            self.assertEqual((each.image, each.image_id), (image["tag"], image["image_id"]), service)

    def test_containers_answer_as_hosts(self):
        for service in sorted(SERVICES - {"migrate"}):
            outcome = self.repo.text("host", f"pepper_seed.loop.{service}", "run", "uname -a", "hostname")
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertRegex(outcome.out, r"\ALinux \S+ .*\n\S+\n\Z")
        shared = self.repo.text("host", "pepper_seed.loop.metrics", "oneshot", "wget -q -O - http://127.0.0.1:8080/version.txt")
        self.assertEqual(shared.out, "1.4.0\n")

    def test_hosts_are_listed_without_a_network(self):
        harness.lab().link(self.repo.link, "--refuse", "on")
        self.addCleanup(harness.lab().link, self.repo.link, "--refuse", "off")
        connections = harness.lab().link(self.repo.link)["connections"]
        outcome = self.repo.done("--list-hosts")
        hosts = {host["id"]: host for host in outcome.json["hosts"]}
        self.assertEqual(set(hosts), {"carrot_seed", "leek_gate", "pepper_seed", "turnip_plain"} |
                         {f"pepper_seed.loop.{service}" for service in SERVICES})
        for service, container in self.before.items():
            host = hosts[f"pepper_seed.loop.{service}"]
            self.assertEqual((host["container_id"], host["image"], host["state"], host["kind"], host["parent"]),
                             (container.id, container.image, container.status, "container", "pepper_seed"))
        self.assertEqual(harness.lab().link(self.repo.link)["connections"], connections)

    def test_second_up_does_nothing_and_says_so_in_one_line(self):
        since = self.repo.parent.clock()
        harness.lab().link(self.repo.link, "--clear")
        outcome = self.repo.text("docker", "up")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.out, "loop on pepper_seed: nothing to do (2 images, 5 services up to date)\n")
        link = harness.lab().link(self.repo.link)
        self.assertLess(link["up_bytes"], 40_000)  # two handshakes and one question
        self.assertEqual(self.repo.parent.events(since, self.repo.project, self.repo.repositories), [])
        self.assert_nothing_done(self.repo.otto("docker", "up"))

    def test_second_up_asks_docker_two_things_that_change_nothing(self):
        self.repo.parent.sh('mkdir -p /tmp/spy && cat > /tmp/spy/docker && touch /tmp/spy/calls && '
                            'chmod 755 /tmp/spy/docker && chmod 666 /tmp/spy/calls', stdin=SPY)
        self.addCleanup(self.repo.write_hosts)
        self.repo.write_hosts(lambda hosts: hosts["pepper_seed"].update(docker_command=["/tmp/spy/docker"]))
        self.repo.up()
        # On a busy machine a container may start seconds after it was made; while it is young, otto looks at it once more.
        label = f"label=com.docker.compose.project={self.repo.project}"
        harness.await_true("no container to be young", lambda: not re.search(
            "Up (Less than|[1-9] second)", self.repo.parent.docker("ps", "--filter", label, "--format", "{{.Status}}")))
        self.repo.parent.sh(": > /tmp/spy/calls")
        self.assert_nothing_done(self.repo.otto("docker", "up"))
        calls = self.repo.parent.sh("cat /tmp/spy/calls").splitlines()
        self.assertEqual(sorted(" ".join(call.split()[:2]) for call in calls), ["image ls", "ps -a"])

    def test_one_edit_rebuilds_one_image_and_replaces_what_runs_it(self):
        _, idle = self.repo.sent("docker", "up")
        self.repo.replace("api/src/catalog/tomato.txt", "colour red", "colour scarlet")
        outcome, sent = self.repo.sent("docker", "up")
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual(outcome.reasons("api"), [("file-changed", "src/catalog/tomato.txt")])
        changed = os.path.getsize(self.repo.path("api/src/catalog/tomato.txt"))
        self.assertLessEqual(sent - idle, changed + 64 * 1024)
        self.assertEqual(outcome.image("api")["uploaded_files"], 1)
        self.assertEqual(outcome.actions(), {"api": "recreated", "metrics": "recreated", "db": "unchanged",
                                             "worker": "unchanged", "migrate": "completed"})
        self.assert_untouched("db", "worker", "migrate")
        self.assert_replaced("api", "metrics")
        self.assertEqual(self.repo.images("base"), self.base)
        now = self.repo.containers()["api"]
        self.assertEqual(now.image, f"loop-api:{outcome.image('api')['hash']}")
        self.assertIn("scarlet", self.repo.parent.file_in_image(now.image, "/srv/api/www/catalog.json"))
        served = self.repo.text("host", "pepper_seed.loop.metrics", "oneshot", "wget -q -O - http://127.0.0.1:8080/catalog.json")
        self.assertIn("scarlet", served.out)

    def test_an_edit_in_a_big_context_sends_the_edit_only(self):
        with open(self.repo.path("api/src/www/photo.bin"), "wb") as file:
            file.write(os.urandom(3_000_000))
        self.addCleanup(os.remove, self.repo.path("api/src/www/photo.bin"))
        outcome, sent = self.repo.sent("docker", "build")
        self.assertGreater(sent, 3_000_000)
        self.assertEqual(outcome.reasons("api"), [("file-added", "src/www/photo.bin")])
        _, idle = self.repo.sent("docker", "build")
        with open(self.repo.path("api/src/www/added.bin"), "wb") as file:
            file.write(os.urandom(100_000))
        self.addCleanup(os.remove, self.repo.path("api/src/www/added.bin"))
        outcome, sent = self.repo.sent("docker", "build")
        self.assertEqual(outcome.reasons("api"), [("file-added", "src/www/added.bin")])
        self.assertGreater(sent - idle, 100_000)
        self.assertLessEqual(sent - idle, 100_000 + 64 * 1024)

    def test_an_edit_of_base_rebuilds_what_is_built_from_it(self):
        self.repo.append("base/etc/motd", "new\n")
        outcome = self.repo.up()
        self.assertEqual(outcome.statuses(), {"base": "built", "api": "built"})
        self.assertEqual(outcome.reasons("base"), [("file-changed", "etc/motd")])
        self.assertEqual(outcome.reasons("api"), [("upstream-changed", "base")])
        self.assert_replaced("api", "db", "metrics", "worker")
        for service in SERVICES - {"migrate"}:
            self.assertEqual(self.repo.parent.docker("exec", self.repo.containers()[service].id, "tail", "-n1", "/etc/motd"), "new\n")

    def test_a_file_that_no_layer_uses_gives_a_tag_and_no_new_image(self):
        old = self.repo.hash("api")
        self.repo.append("api/notes.txt", "a note\n")
        since = self.repo.parent.clock()
        outcome = self.repo.up()
        new = outcome.image("api")
        self.assertNotEqual(new["hash"], old)
        self.assertEqual(outcome.reasons("api"), [("file-changed", "notes.txt")])
        self.assertEqual(new["image_id"], self.api[old])
        self.assertEqual(self.repo.images("api"), self.api | {new["hash"]: self.api[old]})
        self.assertEqual(self.repo.containers(), self.before)
        events = self.repo.parent.events(since, self.repo.project, self.repo.repositories)
        self.assertEqual([event for event in events if event.startswith("container")], [])

    def test_an_ignored_file_is_no_input(self):
        self.repo.append("api/docs/internal.md", "more\n")
        self.repo.write("api/src/left.tmp", "x")
        self.addCleanup(os.remove, self.repo.path("api/src/left.tmp"))
        self.assert_nothing_done(self.repo.otto("docker", "up"))

    def test_a_touch_changes_nothing(self):
        for folder, _, files in os.walk(self.repo.root):
            for name in files:
                os.utime(os.path.join(folder, name), (time.time(), time.time()))
        self.assert_nothing_done(self.repo.otto("docker", "up"))

    def test_a_fresh_clone_elsewhere_changes_nothing(self):
        clone = self.repo.clone("loop-clone")
        self.addCleanup(shutil.rmtree, clone.folder)
        self.assertEqual(clone.hash("api"), self.repo.hash("api"))
        self.assert_nothing_done(clone.otto("docker", "up"))

    def test_a_deleted_database_changes_nothing(self):
        shutil.rmtree(self.repo.state)
        self.assert_nothing_done(self.repo.otto("docker", "up"))

    def test_reasons_survive_a_deleted_database(self):
        shutil.rmtree(self.repo.state)
        self.repo.append("api/src/www/about.html", "<p>later</p>\n")
        outcome = self.repo.build()
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual(outcome.reasons("api"), [("file-changed", "src/www/about.html")])

    def test_explain_names_the_file(self):
        self.repo.append("api/src/www/robots.txt", "# seen\n")
        outcome = self.repo.text("docker", "build", "--explain", "--color", "never")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertRegex(outcome.out, r"(?m)^\s+~ src/www/robots.txt|file-changed.*src/www/robots.txt")


if __name__ == "__main__":
    harness.main()
