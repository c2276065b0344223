#!/usr/bin/env python3
"""What scripts rely on: the keys of every JSON document, dry runs, --no-build, --explain, where options may stand."""

import json
import os
import re
import subprocess

import harness
from harness import SERVICES

IMAGE = {"name", "status", "tag", "hash", "image_id", "reasons", "uploaded_bytes", "uploaded_files", "duration_ms"}
SERVICE = {"service", "host_id", "container_id", "image", "action", "reasons"}
REASON = {"kind", "subject", "detail"}
RFC3339 = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z"


class Interface(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("iface")
        cls.before = cls.repo.otto("docker", "up", "--dry-run")
        cls.nothing = (cls.repo.containers(), cls.repo.images("base"), cls.repo.images("api"))
        cls.repo.up()

    def assert_images(self, document):
        for image in document["images"]:
            self.assertEqual(set(image), IMAGE)
            self.assertEqual([type(image[key]) for key in ("uploaded_bytes", "uploaded_files", "duration_ms")], [int] * 3)
            for reason in image["reasons"]:
                self.assertEqual(set(reason), REASON)

    def test_dry_run_before_anything_invents_nothing(self):
        self.assertEqual(self.before.code, 0, self.before.err)
        self.assertIs(self.before.json["parent_reachable"], True)
        self.assertEqual(self.before.statuses(), {"base": "stale", "api": "stale"})
        self.assertEqual(self.before.reasons("base"), [("never-built", "base")])
        self.assertEqual({image["image_id"] for image in self.before.json["images"]}, {""})
        self.assertLessEqual(set(self.before.actions().values()), {"created"})
        self.assertLessEqual({service["container_id"] for service in self.before.json["services"]}, {""})
        self.assertEqual(self.nothing, ({}, {}, {}))

    def test_up(self):
        document = self.repo.up().json
        self.assertEqual(set(document), {"parent", "parent_reachable", "repo", "project", "images", "services"})
        self.assertEqual((document["parent"], document["parent_reachable"], document["repo"], document["project"]),
                         ("pepper_seed", True, "iface", "otto-iface-e2e"))
        self.assert_images(document)
        truth = self.repo.containers()
        for service in document["services"]:
            self.assertEqual(set(service), SERVICE)
            container = truth[service["service"]]
            self.assertEqual((service["container_id"], service["host_id"], service["image"]),
                             (container.id, "pepper_seed.iface." + service["service"], container.image))

    def test_build(self):
        document = self.repo.build().json
        self.assertEqual(set(document), {"parent", "parent_reachable", "repo", "images"})
        self.assert_images(document)
        self.assertEqual([image["name"] for image in self.repo.build("base").json["images"]], ["base"])
        self.assertEqual([image["name"] for image in self.repo.build("api").json["images"]], ["base", "api"])

    def test_a_dry_run_tells_and_does_nothing(self):
        self.repo.up()
        containers, images = self.repo.containers(), self.repo.images("api")
        self.repo.append("api/src/www/about.html", "<p>dry</p>\n")
        built = self.repo.build("--dry-run")
        self.assertEqual((built.statuses(), built.reasons("api")),
                         ({"base": "cached", "api": "stale"}, [("file-changed", "src/www/about.html")]))
        self.assert_images(built.json)
        self.assertIs(built.json["dry_run"], True)
        up = self.repo.up("--dry-run")
        self.assertIs(up.json["dry_run"], True)
        self.assertEqual(up.actions(), {"api": "recreated", "metrics": "recreated", "db": "unchanged", "worker": "unchanged",
                                        "migrate": "completed"})
        text = self.repo.text("docker", "up", "-n", "--explain")
        self.assertIn("would be recreated", text.out)
        self.assertIn("src/www/about.html", text.out)
        for verb in ("down", "prune"):
            self.assertIs(self.repo.done("docker", verb, "--dry-run").json["dry_run"], True)
        self.assertIs(self.repo.done("--dry-run", "host", "pepper_seed", "run", "id").json["dry_run"], True)
        self.assertEqual((self.repo.containers(), self.repo.images("api")), (containers, images))
        real = self.repo.build()
        self.assertEqual(real.statuses(), {"base": "cached", "api": "built"})
        self.assertNotIn("dry_run", real.json)

    def test_no_build_starts_what_was_built_last(self):
        last = self.repo.up().image("api")["tag"]
        self.repo.append("api/src/www/about.html", "<p>not built</p>\n")
        images = self.repo.images("api")
        outcome = self.repo.up("--no-build")
        self.assertEqual(set(outcome.actions().values()), {"unchanged", "completed"})
        self.assertEqual((self.repo.containers()["api"].image, self.repo.images("api")), (last, images))
        self.repo.done("docker", "down")
        self.assertEqual(self.repo.up("--no-build").actions()["api"], "created")
        self.assertEqual((self.repo.containers()["api"].image, self.repo.images("api")), (last, images))

    def test_one_service_with_what_it_depends_on(self):
        networks = ("network", "ls", "-q", "--filter", "label=com.docker.compose.project=" + self.repo.project)
        for container in self.repo.containers().values():  # by hand; their network stays
            self.repo.parent.docker("rm", "-f", container.id)
        self.assertNotEqual(self.repo.parent.docker(*networks), "")
        self.assertEqual(self.repo.done("docker", "down").json["removed"], [])
        self.assertEqual(self.repo.parent.docker(*networks), "")
        outcome = self.repo.up("db")
        self.assertEqual(outcome.actions(), {"db": "created"})
        self.assertEqual(set(self.repo.containers()), {"db"})
        self.repo.up()

    def test_context_is_what_docker_would_be_sent(self):
        document = self.repo.done("docker", "context", "api").json
        self.assertEqual(set(document), {"image", "root", "hash", "files"})
        self.assertEqual((document["image"], document["root"]), ("api", self.repo.path("api")))
        self.assertRegex(document["hash"], r"\A[0-9a-f]{40}\Z")
        paths = [file["path"] for file in document["files"]]
        self.assertEqual(paths, sorted(paths, key=str.encode))
        self.assertTrue({"docs/api.md", "notes.txt", "src/bin/serve", "tests/smoke.sh", "src"} <= set(paths), paths)
        self.assertFalse({"docs/internal.md", "tests/catalog_test.sh"} & set(paths), paths)
        for file in document["files"]:
            self.assertEqual(set(file), {"path", "type", "mode", "size"})
            status = os.stat(self.repo.path("api/" + file["path"]))
            self.assertEqual(file["type"], "dir" if os.path.isdir(self.repo.path("api/" + file["path"])) else "file")
            self.assertEqual(file["mode"], f"{status.st_mode & 0o7777:04o}")
            if file["type"] == "file":
                self.assertEqual(file["size"], status.st_size)

    def test_context_is_what_the_engine_sees(self):
        """The oracle: an engine's own reading of this context and its ignore file, as a plain build of it sees it."""
        listed = {file["path"] for file in self.repo.done("docker", "context", "api").json["files"] if file["type"] == "file"}
        tar = subprocess.run(["tar", "-c", "-C", self.repo.path("api"), "."], capture_output=True, check=True).stdout
        script = ('rm -rf /tmp/oracle && mkdir /tmp/oracle && tar -x -C /tmp/oracle && '
                  'printf "FROM scratch\\nCOPY . /\\n" | docker build -q -f - --output type=tar,dest=- /tmp/oracle | tar -t; rm -rf /tmp/oracle')
        seen = subprocess.run(harness.lab().command("carrot_seed", "sh", "-c", script),
                              input=tar, capture_output=True, check=True, timeout=60).stdout.decode().split()
        self.assertEqual(listed, {name for name in seen if not name.endswith("/")})

    def test_list_hosts(self):
        self.repo.up()
        hosts = self.repo.done("--list-hosts").json["hosts"]
        for host in hosts:
            required = {"id", "kind", "lab", "docker_capable", "state"}
            self.assertLessEqual(required, set(host))
            self.assertLessEqual(set(host), required | {"parent", "container_id", "image", "last_seen"})
            self.assertIn(host["kind"], ("unix", "local", "container"))
            self.assertIn(host["state"], ("running", "exited", "declared", "unknown"))
            if "last_seen" in host:
                self.assertRegex(host["last_seen"], RFC3339)
        self.assertEqual([host["id"] for host in hosts], sorted(host["id"] for host in hosts))

    def test_containers_are_declared_before_any_up(self):
        fresh = self.repo.clone("iface-fresh")
        states = {host["id"]: host["state"] for host in fresh.done("--list-hosts").json["hosts"]}
        self.assertEqual({id: state for id, state in states.items() if ".iface." in id},
                         {f"pepper_seed.iface.{service}": "declared" for service in SERVICES})
        self.assertFalse(os.path.exists(fresh.state))

    def test_ps(self):
        hosts = self.repo.done("docker", "ps", "--on", "pepper_seed").json["hosts"]
        self.assertEqual([set(host) for host in hosts], [{"id", "reachable", "containers"}])
        for container in hosts[0]["containers"]:
            self.assertLessEqual({"id", "name", "image", "status"}, set(container))
            self.assertLessEqual(set(container), {"id", "name", "image", "status", "service", "host_id"})

    def test_ps_remembers_what_it_saw(self):
        def state():
            return {host["id"]: host["state"] for host in self.repo.done("--list-hosts").json["hosts"]}["pepper_seed.iface.db"]

        self.repo.up()
        id = self.repo.containers()["db"].id
        self.assertEqual(state(), "running")
        self.repo.parent.docker("stop", "-t", "0", id)
        self.repo.done("docker", "ps", "--on", "pepper_seed")
        self.assertEqual(state(), "exited")
        self.repo.parent.docker("rm", id)
        text = self.repo.text("docker", "ps", "--on", "pepper_seed")
        self.assertNotEqual(state(), "running")
        self.assertNotRegex(text.out, "[0-9a-f]{13}", "whole ids and tags are for -v, -q and JSON")
        self.repo.up()
        self.assertEqual(state(), "running")

    def test_global_options_stand_before_or_after(self):
        documents = [json.loads(self.repo.text(*arguments).out) for arguments in (
            ("--format", "json", "docker", "context", "base"), ("docker", "--format", "json", "context", "base"),
            ("docker", "context", "base", "--format", "json"), ("docker", "context", "--format=json", "base"))]
        self.assertTrue(all(document == documents[0] for document in documents))
        for arguments in (("--repo-dir", self.repo.root, "-l", "veggies", "docker", "build", "-n"),
                          ("docker", "build", "-n", "-l", "veggies", "--repo-dir", self.repo.root)):
            self.assertEqual(self.repo.otto(*arguments).json["repo"], "iface")

    def test_quiet_prints_tags_only(self):
        outcome = self.repo.text("-q", "docker", "build")
        self.assertEqual((outcome.out.splitlines(), outcome.err), ([self.repo.tag("base"), self.repo.tag("api")], ""))
        self.assertEqual(self.repo.text("docker", "up", "-q").out, "")

    def test_a_build_arg_is_a_reason_without_its_value(self):
        self.repo.build()
        text = self.repo.read(".otto/settings.toml")
        self.addCleanup(self.repo.write, ".otto/settings.toml", text)
        self.repo.write(".otto/settings.toml", re.sub('VERSION = "[^"]*"', 'VERSION = "sekrit-9"', text))
        outcome = self.repo.text("docker", "build", "--format", "json", "--explain")
        self.assertEqual(outcome.reasons("api"), [("build-arg-changed", "VERSION")])
        self.assertNotIn("sekrit-9", outcome.out)
        with open(os.path.join(self.repo.state, next(name for name in os.listdir(self.repo.state) if name.endswith((".db", ".sqlite")))), "rb") as file:
            self.assertNotIn(b"sekrit-9", file.read())

    def test_a_changed_environment_recreates_the_service_that_uses_it(self):
        self.repo.up()
        before = self.repo.containers()
        self.repo.append("api.env", "MORE=1\n")
        outcome = self.repo.up()
        self.assertEqual(outcome.actions(), {"api": "recreated", "metrics": "recreated", "db": "unchanged",
                                             "worker": "unchanged", "migrate": "completed"})
        self.assertEqual(set(outcome.statuses().values()), {"cached"})
        now = self.repo.containers()
        self.assertEqual(self.repo.parent.docker("exec", now["api"].id, "sh", "-c", "echo $MORE"), "1\n")
        for service in ("db", "worker", "migrate"):
            self.assertEqual(now[service], before[service])
        greeted = self.repo.otto("docker", "up", VEGGIES_GREETING="moin")
        self.assertEqual(greeted.actions()["api"], "recreated")
        self.assertEqual(self.repo.parent.docker("exec", self.repo.containers()["api"].id, "sh", "-c", "echo $GREETING"), "moin\n")
        self.repo.up()


if __name__ == "__main__":
    harness.main()
