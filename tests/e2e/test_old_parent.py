#!/usr/bin/env python3
"""A parent as Debian 12 ships it: Docker 20.10 without buildx, and Compose v1."""

import harness
from harness import OLD_PARENT as OLD, OldRepo, SERVICES

ODD = "it's $5 ${HOME} \"now\" \\ $$ ${X:-y}\tend"


class Stack(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = OldRepo("oldstack")
        cls.addClassCleanup(cls.repo.clear)
        cls.foreseen = cls.repo.otto("docker", "up", "-n", VEGGIES_GREETING=ODD, DOCKER_ODD=ODD)
        cls.first = cls.repo.otto("docker", "up", "--wait", VEGGIES_GREETING=ODD, DOCKER_ODD=ODD)

    def setUp(self):
        self.repo.up()
        self.before = self.repo.containers()

    def replaced(self):
        return {service for service, each in self.repo.containers().items() if each.id != self.before[service].id}

    def test_the_parent_has_only_the_old_tools(self):
        parent = self.repo.parent
        self.assertIn("20.10", parent.docker("version", "--format", "{{.Server.Version}}"))
        self.assertEqual(parent.sh("docker-compose version --short").strip(), "1.29.2")
        for plugin in ("buildx", "compose"):
            self.assertNotIn("ersion", parent.docker(plugin, "version", check=False))

    def test_first_up_builds_in_order_and_starts_everything(self):
        self.assertEqual(self.first.code, 0, self.first.err)
        self.assertEqual(self.first.statuses(), {"base": "built", "api": "built"})
        self.assertEqual(self.first.actions(), {service: "created" for service in SERVICES})
        for name in ("base", "api"):
            image = self.first.image(name)
            self.assertEqual(self.repo.images(name).get(image["hash"]), image["image_id"])

    def test_what_compose_files_mean_is_foreseen_unstaged(self):
        self.assertEqual(self.foreseen.code, 0, self.foreseen.err)
        self.assertEqual(self.foreseen.actions(), {service: "created" for service in SERVICES})
        self.repo.append("api.env", "MORE=1\n")
        for outcome in (self.repo.otto("docker", "up", "-n"), self.repo.up()):
            api = next(service for service in outcome.json["services"] if service["service"] == "api")
            self.assertEqual([(reason["kind"], reason["subject"]) for reason in api["reasons"]],
                             [("staged-file-changed", "api.env"), ("definition-changed", "environment.MORE")])

    def test_the_stack_is_pinned_and_follows_the_conditions(self):
        state = self.repo.up()
        self.assertEqual({service for service, each in self.before.items() if each.status == "running"}, SERVICES - {"migrate"})
        self.assertEqual(self.before["migrate"].status, "exited")
        for service, each in self.before.items():
            image = state.image("api" if service == "api" else "base")
            self.assertEqual((each.image, each.image_id), (image["tag"], image["image_id"]), service)
        self.assertLess(self.before["db"].started_at, self.before["migrate"].started_at)
        self.assertLess(self.before["migrate"].started_at, self.before["api"].started_at)

    def test_second_up_does_nothing(self):
        since = self.repo.parent.clock()
        outcome = self.repo.text("docker", "up")
        self.assertEqual(outcome.out, "oldstack on bean_old: nothing to do (2 images, 5 services up to date)\n", outcome.err)
        self.assertEqual(self.repo.parent.events(since, self.repo.project, self.repo.repositories), [])
        self.assertEqual(self.repo.containers(), self.before)

    def test_one_edit_recreates_what_uses_it(self):
        self.repo.parent.docker("tag", "otto-lab/base:1", "oldstack-base:latest")  # somebody's mistake
        self.repo.append("api/src/catalog/tomato.txt", "ripe\n")
        outcome = self.repo.up()
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual(self.replaced(), {"api", "metrics"})
        found = self.repo.parent.docker("run", "--rm", "--entrypoint", "grep", self.repo.tag("api"), "-rl", "ripe", "/srv/api")
        self.assertIn("/srv/api/", found)
        motd = self.repo.parent.file_in_image(self.repo.tag("api"), "/etc/motd")
        self.assertEqual(motd, self.repo.read("base/etc/motd"), "the image is built from exactly its upstream")
        shared = self.repo.text("host", "bean_old.oldstack.metrics", "oneshot", "wget -q -O - http://127.0.0.1:8080/version.txt")
        self.assertEqual(shared.out, "1.4.0\n", shared.err)

    def test_an_edited_upstream_reaches_what_is_built_from_it(self):
        self.repo.write("base/etc/motd", "a newer day\n")
        outcome = self.repo.up()
        self.assertEqual(outcome.statuses(), {"base": "built", "api": "built"})
        self.assertEqual(self.repo.parent.file_in_image(self.repo.tag("api"), "/etc/motd"), "a newer day\n")
        self.assertEqual(self.replaced(), SERVICES)

    def test_values_arrive_as_they_are(self):
        self.addCleanup(self.repo.write, "compose.yml", self.repo.read("compose.yml"))
        self.repo.replace("compose.yml", 'GREETING: "${VEGGIES_GREETING:-hello}"',
                          'GREETING: "${VEGGIES_GREETING:-hello}"\n      BY_FILE: "${DOCKER_ODD:-}"')
        self.repo.done("docker", "up", VEGGIES_GREETING=ODD, DOCKER_ODD=ODD)
        self.assertEqual(self.replaced(), {"api", "metrics"})
        shown = self.repo.text("host", "bean_old.oldstack.api", "run", 'printf "%s\\n" "$GREETING" "$BY_FILE"')
        self.assertEqual(shown.out, f"{ODD}\n{ODD}\n", shown.err)

    def test_a_changed_definition_and_a_stopped_service(self):
        self.repo.parent.docker("stop", "-t", "0", self.before["worker"].id)
        self.repo.append("api.env", "NEW=1\n")
        outcome = self.repo.up("--explain")
        self.assertEqual((outcome.actions()["api"], outcome.actions()["worker"]), ("recreated", "started"))
        self.assertEqual(self.replaced(), {"api", "metrics"})
        self.assertEqual({each.status for service, each in self.repo.containers().items() if service != "migrate"}, {"running"})

    def test_what_compose_v1_does_not_know_is_refused_with_a_reason(self):
        good = self.repo.read("compose.yml")
        self.addCleanup(self.repo.write, "compose.yml", good)
        self.repo.write("compose.yml", good.replace("depends_on: [api]", "depends_on: {api: {condition: service_started, restart: true}}"))
        self.assert_error(self.repo.otto("docker", "up"), 1, "compose_failed", "restart", hint="Compose v1")
        self.repo.write("compose.yml", good.replace("    env_file:", "    configs: [odd]\n    env_file:") + "configs: {odd: {file: ./api.env}}\n")
        self.assert_error(self.repo.otto("docker", "up"), 1, "unsupported", "configs", hint="Compose v2")
        self.assertEqual(self.repo.containers(), self.before)

    def test_ps_and_down(self):
        shown = self.repo.done("docker", "ps", "--on", OLD).json["hosts"][0]["containers"]
        ours = {each["service"]: each["id"] for each in shown if each.get("host_id", "").startswith("bean_old.oldstack.")}
        self.assertEqual(ours, {service: each.id for service, each in self.before.items() if service != "migrate"})
        label = "label=com.docker.compose.project=" + self.repo.project
        kinds = lambda kind: self.repo.parent.docker(kind, "ls", "-q", "--filter", label)
        self.repo.done("docker", "down")
        self.assertEqual((self.repo.containers(), kinds("network"), kinds("volume")), ({}, "", f"{self.repo.project}_data\n"))
        self.assertEqual(self.repo.up().actions(), {service: "created" for service in SERVICES})
        self.repo.done("docker", "down", "--volumes")
        self.assertEqual((self.repo.containers(), kinds("network"), kinds("volume")), ({}, "", ""))


if __name__ == "__main__":
    harness.main()
