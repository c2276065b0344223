#!/usr/bin/env python3
"""`otto docker up` with nothing to do beside the bare ssh command that asks the same: how far apart are they?

    tests/bench/up_bench.py [--rtt 0ms] [--rounds 15] [--files 100000]

Starts a lab of its own (root), brings the veggies stack up on a parent without a jump host, one image with a large context, then times in turns `otto docker up` and
`ssh PARENT 'docker ps …; docker image inspect TAGS'`, each over a connection of its own with the same key, cipher choice left to
each. OpenSSH runs with its default key exchange, and with curve25519, which is otto's (the default one costs its client about 0.1 s
of processor time). Wanted: within 50 ms of the former. OTTO_BINARY should be one of the preset release.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import lab  # noqa: E402

MACHINE = "carrot_seed"
WANTED_MS = 50


def ssh_command(repo, port, tags, *options):
    known = os.path.join(repo.folder, "bench_known_hosts")
    with open(known, "w", encoding="utf-8") as file:
        file.write(lab().host_keys(MACHINE, port))
    asked = (f"docker ps -a --no-trunc --filter label=com.docker.compose.project={repo.project} --format json && "
             f"docker image inspect --format '{{{{.Id}}}}' {' '.join(tags)}")
    return ["ssh", "-F", "none", "-p", str(port), "-i", lab().environment["KEY_ED25519"], "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes", *options, f"{lab().environment['USER']}@127.0.0.1", asked]


def timed(command, environment):
    begin = time.monotonic()
    result = subprocess.run(command, env=environment, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    took = time.monotonic() - begin
    if result.returncode != 0:
        raise SystemExit(f"{command} exits {result.returncode}\n{result.stdout}{result.stderr}")
    return took


def fill_context(folder, files):
    """Files of 1 KB, 100 in a directory."""
    content = os.urandom(1024).hex()[:1000]
    for number in range(files):
        directory = os.path.join(folder, f"part_{number // 10000:02}", f"module_{number // 100 % 100:02}")
        if number % 100 == 0:
            os.makedirs(directory)
        with open(os.path.join(directory, f"source_file_{number:06}.txt"), "w", encoding="ascii") as file:
            file.write(f"{number}\n{content}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rtt", default="0ms")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--files", type=int, default=100_000, help="of the context of one image")
    options = parser.parse_args()
    repo = harness.Repo("upbench")
    try:
        fill_context(os.path.join(repo.root, "api"), options.files)
        port = lab().link_up(MACHINE, "up-bench")
        repo.write_hosts(lambda hosts: hosts[MACHINE]["ssh_options"].update(port=port, host_key_policy="accept-new"))
        up = ("docker", "up", "--on", MACHINE)
        first = repo.done(*up, "--wait")
        tags = [image["tag"] for image in first.json["images"]]
        again = repo.done(*up)
        if set(again.statuses().values()) != {"cached"}:
            raise SystemExit(f"there was something to do: {again.out}")
        if options.rtt != "0ms":
            lab().link("up-bench", "--rtt", options.rtt)
        commands = {"otto docker up": ([harness.OTTO, "--repo-dir", repo.root, "-q", *up], repo.environment),
                    "ssh": (ssh_command(repo, port, tags), os.environ),
                    "ssh, curve25519": (ssh_command(repo, port, tags, "-o", "KexAlgorithms=curve25519-sha256"), os.environ)}
        times = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, (command, environment) in commands.items():
                times[name].append(timed(command, environment) * 1000)
    finally:
        repo.clear()
    print(f"nothing to do, {len(tags)} images, one with {options.files} files, and {len(again.json['services'])} services; rtt {options.rtt}; medians (least) of {options.rounds}; "
          f"load {os.getloadavg()[0]:.1f}")
    for name, each in times.items():
        print(f"{name:16} {statistics.median(each):6.0f} ms ({min(each):.0f})")
    for peer in ("ssh", "ssh, curve25519"):
        apart = [ours - theirs for ours, theirs in zip(times["otto docker up"], times[peer])]
        print(f"otto - {peer}: {statistics.median(apart):.0f} ms, wanted {WANTED_MS} at most (least apart {min(apart):.0f})")


if __name__ == "__main__":
    main()
