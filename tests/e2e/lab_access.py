"""The lab as the end-to-end tests see it: machines, links and engines, asked past otto.

The lab is the one that OTTO_E2E_LAB names (ctest's fixture starts it once for all tests), else a private one that ends with
this process. The truth is asked of the engines, as root on the machines, never of otto. Whatever kills this process, what it
started dies with it, and a sweeper removes the files.
"""

import ctypes
import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOL = os.environ.get("OTTO_LAB_TOOL", os.path.join(SOURCE, "tools", "lab"))
PARENT = "pepper_seed"
OLD_PARENT = "bean_old"
PR_SET_PDEATHSIG = 1

sys.path.insert(0, TOOL + ".d")
import layout  # noqa: E402

SWEEPER = """
import fcntl, os, shutil, sys, time
sys.stdin.read()  # ends with the process that owns the folder, however it ends
for _ in range(600):
    try:
        with open(os.path.join(sys.argv[1], "lab", "alive.lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        break
    except FileNotFoundError:
        break
    except BlockingIOError:
        time.sleep(0.1)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def private_folder():
    """A folder of this process, removed when the process is gone."""
    folder = os.path.realpath(tempfile.mkdtemp(prefix="otto-e2e-"))
    reader, writer = os.pipe()  # the writer stays open, in this process only, until it ends
    sweeper = subprocess.Popen([sys.executable, "-c", SWEEPER, folder], stdin=reader, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    sweeper.returncode = 0  # it outlives this process on purpose
    os.close(reader)
    assert not os.get_inheritable(writer)
    return folder


def await_true(what, question, seconds=30):
    """Asks until the answer is true; gives the answer."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(0.02)
    return answer


