#!/usr/bin/env python3
"""What images are built from: base images that move, with a real registry; other images of the repo by every kind of reference."""

import harness
from harness import lab

SETTINGS = """name = "{name}"
labs = ["${{sutDir}}/lab"]
default_lab = "veggies"
{docker}
[[docker.images]]
name = "lower"
dockerfile = "${{sutDir}}/docker/lower.Dockerfile"
context = "${{sutDir}}/base"
[[docker.images]]
name = "upper"
dockerfile = "${{sutDir}}/docker/upper.Dockerfile"
context = "${{sutDir}}/base"
build_args = {{ FROM_IMAGE = "{name}-lower" }}
[[docker.composes]]
path = "${{sutDir}}/pair.yml"
default_host = "pepper_seed"
"""
IMPORT = "mkdir /tmp/$$ && echo \"$2\" > /tmp/$$/version && cp /bin/busybox /tmp/$$/ && tar -c -C /tmp/$$ . | docker import - \"$1\"; rm -r /tmp/$$"


class Bases(harness.Test):
    """One base image that is moved by hand on the parent, as labs without a registry do."""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("bases")
        cls.base = "bases-outside:1"
        cls.repo.repositories += ["bases-lower", "bases-upper", "bases-outside"]
        cls.repo.write("docker/lower.Dockerfile", f"FROM {cls.base}\nCOPY . /ctx\n")
        cls.repo.write("docker/upper.Dockerfile", "ARG FROM_IMAGE\nFROM ${FROM_IMAGE} AS from\nFROM scratch\n"
                       f"COPY --from=from /version /arg\nCOPY --from={cls.repo.name}-lower /version /copied\n")
        cls.repo.write("pair.yml", f"services:\n  app:\n    image: {cls.repo.name}-upper\n")
        cls.settings("")

    @classmethod
    def settings(cls, docker):
        cls.repo.write(".otto/settings.toml", SETTINGS.format(name=cls.repo.name, docker=docker))

    def move_base(self, version):
        self.repo.parent.sh(IMPORT, self.base, version)

    def version_in(self, reference, path="/version"):
        return self.repo.parent.sh('id=$(docker create "$1" x) && docker cp "$id:$2" - | tar -xO; docker rm "$id" > /dev/null',
                                   reference, path).strip()

    def test_a_base_moved_by_hand(self):
        self.move_base("one")
        built = self.repo.build()
        self.assertEqual(built.statuses(), {"lower": "built", "upper": "built"})
        tags = {name: built.image(name)["tag"] for name in ("lower", "upper")}
        self.assertEqual((self.version_in(tags["upper"], "/arg"), self.version_in(tags["upper"], "/copied")), ("one", "one"))

        self.move_base("two")
        still = self.repo.text("docker", "build", "--explain")
        self.assertIn(f"base image {self.base} (moved", still.out)
        self.assertEqual(self.repo.build().statuses(), {"lower": "cached", "upper": "cached"})
        self.assertEqual(self.version_in(tags["lower"]), "one")
        self.assertEqual(self.repo.build("-n", "--pull").statuses(), {"lower": "stale", "upper": "stale"})

        # --pull asks a registry, and this one is in none: an error that says so, and nothing is built or lost.
        failed = self.repo.otto("docker", "build", "--pull")
        self.assertEqual((failed.code, failed.statuses()), (1, {"lower": "failed", "upper": "skipped"}), failed.err)
        self.assertRegex(failed.err, f"base image '{self.base}' of image 'lower' cannot be pulled on pepper_seed: .*\n.*without --pull")
        self.assertEqual(self.version_in(tags["lower"]), "one")

        # Counted from now on: another tag, because of the base alone, for all that is built upon it.
        self.settings("[docker]\ntrack_base = true")
        self.addCleanup(self.settings, "")
        tracked = self.repo.build()
        self.assertEqual(tracked.statuses(), {"lower": "built", "upper": "built"})
        self.assertEqual(tracked.reasons("lower"), [("base-changed", self.base)])
        self.assertEqual(tracked.reasons("upper"), [("upstream-changed", "lower")])
        two = tracked.image("upper")["tag"]
        self.assertNotEqual(two, tags["upper"])
        self.assertEqual((self.version_in(two, "/arg"), self.version_in(two, "/copied"), self.version_in(tags["upper"], "/arg")),
                         ("two", "two", "one"))
        self.assertEqual(self.repo.tag("upper"), two)  # without a parent: as it was last built
        self.assertEqual(self.repo.build().statuses(), {"lower": "cached", "upper": "cached"})
        self.assertEqual(self.repo.clone("bases-fresh").build().statuses(), {"lower": "cached", "upper": "cached"})

        self.move_base("three")
        self.assertEqual(self.repo.build("-n").reasons("lower"), [("base-changed", self.base)])
        three = self.repo.build()
        self.assertEqual((three.statuses(), three.reasons("lower")),
                         ({"lower": "built", "upper": "built"}, [("base-changed", self.base)]))
        self.assertEqual(self.version_in(three.image("upper")["tag"], "/copied"), "three")

    def test_a_base_that_moves_during_the_build(self):
        self.settings("[docker]\ntrack_base = true")
        self.addCleanup(self.settings, "")
        dockerfile = self.repo.read("docker/lower.Dockerfile")
        self.repo.write("docker/lower.Dockerfile", f'FROM {self.base}\nRUN ["/busybox", "sleep", "2.5"]\n')
        self.addCleanup(self.repo.write, "docker/lower.Dockerfile", dockerfile)
        self.move_base("before")
        otto = self.repo.start("docker", "build", "--format", "json")
        harness.await_true("the build", lambda: lab().processes("pepper_seed", "busybox sleep 2[.]5"))
        self.move_base("after")
        outcome = self.repo.finish(otto)
        self.assertEqual((outcome.code, outcome.statuses()), (0, {"lower": "built", "upper": "built"}), outcome.err)
        self.assertIn("moved on pepper_seed while it was built; reading the inputs again", outcome.err)
        self.assertEqual(self.version_in(outcome.image("lower")["tag"]), "after")

    def test_a_base_that_counts_and_is_nowhere(self):
        self.settings("[docker]\ntrack_base = true")
        dockerfile = self.repo.read("docker/lower.Dockerfile")
        self.repo.write("docker/lower.Dockerfile", "FROM 127.0.0.1:9/absent:1\n")
        self.addCleanup(self.settings, "")
        self.addCleanup(self.repo.write, "docker/lower.Dockerfile", dockerfile)
        outcome = self.repo.otto("docker", "build")
        self.assertEqual((outcome.code, outcome.statuses()), (1, {"lower": "failed", "upper": "skipped"}), outcome.err)
        self.assertIn("base image '127.0.0.1:9/absent:1' of image 'lower' cannot be pulled on pepper_seed", outcome.err)
        self.assertEqual(self.repo.build("-n").statuses(), {"lower": "stale", "upper": "stale"})

    def test_a_cycle_names_its_path(self):
        dockerfile = self.repo.read("docker/lower.Dockerfile")
        self.repo.write("docker/lower.Dockerfile", f"{dockerfile}RUN --mount=from={self.repo.name}-upper,target=/u true\n")
        self.addCleanup(self.repo.write, "docker/lower.Dockerfile", dockerfile)
        outcome = self.repo.otto("docker", "build")
        self.assertEqual(outcome.code, 2)
        self.assertIn("images depend on each other: lower -> upper -> lower", outcome.error()["message"])


