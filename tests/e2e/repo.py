"""A private repo and the otto of the one who works in it.

Tests keep apart by project name: each Repo has a name, a compose suffix, a state directory, a home and a link to the jump host
of its own, so byte counters and broken links are nobody else's.
"""

import copy
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import time

from lab_access import OLD_PARENT, PARENT, SOURCE, Parent, die_with_parent, lab

OTTO = os.environ.get("OTTO_BINARY", os.path.join(SOURCE, "build", "dev", "cli", "otto"))
EXAMPLE = os.path.join(SOURCE, "docs", "examples", "veggies")
SUFFIX = "e2e"
SERVICES = {"api", "db", "metrics", "migrate", "worker"}


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
