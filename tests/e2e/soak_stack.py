"""The stack that the soak interrupts, and what must be true of it on the engine, asked past otto.

Every service is there for one way in which an interruption can hurt: replicas, a one-shot that others await, a sidecar, a
health check, processes that ignore TERM, that exit 0 on it and that take their time, volumes that hold what was written
once. `Definition` is what can be edited; `differences` holds the engine against it.
"""

import dataclasses
import json
import re

import harness

BASE = "otto-lab/base:1"
IMAGE = "app"
SERVICES = ("db", "migrate", "api", "core", "metrics", "polite", "slow", "follower")
OWN_IMAGE = ("api", "core")
RUNNING = tuple(service for service in SERVICES if service != "migrate")
TOKENS = {"db": "/data/token", "polite": "/kept/token", "core": "/image/token"}  # a named volume, one of the file's, the image's
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"

IDLE = "while :; do sleep 1 & wait $!; done"
ONCE = "[ -e {path} ] || cat /proc/sys/kernel/random/uuid > {path}; "
PROCESSES = {
    "db": ONCE.format(path=TOKENS["db"]) + "trap 'exit 143' TERM; touch /tmp/ready; " + IDLE,
    "migrate": "sleep 0.5; echo migrated to $WORD",
    "api": "trap 'exit 143' TERM; " + IDLE,
    "core": ONCE.format(path=TOKENS["core"]) + "trap '' TERM; " + IDLE,
    "metrics": "trap 'exit 143' TERM; " + IDLE,
    "polite": ONCE.format(path=TOKENS["polite"]) + "trap 'exit 0' TERM; " + IDLE,
    "slow": "trap 'sleep 1; exit 0' TERM; " + IDLE,
    "follower": "trap 'exit 143' TERM; " + IDLE,
}
DOCKERFILE = f"FROM {BASE}\nCOPY content /content\nVOLUME /image\n"
IMAGES = (f'[[docker.images]]\nname = "{IMAGE}"\ndockerfile = "${{sutDir}}/soak/Dockerfile"\n'
          'context = "${sutDir}/soak/context"\n')


def is_old(repo):
    """Compose v1, which knows no `depends_on.restart`."""
    return isinstance(repo, harness.OldRepo)


@dataclasses.dataclass(frozen=True)
class Definition:
    """What the files say: the image's content, one word of environment a service, how many `api` there are."""
    content: str = "first"
    replicas: int = 2
    words: tuple = tuple((service, "first") for service in SERVICES)

    def edited(self, edit, services, value):
        """`edit` names what changes, joined by "+"; env is that of these services."""
        changed = self
        if "content" in edit:
            changed = dataclasses.replace(changed, content=value)
        if "env" in edit:
            changed = dataclasses.replace(changed, words=tuple((name, value if name in services else word)
                                                               for name, word in self.words))
        if "replicas" in edit:
            changed = dataclasses.replace(changed, replicas=1 + self.replicas % 3)
        return changed

    def count(self, service):
        return self.replicas if service == "api" else 1

    def write(self, repo):
        """The files as they say it, in a repo."""
        repo.write("soak/Dockerfile", DOCKERFILE)
        repo.write("soak/context/content", self.content + "\n")
        repo.write_stack(json.dumps({"services": self._services(repo.name, is_old(repo)), "volumes": {"named": {}}}, indent=1),
                         settings=IMAGES)

    def _services(self, name, old):
        words = dict(self.words)
        services = {each: {"image": f"{name}-{IMAGE}" if each in OWN_IMAGE else BASE, "environment": {"WORD": words[each]},
                           "command": ["sh", "-c", PROCESSES[each].replace("$", "$$")]} for each in SERVICES}
        services["db"].update(volumes=["named:/data"], healthcheck={"test": ["CMD", "test", "-e", "/tmp/ready"],
                                                                    "interval": "500ms", "retries": 60})
        services["migrate"].update(depends_on={"db": {"condition": "service_healthy"}})
        services["api"].update(scale=self.replicas, depends_on={"migrate": {"condition": "service_completed_successfully"}})
        services["metrics"].update(network_mode="service:core")
        services["polite"].update(volumes=["/kept"])
        services["slow"].update(stop_grace_period="4s")
        condition = {"condition": "service_started"} | ({} if old else {"restart": True})
        services["follower"].update(depends_on={"polite": condition})
        return services


def service_of(container):
    return container["Config"]["Labels"].get(SERVICE)


