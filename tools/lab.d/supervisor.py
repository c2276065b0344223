"""The process that is the lab: starts the machines and the links, watches the owner, and ends everything.

Every machine hangs from it by parent-death signals (setpriv, unshare --kill-child), so that even SIGKILL of this process
ends them; its parent, the sweeper, outlives it by the moment needed to remove what the kernel does not: control groups
and files. Machines, veth pairs and mounts live in namespaces and go with their last process. The loss of the
owner, the sweeper or any machine ends the whole lab. Single-threaded; requests come over run/control.sock, one a line.
Arguments: the lab's folder, the owner's process id, the user id that client files and sockets belong to.
"""

import ctypes
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time

import files
import layout

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
PROXY_SOURCES = os.path.join(REPOSITORY, "tests", "lab")
PR_SET_CHILD_SUBREAPER = 36
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    def __init__(self, lab, owner, user):
        self.lab, self.user = lab, user
        self.owner = os.pidfd_open(owner)
        self.processes = {}  # machine name: its unshare process
        self.pids = {}  # machine name: process 1 of it, as seen from here
        self.links = {}  # link name: (process, port, machine)
        self.stop = self.running = self.sweeper_gone = False
        self.selector = selectors.DefaultSelector()

    def say(self, text):
        print(text, flush=True)  # to `tools/lab up`, as long as it listens

    def up(self):
        started = time.monotonic()
        self.selector.register(self.owner, selectors.EVENT_READ, lambda: self.lost("its owner"))
        self.build_proxy()
        self.say("making keys and the base image")
        files.make_keys(self.lab)
        files.make_base_image(self.lab)
        self.accounts = files.account_files()
        ready = {}
        for machine in layout.MACHINES:
            if not machine.on_demand:
                ready[machine.name] = self.start_machine(machine)
        self.say("starting " + ", ".join(ready))
        self.pids = {name: self.find_init(process) for name, process in self.processes.items()}
        self.connect_hidden()
        for name in ready:
            if not layout.BY_NAME[name].hop:
                self.start_link(name, name, [])
        for name, pipe in ready.items():
            self.await_ready(name, pipe)
        files.write_client_files(self.lab, {name: link[1] for name, link in self.links.items()}, self.user)
        self.write_state()
        self.listen()
        self.say(f"ready after {time.monotonic() - started:.1f} s")

    def build_proxy(self):
        """Built once a source tree, into its .cache; every lab runs a copy of its own, safe from a later rebuild."""
        sources = [os.path.join(PROXY_SOURCES, name) for name in ("link.h", "link_proxy.cc")]
        built = os.path.join(REPOSITORY, ".cache", "otto-lab", "link_proxy")
        if not os.path.exists(built) or os.path.getmtime(built) <= max(map(os.path.getmtime, sources)):
            self.say("building the link proxy")
            os.makedirs(os.path.dirname(built), exist_ok=True)
            fresh = f"{built}.{os.getpid()}"
            subprocess.run(["g++", "-std=c++20", "-O2", "-I", REPOSITORY, "-o", fresh, sources[1]], check=True)
            os.replace(fresh, built)
            for path in (os.path.join(REPOSITORY, ".cache"), os.path.dirname(built), built):
                os.chown(path, self.user, -1)
        os.makedirs(self.lab.path("bin"), exist_ok=True)
        shutil.copy(built, self.lab.path("bin", "link_proxy"))

    def start_machine(self, machine):
        files.make_machine(self.lab, machine, self.accounts)
        reader, writer = os.pipe()
        parent = f"/{self.lab.id}/{machine.name}" if machine.engine else "-"
        command = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork",
                   "--mount-proc", "--kill-child=KILL", "--", sys.executable, os.path.join(HERE, "machine.py"),
                   self.lab.machine(machine.name), machine.name, parent, str(writer)]
        with open(self.lab.path("log", machine.name + ".log"), "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[writer],
                                       cwd="/", start_new_session=True)
        os.close(writer)
        self.processes[machine.name] = process
        self.selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, lambda: self.lost("machine " + machine.name))
        return reader

    def start_on_demand(self, machine):
        """A machine that not every lab needs, with links to its sshd and its telnetd; nothing to do where it runs."""
        if machine.name not in self.pids:
            if not os.path.isdir(layout.debian12_packages()):
                raise RuntimeError(f"{layout.debian12_packages()} is not there; run tools/setup")
            ready = self.start_machine(machine)
            self.pids[machine.name] = self.find_init(self.processes[machine.name])
            self.await_ready(machine.name, ready)
            files.append_known_host(self.lab, machine.name, "127.0.0.1", self.start_link(machine.name, machine.name, []))
            self.start_link(machine.name + "-telnet", machine.name, [], target="23")
            self.write_state()
        port = lambda name: self.links[name][1]
        return files.on_demand_entries(self.lab, machine, port(machine.name), port(machine.name + "-telnet"))

    def find_init(self, process):
        """Process 1 of a machine: the only child of its unshare."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.01)
        raise RuntimeError("a machine did not start; see " + self.lab.path("log"))

    def connect_hidden(self):
        """A veth pair made between the jump host and the parent behind it, never passing through our own namespace."""
        gate, hidden = self.pids["leek_gate"], self.pids["pepper_seed"]
        inside = lambda pid, *command: subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", *command], check=True)
        inside(gate, "link", "add", "to_pepper", "type", "veth", "peer", "name", "to_gate", "netns", str(hidden))
        for pid, device, address in ((gate, "to_pepper", layout.GATE_ADDRESS), (hidden, "to_gate", layout.HIDDEN_ADDRESS)):
            inside(pid, "addr", "add", address + "/30", "dev", device)
            inside(pid, "link", "set", device, "up")

    def await_ready(self, name, pipe):
        with open(pipe, "rb") as file:
            if file.readline() != b"ready\n":
                raise RuntimeError(f"machine {name} did not come up; see {self.lab.path('log', name + '.log')}")

    def start_link(self, name, machine, settings, port=0, target="22"):
        control = os.path.basename(name) + ".link"
        with open(self.lab.path("log", "links.log"), "ab") as log:
            process = subprocess.Popen(
                [self.lab.path("bin", "link_proxy"), str(port), f"/proc/{self.pids[machine]}/ns/net", "127.0.0.1", target,
                 control, *settings], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=self.lab.path("run"))
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"link {name} did not start; see {self.lab.path('log', 'links.log')}")
        os.chown(self.lab.path("run", control), self.user, -1)
        self.links[name] = (process, int(line), machine)
        return int(line)

    def write_state(self):
        state = {"supervisor": os.getpid(), "machines": self.pids,
                 "links": {name: {"port": port, "machine": machine} for name, (_, port, machine) in self.links.items()}}
        files.write(self.lab.path("run", "state.json.new"), json.dumps(state) + "\n")
        os.replace(self.lab.path("run", "state.json.new"), self.lab.path("run", "state.json"))

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        os.chdir(self.lab.path("run"))  # the whole path may be longer than a socket's address can be
        listener.bind("control.sock")
        os.chown("control.sock", self.user, -1)
        os.chmod("control.sock", 0o600)
        listener.listen(16)
        self.selector.register(listener, selectors.EVENT_READ, lambda: self.serve(listener))

    def serve(self, listener):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            try:
                line = connection.makefile("r", encoding="utf-8").readline()
                answer = self.handle(json.loads(line))
            except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
                answer = {"error": str(error) or type(error).__name__}
            try:
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                pass

    def handle(self, request):
        if request["op"] == "down":
            self.stop = True
            return {}
        name = request["name"]
        if request["op"] == "proxy":
            if name in self.links:
                raise RuntimeError(f"there is a link '{name}' already")
            port = self.start_link(name, request["machine"], request["settings"], request.get("port", 0),
                                   request.get("target", "22"))
            files.append_known_host(self.lab, request["machine"], "127.0.0.1", port)
            self.write_state()
            return {"port": port}
        if request["op"] == "start":
            return {"hosts": self.start_on_demand(layout.BY_NAME[name])}
        if request["op"] == "close":
            process, _, _ = self.links.pop(name)
            process.kill()
            process.wait()
            self.write_state()
            return {}
        raise RuntimeError(f"unknown request '{request['op']}'")

    def lost(self, what):
        print(f"supervisor: {what} is gone, ending the lab", file=sys.stderr, flush=True)
        self.stop = True

    def told_to_stop(self, *_):
        self.stop = True
        if not self.running:
            raise InterruptedError("told to stop while starting")

    def sweeper_lost(self):
        self.sweeper_gone = True
        self.lost("the sweeper")

    def run(self):
        self.running = True
        while not self.stop:
            for key, _ in self.selector.select():
                key.data()

    def end(self):
        for process in (*self.processes.values(), *(link[0] for link in self.links.values())):
            process.kill()
        for process in (*self.processes.values(), *(link[0] for link in self.links.values())):
            process.wait()


def sweep(lab, seconds=30):
    """What outlives even SIGKILL of the supervisor: reaps all that was below it, then removes control groups and files."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass
    deadline = time.monotonic() + seconds
    while not layout.remove_cgroups(lab.id) and time.monotonic() < deadline:
        time.sleep(0.05)
    clear(lab)


