#!/usr/bin/env python3
"""How long until a command touches the network, with 1 and with many hosts in hosts.json.

    tests/bench/start_bench.py [--hosts 1000] [--rounds 40]

`true` is the floor: what starting any process costs. `otto --version` and `otto --list-hosts` never touch the network and are
timed from the start of the process to its end; `otto host H run true` until it connects to H, a port of this program. As root
also for a host that OpenSSH's configuration has words for (a folder over /etc/ssh/ssh_config.d, in a mount namespace of its own):
with what `ssh -G` said remembered, and asking it each time; `ssh -G` is timed by itself too. Page faults are counted, because they
are what it costs on virtual machines. Wanted: under 20 ms with 1,000 hosts. OTTO_BINARY should be one of the preset release.
"""

import argparse
import contextlib
import ctypes
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
SYSTEM_CONFIG = "/etc/ssh/ssh_config.d"
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


def make_repo(folder, hosts, port):
    os.makedirs(os.path.join(folder, ".otto"))
    os.makedirs(os.path.join(folder, "lab"))
    with open(os.path.join(folder, ".otto", "settings.toml"), "w", encoding="utf-8") as file:
        file.write(f'name = "many{hosts}"\nversion = "0.1.0"\nlabs = ["${{sutDir}}/lab"]\n')
    entries = [{"ne": f"host{i}", "board": "seed", "ip": f"192.0.2.{i % 256}", "labs": ["many"], "creds": {"otto": None},
                "docker_capable": i % 10 == 0} for i in range(hosts)]
    for entry, address in zip(reversed(entries), ("127.0.0.1", "127.0.0.2", "127.0.0.3")):
        entry.update(ip=address, ssh_options={"port": port})
    with open(os.path.join(folder, "lab", "hosts.json"), "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1)
    return folder


def configure_ssh(folder):
    """Gives 127.0.0.2 a user whose answer follows from the files, 127.0.0.3 one that ssh is to be asked for each time."""
    os.makedirs(folder)
    with open(os.path.join(folder, "otto.conf"), "w", encoding="utf-8") as file:
        file.write("Host 127.0.0.2\n  User bench\nHost 127.0.0.3\n  User bench\n  IdentityAgent ${SSH_AUTH_SOCK}\n")
    libc = ctypes.CDLL(None, use_errno=True)

    def call(done):
        if done != 0:
            raise SystemExit(f"no mount namespace: {os.strerror(ctypes.get_errno())}")

    call(libc.unshare(CLONE_NEWNS))
    call(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None))
    call(libc.mount(folder.encode(), SYSTEM_CONFIG.encode(), None, ctypes.c_ulong(MS_BIND), None))


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
    with tempfile.TemporaryDirectory(prefix="otto-start-") as folder, contextlib.ExitStack() as sockets:
        listeners = [sockets.enter_context(socket.create_server(("127.0.0.1", 0)))]
        port = listeners[0].getsockname()[1]
        listeners += [sockets.enter_context(socket.create_server((f"127.0.0.{last}", port))) for last in (2, 3)]
        for listener in listeners:
            listener.settimeout(30)
        one, many = (make_repo(os.path.join(folder, name), count, port) for name, count in (("one", 1), ("many", options.hosts)))
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "OTTO_STATE_DIR": os.path.join(folder, "state"),
                       "SSH_AUTH_SOCK": os.path.join(folder, "none")}

        def run(number):
            return [harness.OTTO, "--repo-dir", many, "host", f"host{options.hosts - number}_seed", "run", "true"], listeners[number - 1]

        cases = {"true": ([shutil.which("true")], None),
                 "otto --version": ([harness.OTTO, "--version"], None),
                 "otto --list-hosts, 1 host": ([harness.OTTO, "--repo-dir", one, "--list-hosts"], None),
                 f"otto --list-hosts, {options.hosts:,} hosts": ([harness.OTTO, "--repo-dir", many, "--list-hosts"], None),
                 "ssh -G": ([shutil.which("ssh"), "-G", "127.0.0.1"], None),
                 f"otto host run, {options.hosts:,} hosts, to connect()": run(1)}
        if os.geteuid() == 0:
            configure_ssh(os.path.join(folder, "ssh_config.d"))
            cases |= {"  the same, ssh's answer remembered": run(2), "  the same, ssh asked each time": run(3)}
        else:
            print("not as root: no host with words in OpenSSH's configuration")
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
