#!/usr/bin/env python3
"""Rounds of the soak (soak.py): `up` interrupted at random, and put right by the next one.

The lab must be nobody else's: rounds restart the engine and kill sshd sessions. The usual rounds are few, of seeds that have
every kind of interruption among them; OTTO_SOAK_ROUNDS=5 runs so many of each of several seeds instead.
"""

import os
import time
import unittest

import harness
import soak

FEW = {harness.PARENT: (217, 8), harness.OLD_PARENT: (26, 3)}  # a seed, and how many of its rounds have every kind
SEEDS = (1, 2, 3, 4)
ROUNDS = int(os.environ.get("OTTO_SOAK_ROUNDS", "0"))  # for each of SEEDS
OLD_KINDS = ("KILL", "INT", "cut")


class Rounds(harness.Test):
    """Random rounds, the same ones every time."""

    def run_rounds(self, name, parent, kinds, seeds):
        """`seeds` are pairs of a seed and the number of its rounds."""
        repo = soak.make_repo(name, parent)
        self.addCleanup(repo.clear)
        started = time.monotonic()
        rounds_of = soak.Soak(repo, seeds[0][0], kinds)
        for rounds_of.seed, rounds in seeds:
            for number in range(1, rounds + 1):
                try:
                    rounds_of.round(number)
                except soak.Failed as failure:
                    self.fail(str(failure))
        print(rounds_of.summary(time.monotonic() - started))
        return rounds_of

    def run_few(self, name, parent, kinds):
        rounds_of = self.run_rounds(name, parent, kinds, [FEW[parent]])
        self.assertEqual(set(rounds_of.rounds), set(kinds), "choose a seed whose first rounds have every kind")
        return rounds_of

    def assert_most_hit_compose(self, rounds_of):
        self.assertGreater(rounds_of.reached.total(), 0.4 * rounds_of.rounds.total(), "most rounds are to hit Compose at work")

    def test_every_kind_of_interruption_is_put_right_by_the_next_up(self):
        self.assert_most_hit_compose(self.run_few("rounds", harness.PARENT, tuple(soak.KINDS)))

    def test_with_compose_v1_too(self):
        self.run_few("oldrounds", harness.OLD_PARENT, OLD_KINDS)

    @unittest.skipUnless(ROUNDS, "OTTO_SOAK_ROUNDS says how many")
    def test_as_many_as_wanted(self):
        self.assert_most_hit_compose(
            self.run_rounds("manyrounds", harness.PARENT, tuple(soak.KINDS), [(seed, ROUNDS) for seed in SEEDS]))

    @unittest.skipUnless(ROUNDS, "OTTO_SOAK_ROUNDS says how many")
    def test_as_many_as_wanted_with_compose_v1(self):
        self.run_rounds("oldmanyrounds", harness.OLD_PARENT, OLD_KINDS, [(SEEDS[0], ROUNDS)])


if __name__ == "__main__":
    harness.main()