class Registry(harness.Test):
    """Base images in a real registry on the parent's loopback."""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("pulling")
        cls.registry = lab().tool("registry", "pepper_seed").strip()
        cls.addClassCleanup(lab().tool, "registry", "pepper_seed", "--stop")
        cls.base = cls.registry + "/pulling/base:1"
        cls.repo.repositories += ["pulling-lower", "pulling-upper", cls.registry + "/pulling/base"]
        cls.repo.write("docker/lower.Dockerfile", f"FROM {cls.base}\nCOPY . /ctx\n")
        cls.repo.write("docker/upper.Dockerfile", f"FROM {cls.repo.name}-lower\nENV UPPER=1\n")
        cls.repo.write("pair.yml", f"services:\n  app:\n    image: {cls.repo.name}-upper\n    init: true\n"
                       "    command: [/busybox, sleep, '100000']\n    stop_signal: SIGKILL\n")
        cls.repo.write(".otto/settings.toml", SETTINGS.format(name=cls.repo.name, docker=""))

    def publish(self, version):
        """Pushes another image under the base's name; the parent's own copy stays what it was."""
        self.repo.parent.sh(IMPORT + '; docker push -q "$1" && docker image rm "$1"', self.base, version)

    def test_pull_builds_upon_what_moved_in_the_registry(self):
        self.publish("one")
        first = self.repo.up()
        self.assertEqual(first.statuses(), {"lower": "built", "upper": "built"})
        tag, started = first.image("upper")["tag"], self.repo.containers()["app"]
        self.assertEqual(self.repo.build("--pull").statuses(), {"lower": "cached", "upper": "cached"})  # known by its digest

        self.publish("two")
        self.assertEqual(self.repo.up().statuses(), {"lower": "cached", "upper": "cached"})
        self.assertEqual(self.repo.containers()["app"], started)
        pulled = self.repo.up("--pull")
        self.assertEqual(pulled.statuses(), {"lower": "built", "upper": "built"})
        self.assertEqual((pulled.reasons("lower"), pulled.reasons("upper")), ([("base-changed", self.base)],) * 2)
        self.assertEqual((pulled.image("upper")["tag"], pulled.actions()), (tag, {"app": "recreated"}))
        self.assertEqual(self.repo.parent.docker("exec", self.repo.containers()["app"].id, "/busybox", "cat", "/version"), "two\n")
        again = self.repo.up("--pull")
        self.assertEqual((again.statuses(), again.actions()), ({"lower": "cached", "upper": "cached"}, {"app": "unchanged"}))
        self.assertEqual(self.repo.up().statuses(), {"lower": "cached", "upper": "cached"})
        # Who remembers nothing learns from the parent what it was built from.
        self.assertEqual(self.repo.clone("pulling-fresh").build("--pull").statuses(), {"lower": "cached", "upper": "cached"})


if __name__ == "__main__":
    harness.main()
