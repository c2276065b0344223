"""What every end-to-end test stands on: the lab, a parent seen past otto, a private repo, and otto itself.

The lab is the one that OTTO_E2E_LAB names (ctest's fixture starts it once for all tests), else a private one that ends with
this process. Tests keep apart by project name: each Repo has a name, a compose suffix, a state directory, a home and a link to
the jump host of its own, so byte counters and broken links are nobody else's. The truth is asked of the engines with
`tools/lab exec`, never of otto. Whatever kills this process, otto dies with it, and a sweeper removes the files.
"""

import copy
import ctypes
import dataclasses
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOL = os.environ.get("OTTO_LAB_TOOL", os.path.join(SOURCE, "tools", "lab"))
OTTO = os.environ.get("OTTO_BINARY", os.path.join(SOURCE, "build", "dev", "cli", "otto"))
EXAMPLE = os.path.join(SOURCE, "docs", "examples", "veggies")
SUFFIX = "e2e"
PARENT = "pepper_seed"
OLD_PARENT = "bean_old"
SERVICES = {"api", "db", "metrics", "migrate", "worker"}
PR_SET_PDEATHSIG = 1

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

    def tool(self, *arguments, check=True, stdin=None):
        result = subprocess.run([TOOL, arguments[0], "--dir", self.directory, *arguments[1:]], text=True, input=stdin,
                                capture_output=True, timeout=120, check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f"tools/lab {shlex.join(arguments)}: {result.stderr}{result.stdout}")
        return result.stdout

    def exec(self, machine, *command, check=True, stdin=None):
        return self.tool("exec", machine, *command, check=check, stdin=stdin)

    def restart_engine(self, machine):
        """Stops a parent's engine, which stops its containers, and starts it again."""
        self.tool("engine", machine, "stop")
        self.tool("engine", machine, "start")

    def start(self, machine):
        """A machine that is there on demand (`tools/lab start`): its hosts.json entries by host id."""
        entries = json.loads(self.tool("start", machine))
        return {f"{entry['ne']}_{entry['board']}": entry for entry in entries}

    def link(self, name, *options):
        return json.loads(self.tool("link", name, *options))

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
        watch = subprocess.Popen([TOOL, "exec", "--dir", self.directory, machine, "sh", "-c", script, "watch-end",
                                  pattern.replace(pattern[0], f"[{pattern[0]}]", 1)],
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
        tar = subprocess.Popen([TOOL, "exec", "--dir", lab().directory, self.machine, "docker", "run", "--rm", "--network",
                                "none", "--entrypoint", "tar", reference, "-C", path, "-c", "."], stdout=subprocess.PIPE)
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


@dataclasses.dataclass
class Outcome:
    """What came of one otto: `json` is the document on standard output, None where that is no JSON."""
    code: int
    out: str
    err: str
    json: object
    seconds: float

    @classmethod
    def of(cls, code, out, err, seconds):
        try:
            document = json.loads(out)
        except ValueError:
            document = None
        return cls(code, out, err, document, seconds)

    def error(self):
        return self.json["error"]

    def image(self, name):
        return next(image for image in self.json["images"] if image["name"] == name)

    def statuses(self):
        return {image["name"]: image["status"] for image in self.json["images"]}

    def actions(self):
        return {service["service"]: service["action"] for service in self.json["services"]}

    def reasons(self, name):
        return [(reason["kind"], reason["subject"]) for reason in self.image(name)["reasons"]]


class Repo:
    """A private copy of docs/examples/veggies as project `name`, and the otto of the one who works in it."""
    gate = "leek_gate"  # the machine that this repo's link leads to

    def __init__(self, name, parent=PARENT):
        self.name = name
        self.folder = os.path.join(lab().folder, name)
        self.root = os.path.join(self.folder, "repo")
        shutil.copytree(EXAMPLE, self.root, symlinks=True)
        self.links = []
        self.open_link()
        self._open(parent)
        self._rename()
        self.write_hosts()

    def open_link(self):
        """A link of this repo's own to the gate; the one before is left as it is. `write_hosts` makes it the way."""
        self.link = f"{self.name}-{os.getpid()}" + (f"-{len(self.links)}" if self.links else "")
        self.port = lab().link_up(self.gate, self.link)
        self.links.append(self.link)

    def _open(self, parent):
        self.parent = Parent(parent)
        self.launcher = []  # what otto is started by
        self.project = f"otto-{self.name}-{SUFFIX}"
        self.repositories = [f"{self.name}-base", f"{self.name}-api"]
        self.home = os.path.join(self.folder, "home")
        self.state = os.path.join(self.folder, "state")
        self.known_hosts = os.path.join(self.folder, "known_hosts")
        os.makedirs(self.home, exist_ok=True)
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.home, "LANG": "C.UTF-8",
                            "OTTO_STATE_DIR": self.state, "OTTO_COMPOSE_SUFFIX": SUFFIX}

    def _rename(self):
        for path, old, new in ((".otto/settings.toml", 'name = "veggies"', f'name = "{self.name}"'),
                               ("compose.yml", "image: veggies-", f"image: {self.name}-"),
                               ("docker/api.Dockerfile", "FROM veggies-", f"FROM {self.name}-")):
            self.replace(path, old, new)

    def only_image(self, name, dockerfile, context="api"):
        """Settings of one image, all of whose context is in /ctx, and one service that runs it."""
        self.write(f"docker/{name}.Dockerfile", dockerfile)
        self.write(".otto/settings.toml", f'name = "{self.name}"\nlabs = ["${{sutDir}}/lab"]\ndefault_lab = "veggies"\n'
                   f'[[docker.images]]\nname = "{name}"\ndockerfile = "${{sutDir}}/docker/{name}.Dockerfile"\n'
                   f'context = "${{sutDir}}/{context}"\n'
                   '[[docker.composes]]\npath = "${sutDir}/compose.yml"\ndefault_host = "pepper_seed"\nservices = ["app"]\n')
        self.write("compose.yml", f"services:\n  app:\n    image: {self.name}-{name}\n    init: true\n"
                   "    command: [sleep, '100000']\n    stop_signal: SIGKILL\n")
        self.repositories.append(f"{self.name}-{name}")

    def write_hosts(self, change=lambda hosts: None):
        """hosts.json with this repo's link as the way to the jump host; `change` may edit {id: entry}."""
        with open(lab().environment["HOSTS"], encoding="utf-8") as file:
            entries = json.load(file)
        hosts = {f"{entry['ne']}_{entry['board']}": entry for entry in entries}
        with open(lab().environment["KNOWN_HOSTS"], encoding="utf-8") as file:
            known = file.read()
        with open(self.known_hosts, "w", encoding="utf-8") as file:
            file.write(known)  # it has this repo's link already
        hosts.update(self.more_hosts())
        for entry in hosts.values():
            if "ssh_options" in entry:
                entry["ssh_options"]["known_hosts"] = self.known_hosts
        hosts[self.gate]["ssh_options"]["port"] = self.port
        change(hosts)
        self.write("lab/hosts.json", json.dumps(list(hosts.values()), indent=2))

    def more_hosts(self):
        """Entries by host id beside the lab's own."""
        return {}

    def write_stack(self, text, *more, settings="", host=None):
        """Settings and compose files of a stack that is this repo's only one; `more` are (name, text, host)."""
        composes = {"compose.yml": (text, host or self.parent.machine)}
        composes.update({name: (content, where) for name, content, where in more})
        self.write(".otto/settings.toml",
                   f'name = "{self.name}"\nlabs = ["${{sutDir}}/lab"]\ndefault_lab = "veggies"\n' + settings +
                   "".join(f'[[docker.composes]]\npath = "${{sutDir}}/{name}"\ndefault_host = "{where}"\n'
                           for name, (_, where) in composes.items()))
        for name, (content, _) in composes.items():
            self.write(name, content)

    def clone(self, folder):
        """The same project freshly checked out at another path, by someone who remembers nothing."""
        other = object.__new__(type(self))
        other.name, other.link, other.port, other.links = self.name, self.link, self.port, self.links
        other.folder = os.path.join(lab().folder, folder)
        other.root = os.path.join(other.folder, "checkout")
        os.makedirs(other.folder)
        subprocess.run(["cp", "-R", self.root, other.root], check=True)  # modes kept, mtimes of now
        other._open(self.parent.machine)
        other.repositories = self.repositories
        shutil.copy(self.known_hosts, other.known_hosts)
        return other

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def replace(self, name, old, new):
        text = self.read(name)
        assert old in text, f"{name} does not have {old!r}"
        self.write(name, text.replace(old, new))

    def append(self, name, text):
        self.write(name, self.read(name) + text)

    def start(self, *arguments, stdin=subprocess.DEVNULL, **environment):
        """otto in the background."""
        return subprocess.Popen([*self.launcher, OTTO, *arguments], cwd=self.root, env={**self.environment, **environment}, text=True,
                                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                preexec_fn=die_with_parent)

    def finish(self, process, stdin=None, timeout=150):
        started = time.monotonic()
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"otto did not end within {timeout} s: {out}{err}") from None
        return Outcome.of(process.returncode, out, err, time.monotonic() - started)

    def text(self, *arguments, stdin=None, **environment):
        """otto with its output for people."""
        process = self.start(*arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, **environment)
        return self.finish(process, stdin)

    def otto(self, *arguments, stdin=None, **environment):
        """otto with --format json."""
        return self.text("--format", "json", *arguments, stdin=stdin, **environment)

    def done(self, *arguments, **environment):
        """otto with --format json, which must succeed."""
        outcome = self.otto(*arguments, **environment)
        assert outcome.code == 0, f"otto {shlex.join(arguments)} exits {outcome.code}\n{outcome.out}\n{outcome.err}"
        return outcome

    def up(self, *arguments):
        return self.done("docker", "up", *arguments)

    def build(self, *arguments):
        return self.done("docker", "build", *arguments)

    def hash(self, image):
        return self.done("docker", "context", image).json["hash"]

    def tag(self, image):
        return f"{self.name}-{image}:{self.hash(image)}"

    def containers(self):
        return self.parent.containers(self.project)

    def replicas(self, service):
        """Every container of a service as `docker inspect` tells it, lowest number first."""
        found = self.parent.inspect(f"label=com.docker.compose.project={self.project}", f"label=com.docker.compose.service={service}")
        return sorted(found, key=lambda each: int(each["Config"]["Labels"]["com.docker.compose.container-number"]))

    def images(self, image):
        """Tag → image id of one of this project's images, on the parent."""
        return self.parent.images(f"{self.name}-{image}")

    def staged(self, name):
        """Where a file of a context lies on the parent: the last staged one."""
        found = self.parent.sh('find /home/otto/.cache/otto/stages/"$1"-*/tree.* -path "*/$2"', self.name, name).split()
        assert len(found) == 1, f"{name} is staged as {found}"
        return found[0]

    def sent(self, *arguments):
        """Runs otto; gives its outcome and the bytes it sent through this repo's link."""
        before = lab().link(self.link)["up_bytes"]
        outcome = self.done(*arguments)
        return outcome, lab().link(self.link)["up_bytes"] - before

    def clear(self):
        for machine in {"pepper_seed", "carrot_seed", self.parent.machine}:
            Parent(machine).clear(self.project, self.repositories)
        for link in self.links:
            lab().tool("link", link, "--close", check=False)
        shutil.rmtree(self.folder)


