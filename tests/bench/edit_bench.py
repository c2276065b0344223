#!/usr/bin/env python3
"""One small edit in a large context, over a slow link: otto beside docker build over ssh and beside rsync + ssh docker build.

    tests/bench/edit_bench.py [--rtt 50ms] [--rate 100mbit] [--files 20000] [--megabytes 1000] [--rounds 5] [--copy part|all]

Starts a lab of its own (root), makes the context, brings it once with each tool over the link undelayed, then times one
edit after another over the slow link. The tools take turns, so that all see the same machine. Each has its own folder on the
parent and its own link, whose counter gives the bytes sent. Otto connects anew each time; the peers have a warm ControlMaster,
or with `--peers cold` none.
`--copy part` builds an image of a hundredth of the context: what is compared is how an edit reaches the engine, not how
fast the engine copies a gigabyte. `--stage-bench build/release/tests/bench/stage_bench` runs that over the same link. OTTO_BINARY should be one of the preset release; rsync must be installed.
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
FOLDERS = 100


def make_context(folder, files, megabytes):
    """Files of sizes around the mean, half of their bytes random, half text."""
    rolls = random.Random(1)
    mean = megabytes * 1_000_000 // files
    for number in range(files):
        path = os.path.join(folder, f"part{number % FOLDERS:02}", f"file{number:05}.dat")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        size = rolls.randrange(mean // 2, mean * 3 // 2)
        with open(path, "wb") as file:
            file.write(rolls.randbytes(size // 2) + (b"all work and no play\n" * (size // 42 + 1))[:size - size // 2])


class Tool:
    def __init__(self, name, folder):
        self.name, self.folder = name, os.path.join(folder, name)
        os.makedirs(self.folder)
        self.link = f"bench-{name}"
        self.port = lab().link_up(MACHINE, self.link)
        self.times, self.sent = [], []

    def slow(self, options):
        lab().link(self.link, "--rtt", options.rtt, "--rate", options.rate)

    def run(self, command, environment=None):
        result = subprocess.run(command, env={**os.environ, **(environment or {})}, text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            raise SystemExit(f"{self.name}: {command} exits {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def timed(self):
        before = lab().link(self.link)["up_bytes"]
        begin = time.monotonic()
        self.build()
        self.times.append(time.monotonic() - begin)
        self.sent.append(lab().link(self.link)["up_bytes"] - before)


class Otto(Tool):
    def __init__(self, folder, context, dockerfile):
        super().__init__("otto", folder)
        root = os.path.join(self.folder, "repo")
        os.makedirs(os.path.join(root, ".otto"))
        os.makedirs(os.path.join(root, "lab"))
        with open(os.path.join(root, ".otto", "settings.toml"), "w", encoding="utf-8") as file:
            file.write('name = "bench"\nlabs = ["${sutDir}/lab"]\n[[docker.images]]\nname = "edit"\n'
                       f'dockerfile = "{dockerfile}"\ncontext = "{context}"\n')
        with open(lab().environment["HOSTS"], encoding="utf-8") as file:
            hosts = [host for host in json.load(file) if f"{host['ne']}_{host['board']}" == MACHINE]
        known = os.path.join(self.folder, "known_hosts")
        with open(known, "w", encoding="utf-8") as file:
            file.write(lab().host_keys(MACHINE, self.port))
        hosts[0]["ssh_options"].update(port=self.port, known_hosts=known)
        with open(os.path.join(root, "lab", "hosts.json"), "w", encoding="utf-8") as file:
            json.dump(hosts, file)
        self.command = [harness.OTTO, "--repo-dir", root, "--format", "json", "docker", "build", "--on", MACHINE]
        self.environment = {"OTTO_STATE_DIR": os.path.join(self.folder, "state")}
        self.uploaded = []

    def build(self):
        image = json.loads(self.run(self.command, self.environment))["images"][0]
        if image["status"] != "built":
            raise SystemExit(f"otto: {image}")
        self.uploaded.append(image["uploaded_bytes"])


class Ssh(Tool):
    """What both peers share: OpenSSH, with a warm connection or without."""

    def __init__(self, name, folder, context, dockerfile, warm):
        super().__init__(name, folder)
        self.context, self.dockerfile = context, dockerfile
        config, known = os.path.join(self.folder, "config"), os.path.join(self.folder, "known_hosts")
        with open(known, "w", encoding="utf-8") as file:
            file.write(lab().host_keys(MACHINE, self.port))
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"Host bench\n  HostName 127.0.0.1\n  Port {self.port}\n  User {lab().environment['USER']}\n"
                       f"  IdentityFile {lab().environment['KEY_ED25519']}\n  IdentitiesOnly yes\n"
                       f"  UserKnownHostsFile {known}\n")
            if warm:
                file.write(f"  ControlMaster auto\n  ControlPath {self.folder}/master\n  ControlPersist 600\n")
        # docker calls `ssh` by name and has no option for its configuration
        wrapper = os.path.join(self.folder, "bin", "ssh")
        os.makedirs(os.path.dirname(wrapper))
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
        os.chmod(wrapper, 0o755)
        self.environment = {"PATH": os.path.dirname(wrapper) + ":" + os.environ["PATH"], "DOCKER_HOST": "ssh://bench"}
        self.run(["ssh", "bench", "true"], self.environment)

    def close(self):
        subprocess.run(["ssh", "-O", "exit", "bench"], env={**os.environ, **self.environment}, capture_output=True,
                       check=False)


class Docker(Ssh):
    def build(self):
        self.run(["docker", "build", "-q", "-t", "bench-docker", "-f", self.dockerfile, self.context],
                 {**self.environment, "DOCKER_BUILDKIT": "1"})


class Rsync(Ssh):
    def build(self):
        self.run(["rsync", "-az", "--delete", self.context + "/", "bench:bench-context"], self.environment)
        with open(self.dockerfile, encoding="utf-8") as file:
            self.run(["ssh", "bench", "cat > bench.Dockerfile <<'E'\n" + file.read() + "E\n"
                      "DOCKER_BUILDKIT=1 docker build -q -t bench-rsync -f bench.Dockerfile bench-context"], self.environment)


def stage_bench(peer, options):
    """stage_bench between two links that differ in their round-trip time only."""
    port = lab().link_up(MACHINE, "bench-near", "--rate", options.rate)
    with open(os.path.join(peer.folder, "known_hosts"), "a", encoding="utf-8") as file:
        file.write(lab().host_keys(MACHINE, port))
    with open(os.path.join(peer.folder, "config"), "r+", encoding="utf-8") as file:
        far = file.read()
        file.write(far.replace("Host bench", "Host near").replace(f"Port {peer.port}", f"Port {port}"))
    print(peer.run([options.stage_bench, options.rtt.removesuffix("ms"), "near", "bench"], peer.environment), end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rtt", default="50ms")
    parser.add_argument("--rate", default="100mbit")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", choices=("warm", "cold"), default="warm")
    parser.add_argument("--stage-bench", metavar="BINARY")
    parser.add_argument("--copy", choices=("part", "all"), default="part")
    options = parser.parse_args()
    if not shutil.which("rsync"):
        raise SystemExit("rsync is not installed (apt-get install rsync)")
    folder, context = lab().folder, os.path.join(lab().folder, "context")
    make_context(context, options.files, options.megabytes)
    dockerfile = os.path.join(folder, "Dockerfile")
    with open(dockerfile, "w", encoding="utf-8") as file:
        file.write(f"FROM {lab().environment['BASE_IMAGE']}\nCOPY {'part00' if options.copy == 'part' else '.'} /ctx/\n")
    warm = options.peers == "warm"
    tools = [Otto(folder, context, dockerfile), Docker("docker", folder, context, dockerfile, warm),
             Rsync("rsync", folder, context, dockerfile, warm)]
    edited, edit = os.path.join(context, "part00", "file00000.dat"), b""
    for tool in tools:
        tool.build()
        tool.slow(options)
    for number in range(options.rounds):
        for tool in tools:
            edit = f"edit {number} for {tool.name}\n".encode()
            with open(edited, "ab") as file:
                file.write(edit)
            tool.timed()
    size = os.path.getsize(edited)
    otto = statistics.median(tools[0].times)
    print(f"one edit of {len(edit)} bytes to a file of {size} in {options.files} files, {options.megabytes} MB; "
          f"rtt {options.rtt}, {options.rate}; peers {options.peers}; median of {options.rounds}; load {os.getloadavg()[0]:.1f}")
    for tool in tools:
        took = statistics.median(tool.times)
        print(f"{tool.name:7} {took:6.2f} s   {statistics.median(tool.sent):>9.0f} bytes sent   "
              f"otto/{tool.name} {otto / took:.2f}   (all: {', '.join(f'{each:.2f}' for each in tool.times)})")
    print(f"otto's upload: {statistics.median(tools[0].uploaded):.0f} bytes for a file of {size}")
    for tool in tools[1:]:
        tool.close()
    if options.stage_bench:
        stage_bench(tools[1], options)


if __name__ == "__main__":
    main()
