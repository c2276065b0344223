#!/usr/bin/env python3
"""Builds that fail, images that go missing, and what is forced."""

import harness

PAIR = """name = "broken"
labs = ["${sutDir}/lab"]
default_lab = "veggies"
[[docker.images]]
name = "good"
dockerfile = "${sutDir}/docker/good.Dockerfile"
context = "${sutDir}/base"
[[docker.images]]
name = "bad"
dockerfile = "${sutDir}/docker/bad.Dockerfile"
context = "${sutDir}/base"
[[docker.images]]
name = "onbad"
dockerfile = "${sutDir}/docker/onbad.Dockerfile"
context = "${sutDir}/base"
[[docker.composes]]
path = "${sutDir}/pair.yml"
default_host = "pepper_seed"
"""


class Failures(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("failing")
        cls.repo.up()

    def test_a_broken_build_leaves_the_stack_alone(self):
        self.repo.up()
        containers, images, dockerfile = self.repo.containers(), self.repo.images("api"), self.repo.read("docker/api.Dockerfile")
        # "docker: not found" here is the step's own trouble, not the parent's.
        self.repo.write("docker/api.Dockerfile", dockerfile.replace("EXPOSE 8080", "RUN echo about to break && docker info"))
        self.addCleanup(self.repo.write, "docker/api.Dockerfile", dockerfile)
        tag = self.repo.hash("api")
        outcome = self.repo.otto("docker", "up")
        self.assertEqual(outcome.code, 1, outcome.out + outcome.err)
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "failed"})
        self.assertEqual(outcome.image("api")["hash"], tag)
        self.assertEqual(outcome.reasons("api"), [("dockerfile-changed", "docker/api.Dockerfile")])
        text = self.repo.text("docker", "up")
        self.assertEqual(text.code, 1)
        for words in ("about to break", "did not complete successfully: exit code: 127", "api"):
            self.assertIn(words, text.err)
        self.assertRegex(text.err, r"(?m)^otto: error: .*api")
        self.assertEqual(self.repo.containers(), containers)
        self.assertEqual(self.repo.images("api"), images)
        self.assertNotIn(tag, images)
        self.repo.write("docker/api.Dockerfile", dockerfile.replace("EXPOSE 8080", "RUN true"))
        mended = self.repo.up()
        self.assertEqual(mended.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual((mended.actions()["api"], mended.actions()["db"]), ("recreated", "unchanged"))

    def test_a_dockerfile_that_does_not_parse_is_told_with_its_line(self):
        dockerfile = self.repo.read("docker/base.Dockerfile")
        self.repo.write("docker/base.Dockerfile", dockerfile + "COPPY etc/ /etc/\n")
        self.addCleanup(self.repo.write, "docker/base.Dockerfile", dockerfile)
        outcome = self.repo.text("docker", "build")
        self.assertIn(outcome.code, (1, 2), outcome.err)
        self.assertIn("COPPY", outcome.err)

    def test_an_image_removed_by_hand_is_built_again(self):
        outcome = self.repo.up()
        tag = outcome.image("api")["tag"]
        containers = self.repo.containers()
        self.repo.parent.docker("image", "rm", "-f", tag, "failing-api:latest")
        self.assertNotIn(outcome.image("api")["hash"], self.repo.images("api"))
        again = self.repo.up()
        self.assertEqual(again.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual(again.reasons("api"), [("missing-on-parent", tag)])
        self.assertIn(outcome.image("api")["hash"], self.repo.images("api"))
        self.assertEqual(again.image("api")["image_id"], outcome.image("api")["image_id"])
        self.assertEqual(self.repo.containers(), containers)

    def test_both_images_removed_by_hand_are_built_again(self):
        first = self.repo.build()
        for name in ("api", "base"):
            self.repo.parent.docker("image", "rm", "-f", first.image(name)["tag"], f"failing-{name}:latest")
        again = self.repo.build()
        self.assertEqual(again.statuses(), {"base": "built", "api": "built"})
        self.assertEqual([again.reasons(name) for name in ("base", "api")],
                         [[("missing-on-parent", first.image(name)["tag"])] for name in ("base", "api")])

    def test_rebuild_is_forced(self):
        self.repo.build()
        outcome = self.repo.build("--rebuild", "api")
        self.assertEqual(outcome.statuses(), {"base": "cached", "api": "built"})
        self.assertEqual(outcome.reasons("api"), [("forced", "api")])
        everything = self.repo.build("--rebuild")
        self.assertEqual(everything.statuses(), {"base": "built", "api": "built"})
        self.assertIn(("forced", "base"), everything.reasons("base"))


class Partly(harness.Test):
    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own("broken")
        cls.repo.repositories += ["broken-good", "broken-bad", "broken-onbad"]
        cls.repo.write(".otto/settings.toml", PAIR)
        cls.repo.write("docker/good.Dockerfile", "FROM otto-lab/base:1\nCOPY etc/ /etc/\n")
        cls.repo.write("docker/bad.Dockerfile", "FROM otto-lab/base:1\nRUN echo this one breaks; exit 7\n")
        cls.repo.write("docker/onbad.Dockerfile", "FROM broken-bad\nRUN true\n")
        cls.repo.write("pair.yml", "services:\n  good:\n    image: broken-good\n    command: [sleep, '1000']\n")

    def test_one_of_several_images_fails(self):
        outcome = self.repo.otto("docker", "build", "--keep-going")
        self.assertEqual(outcome.code, 4, outcome.out + outcome.err)
        self.assertEqual(outcome.statuses(), {"good": "built", "bad": "failed", "onbad": "skipped"})
        self.assertIn(outcome.image("good")["hash"], self.repo.images("good"))
        self.assertEqual((self.repo.images("bad"), self.repo.images("onbad")), ({}, {}))
        again = self.repo.text("docker", "build", "-k")
        self.assertEqual(again.code, 1, again.err)  # what was up to date already is no success
        self.assertIn("exit code: 7", again.err)

    def test_with_a_failed_image_nothing_starts(self):
        outcome = self.repo.otto("docker", "up")
        self.assertIn(outcome.code, (1, 4), outcome.err)
        self.assertEqual(self.repo.containers(), {})
        self.assertEqual(outcome.json["services"], [])


if __name__ == "__main__":
    harness.main()