class OldRepo(Repo):
    """A copy of the example whose parent is the old one: Docker 20.10 without buildx, Compose v1."""
    gate = OLD_PARENT

    def __init__(self, name):
        self.old = lab().start(OLD_PARENT)
        super().__init__(name, OLD_PARENT)
        self.replace(".otto/settings.toml", f'default_host = "{PARENT}"', f'default_host = "{OLD_PARENT}"')

    def more_hosts(self):
        return copy.deepcopy(self.old)


def tree_of(folder):
    """Path → what is there, below a folder of this machine."""
    found = {}
    for root, directories, files in os.walk(os.fsencode(folder)):
        for name in directories + files:
            path = os.path.join(root, name)
            facts = os.lstat(path)
            if stat.S_ISLNK(facts.st_mode):
                entry = ("link", os.readlink(path))
            elif stat.S_ISDIR(facts.st_mode):
                entry = ("dir", stat.S_IMODE(facts.st_mode))
            else:
                with open(path, "rb") as file:
                    entry = ("file", stat.S_IMODE(facts.st_mode), file.read())
            found[os.path.relpath(path, os.fsencode(folder))] = entry
    return found


def write_file(path, content=b"", mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def make_odd_tree(folder):
    """13 files and links of every kind that put and get must keep; `chmod -R u+rwx` it to remove it."""
    def write(name, *more):
        write_file(os.path.join(os.fsencode(folder), os.fsencode(name)), *more)

    write("empty")
    write("run me", b"#!/bin/sh\n", 0o755)
    write("secret", b"s", 0o600)
    write("readonly", b"r", 0o444)
    write(b"\xff\xfe\n'\"$(x) *", b"odd", 0o640)
    write("-dash", b"dash")
    write(".hidden/..deep", b"deep")
    write("long" * 40 + "/" + "name" * 50, b"long")
    write("big", bytes(range(256)) * 8192)
    write("closed/inside", b"in")
    os.makedirs(os.path.join(folder, "nothing"))
    os.symlink("run me", os.path.join(folder, "link"))
    os.symlink("/nowhere/at all", os.path.join(folder, "dangling"))
    os.symlink("nothing", os.path.join(folder, "dirlink"))
    os.chmod(os.path.join(folder, "nothing"), 0o1777)
    os.chmod(os.path.join(folder, "closed"), 0o555)


class Test(unittest.TestCase):
    """A test class in one repo, which the classes of its module may share."""
    maxDiff = None
    longMessage = True
    _repos = {}

    @classmethod
    def own(cls, name):
        if name not in Test._repos:
            Test._repos[name] = Repo(name)
            unittest.addModuleCleanup(Test._repos[name].clear)
        return Test._repos[name]

    def assert_error(self, outcome, exit_code, code, *words, hint=None):
        """One error document: exit code, stable code, words of the message, words of the hint."""
        shown = f"exit {outcome.code}\n{outcome.out}\n{outcome.err}"
        self.assertEqual(outcome.code, exit_code, shown)
        self.assertIsNotNone(outcome.json, shown)
        self.assertEqual(set(outcome.json), {"error"}, shown)
        error = outcome.error()
        self.assertLessEqual({"code", "message", "context"}, set(error), shown)
        self.assertLessEqual(set(error), {"code", "message", "context", "hint"}, shown)
        self.assertEqual(error["code"], code, shown)
        for word in words:
            self.assertIn(word, error["message"], shown)
        if hint is not None:
            self.assertIn(hint, error.get("hint", ""), shown)
        self.assertRegex(outcome.err, "(?m)^otto: error: ", shown)

    def assert_goes_there_and_back(self, repo, *ids):
        """put and get of a tree and of one file with bytes of every value, on each of these hosts."""
        folder = tempfile.mkdtemp(dir=repo.folder)
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+rwx", folder], check=False)
        tree, far = os.path.join(folder, "tree"), f"/tmp/{os.path.basename(folder)}"
        make_odd_tree(tree)
        for id in ids:
            back = os.path.join(folder, "back-" + id)
            self.assertEqual(repo.done("host", id, "put", tree, far).json["files"], 13)
            repo.done("host", id, "get", far, back)
            self.assertEqual(tree_of(back), tree_of(tree), id)
            repo.done("host", id, "put", os.path.join(tree, "big"), far + "-big")
            repo.done("host", id, "get", far + "-big", back + "-big")
            with open(back + "-big", "rb") as file:
                self.assertEqual(file.read(), bytes(range(256)) * 8192, id)
            outcome = repo.text("host", id, "oneshot", f"chmod -R u+rwx {far}; rm -r {far} {far}-big; ls -a /tmp | grep otto-put")
            self.assertEqual(outcome.out, "", id)

    def assert_hash_tag(self, tag, repository):
        self.assertRegex(tag, "^" + re.escape(repository) + ":[0-9a-f]{40}$")


class StackTest(Test):
    """Each test has the repo to itself, with a stack of its own; the project's containers go in between."""
    name = ""

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.own(cls.name)

    def setUp(self):
        self.addCleanup(self.repo.parent.clear, self.repo.project, [])

    def services(self, text, **options):
        """A stack of these services, as they stand below `services:`."""
        self.repo.write_stack("services:\n" + text, **options)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unittest.main(verbosity=2)
