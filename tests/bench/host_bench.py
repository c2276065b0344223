#!/usr/bin/env python3
"""put, get and run on a machine: otto beside scp, tar through ssh, and ssh, on the same link with the same keys.

    tests/bench/host_bench.py [--rtts 0,50ms] [--megabytes 1000] [--files 10000] [--rounds 3]

Starts a lab of its own (root), or uses the one that OTTO_E2E_LAB names. Every tool connects anew each time, and they take turns, so that
all see the same machine. One large file of random bytes; one tree of small files. Where a round trip costs something scp gets a fiftieth of
the tree and its time is multiplied: it takes several round trips for every file. OTTO_BINARY should be one of the preset release.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import lab  # noqa: E402

MACHINE = "carrot_seed"
LINK = f"bench-host-{os.getpid()}"
THERE = "/home/otto/bench"
SHARE = 50  # of the tree, for scp over a long link


def make_tree(folder, files):
    rolls = random.Random(1)
    for number in range(files):
        path = os.path.join(folder, f"d{number // 100:03}", f"f{number:05}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(rolls.randbytes(rolls.randrange(500, 1500)))


def make_file(path, megabytes):
    block = random.Random(2).randbytes(1_000_000)
    with open(path, "wb") as file:
        for number in range(megabytes):
            file.write(number.to_bytes(4, "big") + block[4:])


class Bench:
    def __init__(self, options):
        self.options, self.folder = options, os.path.join(lab().folder, "bench")
        os.makedirs(self.folder)
        self.port = lab().link_up(MACHINE, LINK)
        known = os.path.join(self.folder, "known_hosts")
        with open(known, "w", encoding="utf-8") as file:
            file.write(lab().host_keys(MACHINE, self.port))
        self.config = os.path.join(self.folder, "ssh_config")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"Host bench\n  HostName 127.0.0.1\n  Port {self.port}\n  User {lab().environment['USER']}\n"
                       f"  IdentityFile {lab().environment['KEY_ED25519']}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n")
        self.repo = os.path.join(self.folder, "repo")
        os.makedirs(os.path.join(self.repo, ".otto"))
        os.makedirs(os.path.join(self.repo, "lab"))
        with open(os.path.join(self.repo, ".otto", "settings.toml"), "w", encoding="utf-8") as file:
            file.write('name = "bench"\nlabs = ["${sutDir}/lab"]\n')
        with open(lab().environment["HOSTS"], encoding="utf-8") as file:
            hosts = [host for host in json.load(file) if f"{host['ne']}_{host['board']}" == MACHINE]
        hosts[0]["ssh_options"].update(port=self.port, known_hosts=known)
        with open(os.path.join(self.repo, "lab", "hosts.json"), "w", encoding="utf-8") as file:
            json.dump(hosts, file)
        self.large, self.tree = os.path.join(self.folder, "large"), os.path.join(self.folder, "tree")
        make_file(self.large, options.megabytes)
        make_tree(self.tree, options.files)
        make_tree(self.tree + "-part", options.files // SHARE)
        self.back = os.path.join(self.folder, "back")

    def sh(self, command):
        result = subprocess.run(["bash", "-o", "pipefail", "-c", command], text=True, capture_output=True, check=False,
                                stdin=subprocess.DEVNULL,
                                env={**os.environ, "OTTO_STATE_DIR": os.path.join(self.folder, "state")})
        if result.returncode != 0:
            raise SystemExit(f"{command} exits {result.returncode}\n{result.stdout}{result.stderr}")

    def timed(self, command):
        lab().exec(MACHINE, "sh", "-c", f"rm -rf {THERE}-new; mkdir -p {THERE}; chown otto: {THERE}")
        shutil.rmtree(self.back, ignore_errors=True)
        os.makedirs(self.back)
        begin = time.monotonic()
        self.sh(command)
        return time.monotonic() - begin

    def compare(self, title, commands):
        """{tool: command or (command, factor)}; otto's first."""
        times = {tool: [] for tool in commands}
        for _ in range(self.options.rounds):
            for tool, command in commands.items():
                command, factor = command if isinstance(command, tuple) else (command, 1)
                times[tool].append(self.timed(command) * factor)
        otto = statistics.median(times["otto"])
        figures = ", ".join(f"{tool} {statistics.median(all):.2f} s" + ("" if tool == "otto" else f" ({otto / statistics.median(all):.2f}x)")
                            for tool, all in times.items())
        print(f"{title}: {figures}; load {os.getloadavg()[0]:.0f}", flush=True)

    def run(self, rtt):
        lab().link(LINK, "--rtt", rtt)
        far = rtt not in ("0", "0ms")
        otto, ssh, scp = f"{harness.OTTO} --repo-dir {self.repo} -q host {MACHINE}", f"ssh -F {self.config}", f"scp -q -F {self.config}"
        self.compare(f"rtt {rtt}, run true", {
            "otto": f"{otto} run true", "ssh": f"{ssh} bench true", "ssh with curve25519": f"{ssh} -o KexAlgorithms=curve25519-sha256 bench true"})
        size = f"{self.options.megabytes} MB"
        new = f"{THERE}-new"
        self.compare(f"rtt {rtt}, put {size}", {
            "otto": f"{otto} put {self.large} {new}", "scp": f"{scp} {self.large} bench:{new}", "ssh cat": f"{ssh} bench 'cat >{new}' <{self.large}"})
        self.sh(f"{ssh} bench 'cat >{THERE}/large' <{self.large}")
        self.compare(f"rtt {rtt}, get {size}", {
            "otto": f"{otto} get {THERE}/large {self.back}/", "scp": f"{scp} bench:{THERE}/large {self.back}/",
            "ssh cat": f"{ssh} bench 'cat {THERE}/large' >{self.back}/large"})
        size = f"{self.options.files} files"
        tree, factor = (self.tree + "-part", SHARE) if far else (self.tree, 1)
        self.compare(f"rtt {rtt}, put {size}", {
            "otto": f"{otto} put {self.tree} {new}", "tar | ssh": f"tar -c -C {self.tree} . | {ssh} bench 'mkdir {new} && tar -x -C {new}'",
            "scp": (f"{scp} -r {tree} bench:{new}", factor)})
        self.sh(f"for each in tree tree-part; do tar -c -C {self.folder} $each | {ssh} bench 'tar -x -C {THERE}'; done")
        self.compare(f"rtt {rtt}, get {size}", {
            "otto": f"{otto} get {THERE}/tree {self.back}/", "tar | ssh": f"{ssh} bench 'tar -c -C {THERE} tree' | tar -x -C {self.back}",
            "scp": (f"{scp} -r bench:{THERE}/{os.path.basename(tree)} {self.back}/", factor)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rtts", default="0,50ms")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bench = Bench(options)
    for rtt in options.rtts.split(","):
        bench.run(rtt)
    lab().exec(MACHINE, "rm", "-rf", THERE, f"{THERE}-new")
    lab().tool("link", LINK, "--close")


if __name__ == "__main__":
    main()