def clear(lab):
    for name in ("machines", "run"):
        subprocess.run(["rm", "-rf", "--one-file-system", lab.path(name)], check=False)
    for name in ("env", "base.tar"):
        if os.path.exists(lab.path(name)):
            os.remove(lab.path(name))


def main():
    lab = layout.Lab(sys.argv[1])
    lock = open(lab.path("alive.lock"), "ab")  # shared with the sweeper: held until both have ended
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.umask(0o022)
    clear(lab)
    layout.remove_cgroups(lab.id)
    for name in ("log", "run", "client"):
        os.makedirs(lab.path(name), exist_ok=True)
    log = os.open(lab.path("log", "supervisor.log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans of the supervisor become the sweeper's
    sweeper = os.pidfd_open(os.getpid())
    if os.fork() != 0:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.dup2(log, 1)  # so that `tools/lab up` sees the end of its pipe
        sweep(lab)
        os._exit(0)  # the lock goes with the process, not before
    os.setsid()
    supervise(lab, sweeper, log)
    os._exit(0)


def supervise(lab, sweeper, log):
    supervisor = Supervisor(lab, int(sys.argv[2]), int(sys.argv[3]))
    supervisor.selector.register(sweeper, selectors.EVENT_READ, supervisor.sweeper_lost)
    wake_reader, wake_writer = socket.socketpair()
    wake_writer.setblocking(False)
    signal.set_wakeup_fd(wake_writer.fileno())
    for number in STOP_SIGNALS:
        signal.signal(number, supervisor.told_to_stop)
    supervisor.selector.register(wake_reader, selectors.EVENT_READ, lambda: None)
    try:
        supervisor.up()
        os.dup2(log, 1)
        supervisor.run()
    except Exception as error:  # whatever it is: told to `up`, then everything is taken down
        print(f"error: {error}", flush=True)
        raise
    finally:
        supervisor.end()
        if supervisor.sweeper_gone:
            sweep(lab)


if __name__ == "__main__":
    main()
