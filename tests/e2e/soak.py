#!/usr/bin/env python3
"""The soak: `otto docker up` interrupted at random, again and again; the next plain `up` must put everything right.

    OTTO_BINARY=build/dev/cli/otto tests/e2e/soak.py --rounds 200 --seed 7
    OTTO_BINARY=build/dev/cli/otto tests/e2e/soak.py --rounds 50 --parent bean_old --keep-going

A round edits the files, starts `up`, interrupts it, takes the edit back (every second round), and runs one plain `up`: it
must exit 0, the engine must hold what the files say, and a second `up` must have nothing to do. All choices of round N come
from (seed, N) alone, so the same seed gives the same rounds; `--first N` begins with round N. The lab must be nobody else's:
rounds restart the engine and kill sshd sessions. Without OTTO_E2E_LAB it is a private one.
"""

import argparse
import collections
import dataclasses
import random
import signal
import sys
import time

import harness
import interrupts
import soak_stack

EDITS = {"env": 40, "content": 20, "content+env": 15, "replicas": 10, "replicas+env": 5, "stop": 7, "nothing": 3}
KINDS = {"INT": 4, "TERM": 3, "HUP": 3, "KILL": 6, "cut": 4, "sshd": 2, "engine": 1}


def draw_one(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


@dataclasses.dataclass(frozen=True)
class Plan:
    """All that is random about a round."""
    edit: str
    services: tuple  # whose environment is edited, or who is stopped by hand
    kind: str
    in_compose: bool  # the delay counts from the first service that is touched; else from the start
    delay: float
    revert: bool

    @classmethod
    def draw(cls, seed, number, kinds):
        rng = random.Random(f"{seed}/{number}")
        edit = draw_one(rng, EDITS)
        services = tuple(rng.sample(soak_stack.SERVICES, rng.choice((1, 1, 2, 3, 5))))
        kind = draw_one(rng, {kind: KINDS.get(kind, 1) for kind in kinds})
        in_compose = rng.random() < 0.85
        delay = rng.choice((rng.uniform(0, 0.7), rng.uniform(0, 2.5))) if in_compose else rng.uniform(0, 6)
        return cls(edit, services, kind, in_compose, round(delay, 2), rng.random() < 0.5)


class Failed(Exception):
    """A round after which the world was not as the files say."""


class Soak:
    """A repo with the stack up, and the rounds that it survives."""

    def __init__(self, repo, seed, kinds=tuple(KINDS)):
        self.repo, self.seed, self.kinds = repo, seed, kinds
        self.definition = soak_stack.Definition()
        self.definition.write(repo)
        self.repo.repositories.append(f"{repo.name}-{soak_stack.IMAGE}")
        self.reached = collections.Counter()  # kind → rounds that hit the compose phase
        self.rounds = collections.Counter()  # kind → rounds
        self.failed = []
        self.begin()

    def begin(self):
        """Everything anew, and up."""
        self.repo.parent.clear(self.repo.project, [])
        soak_stack.clear_leftovers(self.repo)
        self.tokens = {}
        self.repo.up()
        self._await_none(lambda: soak_stack.differences(self.repo, self.definition))
        self.tokens = soak_stack.tokens(self.repo)

    def round(self, number):
        """One round; `Failed` tells all that is needed to see it again."""
        plan = Plan.draw(self.seed, number, self.kinds)
        said = {}
        try:
            before = self.definition
            self.definition = before.edited(plan.edit, plan.services, f"round{number}")
            self.definition.write(self.repo)
            if plan.edit == "stop":
                self._stop_by_hand(plan.services)
            reached, said["the interrupted up"] = self._interrupted_up(plan)
            self.rounds[plan.kind] += 1
            self.reached[plan.kind] += reached
            if plan.revert:
                self.definition = before
                self.definition.write(self.repo)
            said["the next up"] = self._up()
            self._await_none(lambda: soak_stack.differences(self.repo, self.definition) or self._lost())
            said["the second up"] = self._second_up()
            self._await_none(lambda: soak_stack.leftovers(self.repo))
        except AssertionError as problem:
            self.failed.append(number)
            raise Failed(self._report(number, plan, problem, said)) from None
        return plan, reached

    def _stop_by_hand(self, services):
        for service in services:
            for each in self.repo.replicas(service):
                self.repo.parent.docker("stop", "-t", "1", each["Id"])

    def _interrupted_up(self, plan):
        """Whether it was hit while Compose was at work, and what came of it."""
        otto = interrupts.Heard(self.repo, "docker", "up")
        if plan.in_compose:
            otto.await_words(interrupts.COMPOSE_PHASE)
        until = time.monotonic() + plan.delay
        while time.monotonic() < until and not otto.ended():
            time.sleep(0.01)
        reached = not otto.ended() and otto.has_said(interrupts.COMPOSE_PHASE)
        interrupts.interrupt(plan.kind, otto)
        return reached, otto.finish()

    def _up(self):
        outcome = self.repo.text("docker", "up")
        if outcome.code != 0:
            raise AssertionError(f"the next up exits {outcome.code}:\n{outcome.out}{outcome.err}")
        return outcome

    @staticmethod
    def _await_none(problems, seconds=8):
        """A moment is given to what ends by itself: a one-shot, processes of the interrupted otto."""
        deadline = time.monotonic() + seconds
        while found := problems():
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(found))
            time.sleep(0.2)

    def _lost(self):
        now = soak_stack.tokens(self.repo) if self.tokens else {}
        return [f"{service}: its volume holds {now[service]!r} instead of {token!r}"
                for service, token in self.tokens.items() if now[service] != token]

    def _second_up(self):
        before = soak_stack.touched(self.repo)
        outcome = self._up()
        if "nothing to do" not in outcome.out:
            raise AssertionError("the second up finds something to do:\n" + outcome.out + outcome.err)
        if (after := soak_stack.touched(self.repo)) != before:
            raise AssertionError(f"the second up touches containers: {before} are now {after}")
        return outcome

    def _report(self, number, plan, problem, said):
        parts = [f"round {number} of seed {self.seed} on {self.repo.parent.machine}: {plan}", f"differs: {problem}"]
        for what, outcome in said.items():
            parts.append(f"--- {what}: exit {outcome.code} after {outcome.seconds:.1f} s\n{outcome.out}{outcome.err}")
        parts.append("--- containers\n" + self.repo.parent.docker(
            "ps", "-a", "--no-trunc", "--filter", f"name={self.repo.project}", "--format", "{{.Names}}\t{{.Status}}\t{{.ID}}"))
        parts.append(f"again: tests/e2e/soak.py --seed {self.seed} --first {number} --rounds 1 --parent {self.repo.parent.machine}")
        return "\n".join(parts)

    def summary(self, seconds):
        total, reached = self.rounds.total(), self.reached.total()
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.rounds.items()))
        return (f"{total} rounds, {total - len(self.failed)} converged, {reached} ({100 * reached // max(1, total)} %) "
                f"interrupted in the compose phase; kinds: {kinds}; {seconds:.0f} s")


