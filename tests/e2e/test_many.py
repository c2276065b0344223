#!/usr/bin/env python3
"""Stacks survive company: any number of ottos at once end as if they had come one after the other.

`OTTO_MANY_ROUNDS=20` tries more often; `OTTO_MANY_SEED` draws other instants.
"""

import os
import random
import re
import shutil
import signal
import time

import harness
import interrupts

ROUNDS = int(os.environ.get("OTTO_MANY_ROUNDS", "1"))
SEED = os.environ.get("OTTO_MANY_SEED", "1")
WAITING = r"(?m)^.*waiting.* for \S+@\S+.*since"
BROKEN_MEMO = r"database is locked|SQLITE_BUSY"
LABEL_ACCOUNT = "otto.account"
IDLE = "    command: [sh, -c, \"trap 'exit 143' TERM; while :; do sleep 1 & wait $$!; done\"]\n"
STUBBORN = "    command: [sh, -c, \"trap '' TERM; while :; do sleep 1; done\"]\n"
IMAGES = "".join(f'[[docker.images]]\nname = "{name}"\ndockerfile = "${{sutDir}}/{name}/Dockerfile"\n'
                 f'context = "${{sutDir}}/{name}/context"\n' for name in ("lower", "upper"))


def settled(project):
    """That nothing of a project is on its way: containers that are up, or nothing at all."""
    label = f"label=com.docker.compose.project={project.project}"
    names = [each["Name"] for each in project.parent.inspect(label)]
    networks = project.parent.docker("network", "ls", "-q", "--filter", label).split()
    return names, networks


class Many(harness.Test):
    """Two images, one built from the other, four services; and as many checkouts of it as a test wants."""
    name = "many"

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own(cls.name)
        cls.write(cls.repo, "first")
        cls.repo.repositories += [f"{cls.name}-lower", f"{cls.name}-upper"]
        cls.random = random.Random(SEED)

    def setUp(self):
        self.addCleanup(self.repo.parent.clear, self.repo.project, [])

    @staticmethod
    def write(repo, word):
        """Contents of both images, and of two services' environment."""
        repo.write("lower/Dockerfile", "FROM otto-lab/base:1\nCOPY word /lower\n")
        repo.write("upper/Dockerfile", f"FROM {repo.name}-lower\nCOPY word /upper\n")
        for image in ("lower", "upper"):
            repo.write(f"{image}/context/word", word + "\n")
        own = f"    image: {repo.name}-"
        repo.write_stack(f"services:\n  low:\n{own}lower\n{IDLE}  high:\n{own}upper\n{STUBBORN}"
                         f"  set:\n    image: otto-lab/base:1\n    environment: [WORD={word}]\n{STUBBORN}"
                         f"  near:\n    image: otto-lab/base:1\n    network_mode: service:high\n    environment: [WORD={word}]\n{IDLE}",
                         settings=IMAGES)

    def checkout(self, folder):
        """The same project elsewhere, with a state folder of its own."""
        other = self.repo.clone(folder)
        self.addCleanup(shutil.rmtree, other.folder)
        return other

    def serves(self, service):
        """The word of a running service, asked of the engine; a service has one container, by its plain name."""
        found = self.repo.replicas(service)
        self.assertEqual([(each["Name"], each["State"]["Status"]) for each in found],
                         [(f"/{self.repo.project}-{service}-1", "running")])
        if service in ("low", "high"):
            return self.repo.parent.docker("exec", found[0]["Id"], "cat", "/lower" if service == "low" else "/upper").strip()
        return next(each.removeprefix("WORD=") for each in found[0]["Config"]["Env"] if each.startswith("WORD="))

    def assert_serves(self, *words):
        """Everything serves one and the same of these words."""
        served = {service: self.serves(service) for service in ("low", "high", "set", "near")}
        self.assertEqual(len(set(served.values())), 1, served)
        self.assertIn(served["low"], words)
        high, near = self.repo.replicas("high")[0], self.repo.replicas("near")[0]
        self.assertEqual(near["HostConfig"]["NetworkMode"], f"container:{high['Id']}")
        return served["low"]

    def finish_all(self, ottos):
        outcomes = [otto.finish(timeout=240) for otto in ottos]
        for outcome in outcomes:
            self.assertNotRegex(outcome.out + outcome.err, BROKEN_MEMO)
        return outcomes

    def assert_all_succeed(self, ottos):
        outcomes = self.finish_all(ottos)
        self.assertEqual([outcome.code for outcome in outcomes], [0] * len(outcomes),
                         "\n---\n".join(outcome.err for outcome in outcomes if outcome.code != 0))
        return outcomes


