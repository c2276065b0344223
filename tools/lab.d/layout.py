"""What the lab consists of and where its files are: machines, users, addresses, paths, locks.

Knows nothing of how machines run (machine.py, supervisor.py). Everything lives below one folder, the lab's directory;
two locks there tell the truth about a lab: `lab.lock` serialises up and down, `alive.lock` is held by the supervisor and
its sweeper for as long as anything of the lab may exist.
"""

import dataclasses
import fcntl
import hashlib
import json
import os
import socket

LAB_NAME = "veggies"
BASE_IMAGE = "otto-lab/base:1"
USERS = {"otto": {"uid": 1000, "password": "otto-lab"}, "nodocker": {"uid": 1001, "password": "nodocker-lab"}}
KEY_TYPES = ("ed25519", "ecdsa", "rsa")
KEY_PASSPHRASE = "otto-lab"
# The hidden network between the jump host and the parent behind it: TEST-NET-1 (RFC 5737), routed nowhere else.
GATE_ADDRESS = "192.0.2.1"
HIDDEN_ADDRESS = "192.0.2.2"


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    ne: str
    board: str
    engine: bool
    hop: str | None = None
    debian12: bool = False  # Debian 12's own Docker and Compose v1 instead of the newer ones, and a telnet server
    on_demand: bool = False  # comes with `tools/lab start`, and is in no hosts.json


MACHINES = (
    Machine("leek_gate", "leek", "gate", engine=False),
    Machine("carrot_seed", "carrot", "seed", engine=True),
    Machine("pepper_seed", "pepper", "seed", engine=True, hop="leek_gate"),
    Machine("turnip_plain", "turnip", "plain", engine=False),
    Machine("bean_old", "bean", "old", engine=True, debian12=True, on_demand=True),
)
BY_NAME = {machine.name: machine for machine in MACHINES}


def debian12_packages():
    """Where tools/setup unpacks Debian 12's packages that are older than what this machine has installed."""
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    return os.path.join(os.environ.get("OTTO_LAB_DEBIAN12") or os.path.join(repository, ".deps", "debian12"), "usr")


def default_directory():
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "otto-lab", "default")


class Lab:
    """The paths of one lab and the questions that its files answer."""

    def __init__(self, directory):
        self.directory = os.path.realpath(directory)
        self.id = "otto-lab-" + hashlib.sha256(self.directory.encode()).hexdigest()[:10]

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def client(self, *parts):
        return self.path("client", *parts)

    def machine(self, name, *parts):
        return self.path("machines", name, *parts)

    def key(self, key_type):
        return self.client("id_" + key_type)

    @property
    def known_hosts(self):
        return self.client("known_hosts")

    @property
    def hosts_json(self):
        return self.client("hosts.json")

    def is_alive(self):
        try:
            with open(self.path("alive.lock"), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def state(self):
        """What the supervisor wrote when the lab came up: {"supervisor", "machines": {name: pid}, "links": {name: port}}."""
        with open(self.path("run", "state.json"), encoding="utf-8") as file:
            return json.load(file)

    def ask(self, socket_name, line):
        """Sends one line to a control socket below run/ and returns its JSON answer (paths may exceed sun_path)."""
        folder = os.open(self.path("run"), os.O_RDONLY | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"/proc/self/fd/{folder}/{socket_name}")
                connection.sendall(line.encode() + b"\n")
                answer = b""
                while part := connection.recv(65536):
                    answer += part
        finally:
            os.close(folder)
        return json.loads(answer)


def remove_cgroups(lab_id):
    """Removes the control groups a lab's engines made, in every hierarchy. False: some are still in use."""
    done = True
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        roots = [line.split()[4] for line in mounts if " - cgroup" in line]
    for root in roots:
        for folder, _, _ in os.walk(os.path.join(root, lab_id), topdown=False):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                done = False
    return done


def inside(pid, *command):
    """The words that run a command as root inside the machine whose process 1 has this id, in an environment of its own."""
    clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
    return ["nsenter", "-t", str(pid), "-m", "-p", "-n", "-u", "-i", "-r", "-w", "--", *clean, *command]