def make_repo(name, parent):
    return harness.OldRepo(name) if parent == harness.OLD_PARENT else harness.Repo(name, parent)


def soak(arguments):
    """Runs the rounds of a command line; the process's exit code."""
    repo = make_repo("soak", arguments.parent)
    started = time.monotonic()
    try:
        soak = Soak(repo, arguments.seed, arguments.kinds)
        for number in range(arguments.first, arguments.first + arguments.rounds):
            try:
                plan, reached = soak.round(number)
                print(f"round {number}: {plan.edit}, {plan.kind} {'in compose' if reached else 'outside'}, "
                      f"{'reverted' if plan.revert else 'kept'}: converged", flush=True)
            except Failed as failure:
                print(f"\n{failure}\n", flush=True)
                if not arguments.keep_going:
                    break
                soak.begin()
        print(soak.summary(time.monotonic() - started), flush=True)
        return 1 if soak.failed else 0
    finally:
        repo.clear()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    parser.add_argument("--parent", choices=(harness.PARENT, harness.OLD_PARENT), default=harness.PARENT)
    parser.add_argument("--kinds", type=lambda text: tuple(text.split(",")), default=tuple(KINDS),
                        help=f"of {', '.join((*KINDS, *interrupts.SLOW))}; default: all but {', '.join(interrupts.SLOW)}")
    parser.add_argument("--keep-going", action="store_true", help="after a failing round begin with a fresh stack")
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(soak(parse()))
