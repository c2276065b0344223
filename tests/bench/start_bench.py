#!/usr/bin/env python3
"""How long until a command touches the network, with 1 and with many hosts in hosts.json.

    tests/bench/start_bench.py [--hosts 1000] [--rounds 40]

`true` is the floor: what starting any process costs. `otto --version` and `otto --list-hosts` never touch the network and are
timed from the start of the process to its end; `otto host H run true` until it connects to H, a port of this program. `ssh -G`,
which it asks where the configuration could say something of H, is timed by itself. Page faults are counted, because they are
what it costs on virtual machines. Wanted: under 20 ms with 1,000 hosts. OTTO_BINARY should be one of the preset release.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "e2e"))
import harness  # noqa: E402

WANTED_MS = 20


def make_repo(folder, hosts, port):
    os.makedirs(os.path.join(folder, ".otto"))
    os.makedirs(os.path.join(folder, "lab"))
    with open(os.path.join(folder, ".otto", "settings.toml"), "w", encoding="utf-8") as file:
        file.write(f'name = "many{hosts}"\nversion = "0.1.0"\nlabs = ["${{sutDir}}/lab"]\n')
    entries = [{"ne": f"host{i}", "board": "seed", "ip": f"192.0.2.{i % 256}", "labs": ["many"], "creds": {"otto": None},
                "docker_capable": i % 10 == 0} for i in range(hosts)]
    entries[-1].update(ip="127.0.0.1", ssh_options={"port": port})
    with open(os.path.join(folder, "lab", "hosts.json"), "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1)
    return folder


def timed(command, environment, listener=None):
    """Seconds and page faults of one run: to its end, or until it connects to the listener."""
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    begin = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=quiet)
    if listener is not None:
        connection, _ = listener.accept()
        took = time.perf_counter() - begin
        connection.close()
    _, status, used = os.wait4(process, 0)
    if listener is None:
        took = time.perf_counter() - begin
        if status != 0:
            raise SystemExit(f"{command} fails")
    return took, used.ru_minflt


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otto-start-") as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        one, many = (make_repo(os.path.join(folder, name), count, listener.getsockname()[1])
                     for name, count in (("one", 1), ("many", options.hosts)))
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "OTTO_STATE_DIR": os.path.join(folder, "state")}
        run = [harness.OTTO, "--repo-dir", many, "host", f"host{options.hosts - 1}_seed", "run", "true"]
        cases = {"true": ([shutil.which("true")], None),
                 "otto --version": ([harness.OTTO, "--version"], None),
                 "otto --list-hosts, 1 host": ([harness.OTTO, "--repo-dir", one, "--list-hosts"], None),
                 f"otto --list-hosts, {options.hosts:,} hosts": ([harness.OTTO, "--repo-dir", many, "--list-hosts"], None),
                 "ssh -G": ([shutil.which("ssh"), "-G", "127.0.0.1"], None),
                 f"otto host run, {options.hosts:,} hosts, to connect()": (run, listener)}
        runs = {name: [] for name in cases}
        for _ in range(options.rounds + 1):  # the first one warms the caches
            for name, (command, awaited) in cases.items():
                runs[name].append(timed(command, environment, awaited))
        floor = statistics.median(took for took, _ in runs["true"][1:])
        for name, measured in runs.items():
            median = statistics.median(took for took, _ in measured[1:])
            faults = "" if cases[name][1] else f"   {measured[-1][1]:5} page faults"
            print(f"{name:44} {median * 1e3:6.1f} ms   {median / floor:5.1f}x of true{faults}")
        print(f"wanted with 1,000 hosts: {WANTED_MS} ms")


if __name__ == "__main__":
    main()