def found_in(repo):
    """Every container that is the project's by label or, whatever its labels, by name."""
    return json.loads(repo.parent.sh(
        'ids=$({ docker ps -aq --filter "label=$1=$2"; docker ps -aq --filter "name=$2[-_]"; } | sort -u); '
        '[ -z "$ids" ] && echo "[]" || docker inspect $ids', PROJECT, repo.project))


def read_inside(repo, wanted):
    """What files hold inside of containers; `wanted` are (container id, path), a file that is not there is empty."""
    script = 'while [ $# -gt 0 ]; do docker exec "$1" cat "$2" 2>/dev/null || echo; shift 2; done'
    return repo.parent.sh(script, *(word for pair in wanted for word in pair)).splitlines()


def differences(repo, definition):
    """What is not as the files say, a line each; nothing where all is well."""
    containers = found_in(repo)
    by_service = {service: [each for each in containers if service_of(each) == service] for service in SERVICES}
    found = _names(repo, containers)
    for service, replicas in by_service.items():
        if len(replicas) != definition.count(service):
            found.append(f"{service}: {len(replicas)} containers instead of {definition.count(service)}")
        for each in replicas:
            found += [f"{each['Name']} {problem}" for problem in _container(each, service, dict(definition.words)[service])]
    return found or _contents(repo, definition, by_service) + _neighbours(by_service, is_old(repo)) + _networks(repo)


def _names(repo, containers):
    plain = re.compile(rf"/{re.escape(repo.project)}[-_]({'|'.join(SERVICES)})[-_]\d+")
    return [f"{each['Name']} ({each['State']['Status']}) is there" for each in containers if not plain.fullmatch(each["Name"])]


def _container(container, service, word):
    """A container by itself: its state, and the definition that it was made from."""
    state = container["State"]
    if service == "migrate":
        if (state["Status"], state["ExitCode"]) != ("exited", 0) or state["StartedAt"].startswith("0001"):
            yield f"is a one-shot, and {state['Status']} with {state['ExitCode']}, started {state['StartedAt']}"
    elif state["Status"] != "running":
        yield f"is {state['Status']} with {state['ExitCode']}"
    if f"WORD={word}" not in container["Config"]["Env"]:
        yield f"has {container['Config']['Env']} instead of WORD={word}"


def _contents(repo, definition, by_service):
    containers = [each for service in OWN_IMAGE for each in by_service[service]]
    contents = read_inside(repo, [(each["Id"], "/content") for each in containers])
    return [f"{each['Name']} has the content {content!r} instead of {definition.content!r}"
            for each, content in zip(containers, contents) if content != definition.content]


def _neighbours(by_service, old):
    """Who lives in whom, and who must have started after whom."""
    core, metrics = by_service["core"][0], by_service["metrics"][0]
    polite, follower = by_service["polite"][0], by_service["follower"][0]
    found = []
    if metrics["HostConfig"]["NetworkMode"] != f"container:{core['Id']}":
        found.append(f"metrics lives in {metrics['HostConfig']['NetworkMode']} instead of core's {core['Id']}")
    if metrics["State"]["StartedAt"] < core["State"]["StartedAt"]:
        found.append(f"metrics started {metrics['State']['StartedAt']}, core only {core['State']['StartedAt']}")
    if not old and follower["State"]["StartedAt"] < polite["Created"]:
        found.append(f"follower started {follower['State']['StartedAt']}, polite was made {polite['Created']}")
    return found


def _networks(repo):
    names = repo.parent.docker("network", "ls", "--filter", f"label={PROJECT}={repo.project}", "--format", "{{.Name}}").split()
    return [] if names == [f"{repo.project}_default"] else [f"the project's networks are {names}"]


def tokens(repo):
    """What was written once at the first start, by service; empty where it is not there."""
    ids = {service_of(each): each["Id"] for each in found_in(repo)}
    return dict(zip(TOKENS, read_inside(repo, [(ids[service], path) for service, path in TOKENS.items()])))


def leftovers(repo):
    """Temporary folders, and processes of the account that otto uses there, but for sshd's: nobody else may be using the parent."""
    left = repo.parent.sh("find /home/otto/.cache/otto/stages -maxdepth 1 '(' -name 'build.*' -o -name 'compose.*' ')'; "
                          "pgrep -u otto -a | grep -v ' sshd: ' || :")
    return [f"left over: {line}" for line in left.splitlines()]


def clear_leftovers(repo):
    """Removes what `leftovers` finds."""
    repo.parent.sh("pkill -KILL -u otto; cd /home/otto/.cache/otto/stages 2>/dev/null && rm -rf build.* compose.*", check=False)


def touched(repo):
    """What changes when anybody touches a container."""
    return {each["Name"]: (each["Id"], each["State"]["StartedAt"]) for each in found_in(repo)}
