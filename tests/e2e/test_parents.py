#!/usr/bin/env python3
"""The other parent with --on, both listed, and stacks taken down."""

import harness
from harness import SERVICES, Parent


class Parents(harness.Test):
    def setUp(self):
        self.repo = harness.Repo("moving")
        self.addCleanup(self.repo.clear)
        self.carrot = Parent("carrot_seed")

    def test_built_and_started_on_the_other_parent_and_taken_down(self):
        repo, carrot = self.repo, self.carrot
        here = repo.up()
        since = repo.parent.clock()
        there = repo.up("--on", "carrot_seed")
        self.assertEqual((there.json["parent"], there.statuses()), ("carrot_seed", {"base": "built", "api": "built"}))
        for name in ("base", "api"):
            self.assertEqual(there.image(name)["tag"], here.image(name)["tag"])
            self.assertIn(there.image(name)["hash"], carrot.images("moving-" + name))
        containers = carrot.containers(repo.project)
        self.assertEqual(set(containers), SERVICES)
        self.assertEqual({service for service, each in containers.items() if each.status == "running"}, SERVICES - {"migrate"})
        self.assertEqual(repo.parent.events(since, repo.project, repo.repositories), [])

        self.check_listings()
        self.check_hosts(containers)
        self.check_down()

    def check_listings(self):
        hosts = {host["id"]: host for host in self.repo.done("--list-hosts").json["hosts"]}
        for parent in ("pepper_seed", "carrot_seed"):
            for service in SERVICES:
                host = hosts[f"{parent}.moving.{service}"]
                self.assertEqual((host["parent"], host["state"]), (parent, "exited" if service == "migrate" else "running"))
        for parent in ("pepper_seed", "carrot_seed"):
            shown = self.repo.done("docker", "ps", "--on", parent).json["hosts"]
            self.assertEqual([(host["id"], host["reachable"]) for host in shown], [(parent, True)])
            ours = {each["service"]: each for each in shown[0]["containers"] if each.get("host_id", "").startswith(parent + ".moving.")}
            self.assertEqual(set(ours), SERVICES - {"migrate"})
            truth = Parent(parent).containers(self.repo.project)
            self.assertEqual({service: each["id"] for service, each in ours.items()},
                             {service: each.id for service, each in truth.items() if service != "migrate"})
        everything = self.repo.done("docker", "ps", "--on", "carrot_seed", "--all").json["hosts"][0]["containers"]
        self.assertIn("migrate", [each.get("service") for each in everything])
        both = self.repo.otto("docker", "ps")
        self.assertEqual(both.code, 4, both.err)  # turnip_plain has no Docker, and is named
        self.assertEqual({host["id"]: "error" in host for host in both.json["hosts"]},
                         {"carrot_seed": False, "pepper_seed": False, "turnip_plain": True})

    def check_hosts(self, containers):
        outcome = self.repo.text("host", "carrot_seed.moving.db", "run", "hostname")
        self.assertEqual(outcome.out, containers["db"].id[:12] + "\n", outcome.err)

    def check_down(self):
        repo, carrot = self.repo, self.carrot
        outcome = repo.done("docker", "down", "--on", "carrot_seed")
        self.assertEqual(outcome.json["parent"], "carrot_seed")
        self.assertEqual(carrot.containers(repo.project), {})
        self.assertEqual(set(repo.containers()), SERVICES)
        volumes = ("volume", "ls", "-q", "--filter", "label=com.docker.compose.project=" + repo.project)
        self.assertEqual(carrot.docker(*volumes), f"{repo.project}_data\n")
        self.assertIn(repo.hash("api"), carrot.images("moving-api"))
        listed = {host["id"]: host["state"] for host in repo.done("--list-hosts").json["hosts"]}
        self.assertEqual((listed["pepper_seed.moving.api"], listed.get("carrot_seed.moving.api", "declared")), ("running", "declared"))
        self.assertEqual(repo.done("docker", "down", "--on", "carrot_seed", "--volumes").code, 0)
        self.assertEqual(carrot.docker(*volumes), "")
        self.assertEqual(repo.done("docker", "down", "--volumes").json["parent"], "pepper_seed")
        self.assertEqual(repo.containers(), {})
        self.assertEqual(repo.parent.docker(*volumes), "")
        networks = ("network", "ls", "-q", "--filter", "label=com.docker.compose.project=" + repo.project)
        self.assertEqual((repo.parent.docker(*networks), carrot.docker(*networks)), ("", ""))


if __name__ == "__main__":
    harness.main()