class AtOnce(Many):
    def test_eight_ups_build_once_and_all_find_it_up(self):
        self.repo.up()
        others = [self.checkout(f"many-{number}") for number in range(4)]
        for round in range(ROUNDS):
            with self.subTest(round=round):
                word = f"round{round}"
                for each in (self.repo, *others):
                    self.write(each, word)
                ottos = [interrupts.Heard(each, "--format", "json", "docker", "up") for each in (*[self.repo] * 4, *others)]
                outcomes = self.assert_all_succeed(ottos)
                built = [name for outcome in outcomes for name, status in outcome.statuses().items() if status == "built"]
                self.assertEqual(sorted(built), ["lower", "upper"])
                self.assert_serves(word)
                self.assertTrue(any(re.search(WAITING, outcome.err) for outcome in outcomes), "somebody waits and says for whom")
                self.assertIn("nothing to do", self.repo.text("docker", "up").out)

    def test_up_against_down(self):
        for round in range(ROUNDS):
            with self.subTest(round=round):
                self.write(self.repo, f"down{round}")
                ottos = [interrupts.Heard(self.repo, "docker", "up")]
                time.sleep(self.random.uniform(0, 2))
                ottos.append(interrupts.Heard(self.repo, "docker", "down"))
                self.assert_all_succeed(ottos)
                names, networks = settled(self.repo)
                if names:
                    self.assert_serves(f"down{round}")
                    self.assertEqual((len(names), len(networks)), (4, 1))
                else:
                    self.assertEqual(networks, [])
                self.repo.up()
                self.assert_serves(f"down{round}")

    def test_build_against_prune(self):
        self.repo.up()
        for round in range(ROUNDS):
            with self.subTest(round=round):
                self.write(self.repo, f"pruned{round}")
                ottos = [interrupts.Heard(self.repo, "--format", "json", "docker", "build")]
                time.sleep(self.random.uniform(0, 1.5))
                ottos.append(interrupts.Heard(self.repo, "--format", "json", "docker", "prune"))
                build, _ = self.assert_all_succeed(ottos)
                for image in ("lower", "upper"):
                    self.assertIn(build.image(image)["hash"], self.repo.images(image))
                self.assertEqual(set(self.repo.build().statuses().values()), {"cached"})

    def test_two_branches_end_as_one_of_them(self):
        self.repo.up()
        branches = {word: self.checkout(f"many-{word}") for word in ("left", "right")}
        for round in range(ROUNDS):
            with self.subTest(round=round):
                words = [f"{word}{round}" for word in branches]
                for word, each in zip(words, branches.values()):
                    self.write(each, word)
                ottos = []
                for each in self.random.sample(list(branches.values()), 2):
                    ottos.append(interrupts.Heard(each, "docker", "up"))
                    time.sleep(self.random.uniform(0, 0.6))
                self.assert_all_succeed(ottos)
                self.assert_serves(*words)


class Locks(Many):
    """A lock dies with its holder, however the holder ends."""
    name = "locks"

    def test_of_a_killed_otto_at_once_and_of_a_silent_line_by_the_heartbeat(self):
        for kind, seconds in (("KILL", 3), ("cable", 30)):
            with self.subTest(kind):
                self.write(self.repo, "before " + kind)
                self.repo.up()
                self.write(self.repo, "after " + kind)
                holder = interrupts.Heard(self.repo, "docker", "up")
                self.assertTrue(holder.await_words(interrupts.COMPOSE_PHASE), holder.said())
                waiter = None
                if kind == "KILL":
                    waiter = interrupts.Heard(self.checkout("locks-waiter"), "docker", "up")
                    self.assertTrue(waiter.await_words(WAITING), "it waits and says so: " + waiter.said())
                self.assertFalse(holder.ended(), holder.said())
                at = time.monotonic()
                interrupts.interrupt(kind, holder)
                waiter = waiter or interrupts.Heard(self.repo, "docker", "up")
                waiter.await_words(interrupts.COMPOSE_PHASE)  # or its end: behind a silent line Compose may have finished
                self.assertLess(time.monotonic() - at, seconds + 3)  # and what it does before it says so
                holder.finish()
                self.assert_all_succeed([waiter])
                self.assert_serves("after " + kind)


    def test_who_stood_still_does_nothing_in_a_turn_that_is_over(self):
        """As a laptop that sleeps: the heartbeat is missed, another has the turn, then the first one goes on."""
        self.write(self.repo, "asleep")
        sleeper = interrupts.Heard(self.repo, "docker", "up")
        self.assertTrue(sleeper.await_words(interrupts.COMPOSE_PHASE), sleeper.said())
        sleeper.process.send_signal(signal.SIGSTOP)
        self.addCleanup(sleeper.process.kill)
        self.write(self.repo, "awake")
        self.assert_all_succeed([interrupts.Heard(self.checkout("locks-awake"), "docker", "up")])
        sleeper.process.send_signal(signal.SIGCONT)
        outcome = sleeper.finish()
        self.assert_serves("awake")
        self.assertIn(outcome.code, (0, 1), outcome.err)  # 1: it was told of the cut before it could look
        self.assertEqual(self.repo.up().json["services"][0]["action"], "unchanged")

    def test_who_has_asked_before_a_holder_was_cut_off_asks_again(self):
        for kind in ("INT", "KILL"):
            with self.subTest(kind):
                self.write(self.repo, "first " + kind)
                self.repo.up()
                self.write(self.repo, "second " + kind)
                holder = interrupts.Heard(self.repo, "docker", "up")
                self.assertTrue(holder.await_words(": stopping"), holder.said())  # the generation is the holder's by now
                waiter = interrupts.Heard(self.checkout(f"locks-{kind}"), "docker", "up")
                self.assertTrue(waiter.await_words(WAITING), waiter.said())
                interrupts.interrupt(kind, holder)
                holder.finish()
                self.assert_all_succeed([waiter])
                self.assert_serves("second " + kind)