class Lab:
    """The lab and what can be asked of it, past otto."""

    def __init__(self):
        self.folder = private_folder()
        self.directory = os.environ.get("OTTO_E2E_LAB")
        if self.directory:
            text = self.tool("env")
        else:
            self.directory = os.path.join(self.folder, "lab")
            with open(os.path.join(self.folder, "up.log"), "w+", encoding="utf-8") as log:
                command = [TOOL, "up", "--dir", self.directory, "--owner", str(os.getpid())]
                result = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=log, timeout=180, check=False)
                log.seek(0)
                if result.returncode != 0:
                    raise RuntimeError("the lab does not start: " + log.read())
            text = result.stdout
        words = (shlex.split(line)[1] for line in text.splitlines())
        self.environment = dict(word.removeprefix("OTTO_LAB_").split("=", 1) for word in words)
        self.layout = layout.Lab(self.directory)

    def tool(self, *arguments, check=True, stdin=None):
        result = subprocess.run([TOOL, arguments[0], "--dir", self.directory, *arguments[1:]], text=True, input=stdin,
                                capture_output=True, timeout=120, check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f"tools/lab {shlex.join(arguments)}: {result.stderr}{result.stdout}")
        return result.stdout

    def command(self, machine, *command):
        """The words that run a command as root on a machine. `tools/lab exec` is a Python that has to start, and tests ask
        hundreds of questions: who is root already enters the machine without it."""
        if os.geteuid() != 0:
            return [TOOL, "exec", "--dir", self.directory, machine, *command]
        return layout.inside(self.layout.state()["machines"][machine], *command)

    def exec(self, machine, *command, check=True, stdin=None):
        result = subprocess.run(self.command(machine, *command), text=True, input=stdin, capture_output=True, timeout=120,
                                check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} on {machine}: {result.stderr}{result.stdout}")
        return result.stdout

    def restart_engine(self, machine):
        """Stops a parent's engine, which stops its containers, and starts it again."""
        self.tool("engine", machine, "stop")
        self.tool("engine", machine, "start")

    def start(self, machine):
        """A machine that is there on demand (`tools/lab start`): its hosts.json entries by host id."""
        entries = json.loads(self.tool("start", machine))
        return {f"{entry['ne']}_{entry['board']}": entry for entry in entries}

    def link(self, name, *options):
        """Changes a link; its settings and counters, which are asked of the link itself."""
        return json.loads(self.tool("link", name, *options)) if options else self.layout.ask(name + ".link", "")

    def link_up(self, machine, name, *options):
        """One more link to a machine's sshd, known by `name`: its port."""
        return int(self.tool("proxy", machine, "--name", name, *options))

    def host_keys(self, machine, port):
        """known_hosts lines for a machine at a port of 127.0.0.1."""
        known_as = f"[127.0.0.1]:{self.environment['PORT_' + machine.upper()]}"
        with open(self.environment["KNOWN_HOSTS"], encoding="utf-8") as file:
            lines = [line.split(" ", 1) for line in file]
        return "".join(f"[127.0.0.1]:{port} {rest}" for pattern, rest in lines if pattern == known_as)

    def processes(self, machine, pattern):
        """Ids of a machine's processes, those in its containers too, whose command line matches."""
        return self.exec(machine, "pgrep", "-f", pattern, check=False).split()

    def watch_end(self, machine, pattern):
        """Watches from inside the machine until no process matches: a function that gives the time (time.time()) of that."""
        script = 'echo watching; i=0; while [ $i -lt 300 ] && pgrep -f "$1" > /dev/null; do i=$((i+1)); sleep 0.02; done; date +%s.%N'
        watch = subprocess.Popen(self.command(machine, "sh", "-c", script, "watch-end", pattern.replace(pattern[0], f"[{pattern[0]}]", 1)),
                                 stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        assert watch.stdout.readline() == "watching\n"

        def ended():
            return float(watch.communicate(timeout=60)[0])
        return ended


_lab = []


def lab():
    if not _lab:
        _lab.append(Lab())
    return _lab[0]


@dataclasses.dataclass(frozen=True)
class Container:
    """A container as the engine tells it: equal before and after only if nobody touched it."""
    id: str
    image_id: str
    image: str
    status: str
    started_at: str
    restarts: int


class Parent:
    """A parent's engine, asked as root on the machine."""

    def __init__(self, machine):
        self.machine = machine

    def sh(self, script, *arguments, check=True, stdin=None):
        return lab().exec(self.machine, "sh", "-c", script, "sh", *arguments, check=check, stdin=stdin)

    def docker(self, *arguments, check=True):
        return lab().exec(self.machine, "docker", *arguments, check=check)

    def inspect(self, *filters):
        """Every container, stopped ones too, that these filters of `docker ps` let through, as `docker inspect` tells it."""
        return json.loads(self.sh('ids=$(docker ps -aq --no-trunc "$@"); [ -z "$ids" ] && echo "[]" || docker inspect $ids',
                                  *(f"--filter={each}" for each in filters)))

    def containers(self, project):
        """Service → Container, stopped ones too."""
        return {each["Config"]["Labels"]["com.docker.compose.service"]:
                Container(each["Id"], each["Image"], each["Config"]["Image"], each["State"]["Status"],
                          each["State"]["StartedAt"], each["RestartCount"])
                for each in self.inspect(f"label=com.docker.compose.project={project}")}

    def images(self, repository):
        """Tag → image id."""
        lines = self.docker("image", "ls", "--no-trunc", "--format", "{{.Tag}} {{.ID}}", repository).splitlines()
        return dict(line.split() for line in lines)

    def file_in_image(self, reference, path):
        return self.docker("run", "--rm", "--network", "none", "--entrypoint", "cat", reference, path)

    def tree_in_image(self, reference, path, folder):
        """Copies what an image holds below a path into a folder of this machine."""
        os.makedirs(folder)
        tar = subprocess.Popen(lab().command(self.machine, "docker", "run", "--rm", "--network", "none", "--entrypoint", "tar",
                                             reference, "-C", path, "-c", "."), stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], stdin=tar.stdout, check=True, timeout=60)
        tar.stdout.close()
        assert tar.wait() == 0

    def clock(self):
        return self.sh("date +%s.%N").strip()

    def events(self, since, project, repositories):
        """What the engine did to a project's containers and images since then; health checks left out."""
        lines = self.docker("events", "--since", since, "--until", self.clock(), "--format", "{{json .}}").splitlines()
        found = []
        for event in map(json.loads, lines):
            attributes = event["Actor"]["Attributes"]
            ours = attributes.get("com.docker.compose.project") == project or \
                any(name in json.dumps(event) for name in repositories)
            if ours and not event["Action"].startswith(("exec_", "health_status")):
                found.append(f"{event['Type']} {event['Action']} {attributes.get('name', event['Actor']['ID'])}")
        return found

    def clear(self, project, repositories):
        """Removes what a test left: containers, networks and volumes of the project, its images' tags."""
        self.sh('of="label=com.docker.compose.project=$1"; shift; '
                'for kind in container network volume; do case $kind in container) all=-a;; *) all=;; esac; '
                'ids=$(docker $kind ls $all -q --filter "$of"); [ -z "$ids" ] || docker $kind rm -f $ids; done; '
                'for name; do tags=$(docker image ls --format "{{.Repository}}:{{.Tag}}" "$name"); '
                '[ -z "$tags" ] || docker image rm -f $tags; done', project, *repositories, check=False)
