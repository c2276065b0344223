#!/usr/bin/env python3
"""Tests of the lab itself: what it offers, and that nothing of it stays whichever of its processes is killed.
Usage (as root): lab_test.py TOOLS_LAB"""

import concurrent.futures
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

LAB = sys.argv.pop(1)
sys.path.insert(0, LAB + ".d")
import layout  # noqa: E402

SCRATCH_USER = f"otto-lab-{os.getpid()}"


def run(*command, check=True, **options):
    return subprocess.run(command, text=True, capture_output=True, check=check, timeout=120, **options)


class Running:
    """A lab in a folder of its own, owned by a process of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="otto-lab-test-")
        self.owner = subprocess.Popen(["sleep", "1000"])
        self.lab = layout.Lab(self.folder.name)
        self.environment = self.up()

    def up(self):
        result = run(LAB, "up", "--dir", self.folder.name, "--owner", str(self.owner.pid), check=False)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        words = (shlex.split(line)[1] for line in result.stdout.splitlines())
        return dict(word.split("=", 1) for word in words)

    def tool(self, *arguments, check=True):
        return run(LAB, arguments[0], "--dir", self.folder.name, *arguments[1:], check=check)

    def link(self, name, *options):
        return json.loads(self.tool("link", name, *options).stdout)

    def ssh(self, port, command, key="ED25519", user="otto", **options):
        e = self.environment
        return run("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
                   "-o", "UserKnownHostsFile=" + e["OTTO_LAB_KNOWN_HOSTS"], "-i", e["OTTO_LAB_KEY_" + key], "-p", str(port),
                   user + "@127.0.0.1", command, check=False, **options)

    def telnet(self, port, user, password, command):
        """What a login shell says to a command."""
        client = subprocess.Popen(["busybox", "telnet", "127.0.0.1", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        clock = threading.Timer(30, client.kill)
        clock.start()
        said = b""
        try:
            for prompt, answer in ((b"login: ", user), (b"assword: ", password), (b"$ ", command + "; exit")):
                while not said.endswith(prompt) and (more := client.stdout.read1()):
                    said += more
                client.stdin.write(answer.encode() + b"\r")
                client.stdin.flush()
            return (said + client.stdout.read()).decode(errors="replace")
        except BrokenPipeError:
            return said.decode(errors="replace")
        finally:
            clock.cancel()
            client.kill()
            client.communicate()

    def end(self):
        self.tool("down")
        self.owner.kill()
        self.owner.wait()
        self.folder.cleanup()

    def await_gone(self):
        deadline = time.monotonic() + 60
        while self.lab.is_alive():
            if time.monotonic() > deadline:
                raise TimeoutError("the lab does not end")
            time.sleep(0.05)

    def leftovers(self):
        """Processes, control groups, mounts and files that only a living lab may have."""
        found = [name for name in os.listdir(self.folder.name) if name in ("machines", "run", "env", "base.tar")]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cgroup", encoding="utf-8") as groups, open(f"/proc/{pid}/cmdline", "rb") as line:
                    command = line.read().replace(b"\0", b" ").decode(errors="replace")
                    if self.lab.id in groups.read() or self.folder.name in command or self.lab.id in command:
                        found.append(f"process {pid}: {command}")
            except (FileNotFoundError, ProcessLookupError):
                pass
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            for line in mounts:
                if self.folder.name in line:
                    found.append("mount " + line)
                elif " - cgroup" in line and os.path.exists(os.path.join(line.split()[4], self.lab.id)):
                    found.append("control group below " + line.split()[4])
        return found


class LabTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Running()
        cls.port = cls.lab.environment["OTTO_LAB_PORT_CARROT_SEED"]

    @classmethod
    def tearDownClass(cls):
        cls.lab.end()

    def test_up_again_changes_nothing(self):
        before = self.lab.lab.state()
        self.assertEqual(self.lab.up(), self.lab.environment)
        self.assertEqual(self.lab.lab.state(), before)

    def test_keys_are_let_in_but_the_unauthorised_one(self):
        for key in ("ED25519", "ECDSA", "RSA"):
            self.assertEqual(self.lab.ssh(self.port, "hostname", key).stdout, "carrot_seed\n", key)
        self.assertIn("Permission denied", self.lab.ssh(self.port, "hostname", "WRONG").stderr)

    def test_parents_have_an_engine_with_compose_and_buildx_for_those_who_may(self):
        command = "docker run --rm otto-lab/base:1 hostname && docker compose version && docker buildx version"
        self.assertEqual(self.lab.ssh(self.port, command).returncode, 0)
        self.assertIn("permission denied", self.lab.ssh(self.port, "docker ps", user="nodocker").stderr)

    def test_the_old_parent_comes_on_demand_with_debian_12s_own_tools(self):
        hosts = self.lab.tool("start", "bean_old").stdout
        self.assertEqual(self.lab.tool("start", "bean_old").stdout, hosts)
        port = json.loads(hosts)[0]["ssh_options"]["port"]
        versions = self.lab.ssh(port, "docker version -f {{.Server.Version}}; docker-compose version --short; docker buildx; docker compose")
        self.assertRegex(versions.stdout, r"\A20\.10\.\S+\n1\.29\.2\n\Z", versions.stderr)
        self.assertEqual(self.lab.ssh(port, "docker run --rm otto-lab/base:1 hostname").returncode, 0)
        with open(self.lab.environment["OTTO_LAB_HOSTS"], encoding="utf-8") as file:
            self.assertNotIn("bean", file.read())
        self.assertIn("no machine to start", self.lab.tool("start", "carrot_seed", check=False).stderr)

    def test_the_plain_machine_has_no_docker(self):
        self.assertEqual(self.lab.ssh(self.lab.environment["OTTO_LAB_PORT_TURNIP_PLAIN"], "docker ps").returncode, 127)

    def test_the_hidden_parent_is_seen_from_the_jump_host_only(self):
        dial = "exec 3<>/dev/tcp/192.0.2.2/22 && head -c 7 <&3"
        self.assertEqual(self.lab.ssh(self.lab.environment["OTTO_LAB_PORT_LEEK_GATE"], dial).stdout, "SSH-2.0")
        for machine in ("carrot_seed", "turnip_plain"):
            route = self.lab.tool("exec", machine, "ip", "route", "get", "192.0.2.2", check=False)
            self.assertIn("unreachable", route.stderr)
        self.assertNotIn("to_pepper", run("ip", "-o", "link").stdout)
        with open(self.lab.environment["OTTO_LAB_HOSTS"], encoding="utf-8") as file:
            hosts = json.load(file)
        self.assertEqual([(h["ip"], h["hop"]) for h in hosts if "hop" in h], [("192.0.2.2", "leek_gate")])

    def test_links_delay_count_and_cut(self):
        port = self.lab.tool("proxy", "carrot_seed", "--name", "slow", "--rtt", "40ms").stdout.strip()
        started = time.monotonic()
        self.assertEqual(self.lab.ssh(port, "true").returncode, 0)
        self.assertGreater(time.monotonic() - started, 0.2)  # a handshake is many round trips
        self.assertGreater(self.lab.link("slow")["up_bytes"], 1000)
        self.lab.link("slow", "--rtt", "0", "--clear", "--cut-after", "100000")
        self.assertEqual(self.lab.ssh(port, "cat > /dev/null", input="x" * 10**6).returncode, 255)
        state = self.lab.link("slow")
        self.assertEqual(state["up_bytes"] + state["down_bytes"], 100000)
        self.assertEqual(state["cuts"], 1)
        self.lab.tool("link", "slow", "--close")

    def test_accounts_hang_on_no_file_of_this_machine(self):
        """useradd writes new account files and renames them over the old ones."""
        self.addCleanup(run, "userdel", SCRATCH_USER, check=False)
        telnet_port = json.loads(self.lab.tool("start", "bean_old").stdout)[1]["telnet_options"]["port"]
        replaced = [f"/etc/{name}" for name in ("passwd", "shadow", "group")]
        before = [os.stat(path).st_ino for path in replaced]
        run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SCRATCH_USER)
        for path, inode in zip(replaced, before):
            self.assertNotEqual(os.stat(path).st_ino, inode, path)
        run("userdel", SCRATCH_USER)

        groups = self.lab.ssh(self.port, "id -un; id -Gn; docker ps -q")
        self.assertEqual((groups.stdout, groups.returncode), ("otto\notto docker\n", 0), groups.stderr)
        sudo = self.lab.ssh(self.port, "sudo -n docker ps -q && sudo -n -l", user="nodocker")
        self.assertEqual(sudo.returncode, 0, sudo.stderr)
        said = self.lab.telnet(telnet_port, "otto", self.lab.environment["OTTO_LAB_PASSWORD"], "id -Gn")
        self.assertIn("otto docker", said)

    def test_reset_wipes_images_containers_and_homes(self):
        self.lab.ssh(self.port, "echo x > f; docker run -d --name c otto-lab/base:1 sleep 1000; docker tag otto-lab/base:1 t:1")
        self.lab.tool("reset", "carrot_seed")
        left = self.lab.ssh(self.port, "ls; docker ps -aq; docker image ls --format '{{.Repository}}:{{.Tag}}'").stdout
        self.assertEqual(left, "otto-lab/base:1\n")

    def test_an_engine_can_be_stopped_and_started(self):
        self.lab.tool("engine", "carrot_seed", "stop")
        self.assertIn("Cannot connect to the Docker daemon", self.lab.ssh(self.port, "docker ps").stderr)
        self.lab.tool("engine", "carrot_seed", "start")
        self.assertEqual(self.lab.ssh(self.port, "docker ps").returncode, 0)


class NothingStaysTest(unittest.TestCase):
    """Beside the first lab another one runs and loses one of its processes, with a container running in it."""

    def victim(self, lab, kind):
        state = lab.lab.state()
        if kind == "owner":
            return lab.owner.pid
        if kind == "supervisor":
            return state["supervisor"]
        if kind == "sweeper":
            with open(f"/proc/{state['supervisor']}/stat", encoding="utf-8") as stat:
                return int(stat.read().rpartition(")")[2].split()[1])
        return state["machines"]["carrot_seed"]

    def leftovers_of(self, kind):
        """What is left of a lab of its own after that process was killed."""
        lab = Running()
        lab.tool("exec", "carrot_seed", "docker", "run", "-d", "otto-lab/base:1", "sleep", "1000")
        if not lab.leftovers():
            return "nothing is found of a lab that is up"
        os.kill(self.victim(lab, kind), signal.SIGKILL)
        if kind == "owner":
            lab.owner.wait()
        lab.await_gone()
        lab.owner.kill()
        lab.owner.wait()
        left = lab.leftovers()
        lab.end()
        return left

    def test_killing_any_process_ends_everything(self):
        kinds = ("owner", "supervisor", "sweeper", "machine")
        with concurrent.futures.ThreadPoolExecutor() as pool:  # most of it is waiting
            self.assertEqual(dict(zip(kinds, pool.map(self.leftovers_of, kinds))), {kind: [] for kind in kinds})

    def test_an_owner_that_is_not_there_is_told(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        with tempfile.TemporaryDirectory() as folder:
            result = run(LAB, "up", "--dir", folder, "--owner", str(gone.pid), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"--owner {gone.pid}: there is no such process", result.stderr)

    def test_down_leaves_nothing(self):
        lab = Running()
        lab.tool("exec", "pepper_seed", "docker", "run", "-d", "otto-lab/base:1", "sleep", "1000")
        lab.tool("down")
        self.assertEqual(lab.leftovers(), [])
        self.assertEqual(lab.tool("status", check=False).returncode, 3)
        lab.end()


if __name__ == "__main__":
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", sys.executable, "-B", os.path.abspath(__file__), LAB])
    unittest.main()