class Accounts(harness.Test):
    """Two accounts of one machine: their staged files lie in two homes, so a project is one account's."""
    PARENT = "carrot_seed"

    @classmethod
    def setUpClass(cls):
        cls.repo = harness.Repo("shared", cls.PARENT)
        cls.addClassCleanup(cls.repo.clear)
        Many.write(cls.repo, "mine")
        cls.repo.repositories += ["shared-lower", "shared-upper"]

    def setUp(self):
        self.addCleanup(self.repo.parent.clear, self.repo.project, [])

    def all(self):
        label = f"label=com.docker.compose.project={self.repo.project}"
        return {each["Name"]: (each["Id"], each["State"]["StartedAt"], each["Config"]["Labels"].get(LABEL_ACCOUNT))
                for each in self.repo.parent.inspect(label)}

    def assert_refused(self, repo, account):
        before = self.all()
        for verb in ("up", "down"):
            outcome = repo.otto("docker", verb)
            self.assertEqual(outcome.code, 2, outcome.out + outcome.err)
            told = outcome.error()["message"] + outcome.error().get("hint", "")
            for word in (account, repo.project, "OTTO_COMPOSE_SUFFIX"):
                self.assertIn(word, told)
            self.assertEqual(self.all(), before)

    def test_a_colleagues_project_of_the_same_name_is_refused(self):
        self.repo.up()
        self.assertEqual({account for _, _, account in self.all().values()}, {"otto"})
        colleague = self.repo.clone("shared-colleague")
        self.addCleanup(shutil.rmtree, colleague.folder)
        user = harness.lab().environment["NODOCKER_USER"]
        colleague.write_hosts(lambda hosts: hosts[self.PARENT].update(creds={user: None}, docker_command=["sudo", "-n", "docker"]))
        self.assert_refused(colleague, "otto")
        self.assertIn("nothing to do", self.repo.text("docker", "up").out)
        colleague.environment["OTTO_COMPOSE_SUFFIX"] = "colleague"
        self.addCleanup(self.repo.parent.clear, "otto-shared-colleague", [])
        colleague.up()
        self.assertEqual({account for _, _, account in self.all().values()}, {"otto"})
        colleague.done("docker", "down")

    def test_by_the_label_alone_and_none_is_nobodys(self):
        labels = {"com.docker.compose.project": self.repo.project, "com.docker.compose.service": "set",
                  "com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False",
                  "com.docker.compose.config-hash": "0"}
        run = lambda **more: self.repo.parent.docker(
            "run", "-d", "--name", f"{self.repo.project}-set-1",
            *(f"--label={key}={value}" for key, value in {**labels, **more}.items()), "otto-lab/base:1", "sleep", "100000")
        run(**{LABEL_ACCOUNT: "somebody"})
        self.assert_refused(self.repo, "somebody")
        self.repo.parent.docker("rm", "-f", f"{self.repo.project}-set-1")
        run()  # by an otto that set no label yet, or by Compose itself
        self.assertEqual(self.repo.up().actions()["set"], "recreated")
        self.assertEqual({account for _, _, account in self.all().values()}, {"otto"})


if __name__ == "__main__":
    harness.main()
