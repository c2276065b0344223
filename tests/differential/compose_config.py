#!/usr/bin/env python3
"""Compose files as otto reads them, held against `docker compose config` with the same files.

    compose_config.py READER [--projects N] [--seed S] [--keep DIR]

READER is otto_compose_reading. Prints each difference with its seed; --seed shows one project in full. Ends with 1 where
there is any.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import compose_files  # noqa: E402

PLUGIN_FOLDERS = ["/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
                  "/usr/libexec/docker/cli-plugins"]
PROJECT = "otto-the-project"


def compose_program():
    """Compose itself, where it lies where it usually does: the way through the docker command takes twice as long."""
    for folder in [os.path.expanduser("~/.docker/cli-plugins"), *PLUGIN_FOLDERS]:
        program = pathlib.Path(folder, "docker-compose")
        if program.exists():
            return [str(program)]
    return ["docker", "compose"]


class Reader:
    """One otto_compose_reading."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the reader ended with {self.process.wait()} at {request}")
        return json.loads(answer)


def truth_of(program, project):
    """(document, None) or (None, words)."""
    files = [word for file in project.files for word in ("-f", file)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(project.folder / "home"), **project.env}
    done = subprocess.run([*program, "-p", PROJECT, *files, "config", "--format", "json"], cwd=project.folder, env=environment,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return (unescaped(json.loads(done.stdout)), None) if done.returncode == 0 else (None, done.stderr.strip())


def unescaped(value):
    """What `config` prints can be read again, so a dollar stands there as two."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    return {key: unescaped(item) for key, item in value.items()} if isinstance(value, dict) else value


def build_of_truth(build):
    return {
        "context": os.path.normpath(build["context"]),
        "dockerfile": None if "dockerfile_inline" in build else build.get("dockerfile", "Dockerfile"),
        "dockerfile_inline": build.get("dockerfile_inline"),
        "args": {name: value for name, value in (build.get("args") or {}).items() if value is not None},
        "target": build.get("target") or None,
        "platform": (build.get("platforms") or [None])[0],
        "labels": build.get("labels") or {},
        "network": build.get("network") or None,
        "extra_hosts": sorted(build.get("extra_hosts") or []),
        "ulimits": {name: limit_of_truth(limit) for name, limit in (build.get("ulimits") or {}).items()},
        "tags": sorted(set(build.get("tags") or [])),
    }


def limit_of_truth(limit):
    return f"{limit['soft']}:{limit['hard']}" if isinstance(limit, dict) else str(limit)


def build_of_otto(build, platform):
    options = build["options"]
    by_kind = {kind: [(name, value) for option, name, value in options if option == kind] for kind in ("label", "network", "add-host", "ulimit", "tag")}
    dockerfile = None if build["dockerfile_inline"] else os.path.normpath(build["dockerfile"] or "Dockerfile")
    return {
        "context": build["context"],
        "dockerfile": dockerfile,
        "dockerfile_inline": build["dockerfile_inline"],
        "args": build["args"],
        "target": build["target"],
        "platform": build["platform"] if platform is None else None,
        "labels": dict(by_kind["label"]),
        "network": by_kind["network"][0][1] if by_kind["network"] else None,
        "extra_hosts": sorted(name.replace(":", "=", 1) for name, _ in by_kind["add-host"]),
        "ulimits": dict(by_kind["ulimit"]),
        "tags": sorted(name for name, _ in by_kind["tag"]),
    }


def stack_of_truth(document):
    """What counts of Compose's answer, in the words of this comparison."""
    services, env_files, binds, files = {}, set(), set(), set()
    for name, service in (document.get("services") or {}).items():
        build = build_of_truth(service["build"]) if service.get("build") else None
        if build and build["dockerfile"]:
            build["dockerfile"] = os.path.normpath(build["dockerfile"])
        services[name] = {"image": service.get("image", ""), "build": build}
        env_files |= {key for key in (service.get("environment") or {}) if key.startswith("READ_")}
        binds |= {volume["source"] for volume in service.get("volumes") or [] if volume["type"] == "bind"}
        for kind in ("secrets", "configs"):
            for use in service.get(kind) or []:
                definition = document[kind][use["source"]]
                if "file" in definition:
                    files.add(definition["file"])
    return services, env_files, binds, files


def differences(project, truth, otto):
    """Lines that say what otto reads otherwise."""
    found = []
    services, env_files, binds, files = stack_of_truth(truth)
    active = {name: service for name, service in otto["services"].items() if not service["idle"]}
    if set(active) != set(services):
        return [f"active services: {sorted(active)}, Compose: {sorted(services)}"]
    for name, service in services.items():
        mine = active[name]
        if mine["image"] != service["image"]:
            found.append(f"{name}: image {mine['image']!r}, Compose: {service['image']!r}")
        if "trouble" in mine:
            found.append(f"{name}: {mine['trouble']}")
            continue
        build = build_of_otto(mine["build"], truth["services"][name].get("platform")) if "build" in mine else None
        wanted = service["build"]
        if wanted and truth["services"][name].get("platform"):
            wanted["platform"] = None
        if build != wanted:
            found.append(f"{name}: build {build}\n    Compose: {wanted}")
    required = {path["path"] for path in otto["paths"] if path["required"]}
    staged = {path["path"] for path in otto["paths"]}
    read = set()
    for path in staged:
        text = pathlib.Path(path)
        if text.suffix == ".env" and text.is_file() and text.name != ".env":
            read |= {line.split("=")[0] for line in text.read_text().splitlines() if line.startswith("READ_")}
    if not env_files <= read:
        found.append(f"env files that are not staged: {sorted(env_files - read)}")
    inside = {path for path in binds if not path.startswith("/abs")}
    if not inside <= {path["path"] for path in otto["paths"] if path["bind"]}:
        found.append(f"binds: {sorted(path['path'] for path in otto['paths'] if path['bind'])}, Compose: {sorted(inside)}")
    if not files <= required:
        found.append(f"files: {sorted(required)}, Compose: {sorted(files)}")
    return found


class Comparison:
    def __init__(self, reader, folder, keep):
        self.program = compose_program()
        self.reader_program = reader
        self.readers = threading.local()
        self.folder = pathlib.Path(folder)
        self.keep = keep

    def reader(self):
        if not hasattr(self.readers, "one"):
            self.readers.one = Reader(self.reader_program)
        return self.readers.one

    def compare(self, seed):
        """(whether Compose takes the project, differences, its words). `seed`: a number, or the name of a collected file."""
        folder = self.folder / str(seed)
        project = compose_files.Collected(seed, folder) if isinstance(seed, str) else compose_files.Project(seed, folder)
        (folder / "home/h").mkdir(parents=True, exist_ok=True)
        truth, refused = truth_of(self.program, project)
        otto = self.reader().read({"root": str(folder), "files": [str(folder / file) for file in project.files],
                                   "project": PROJECT, "env": {"HOME": str(folder / "home"), **project.env}})
        if truth is None:  # the parent's Compose will refuse it, too, but for `.env`, which does not go there
            found = [f".env is taken; Compose: {refused}"] if "failed to read" in refused and "error" not in otto else []
        elif "error" in otto:
            found = [f"refused: {otto['error']}"]
        else:
            found = differences(project, truth, otto)
        if not self.keep and not found:
            shutil.rmtree(folder, ignore_errors=True)
        return truth is not None, found, refused


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reader")
    parser.add_argument("--projects", type=int, default=500)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--keep")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        comparison = Comparison(options.reader, options.keep or scratch, bool(options.keep))
        seeds = [options.seed] if options.seed is not None else [*range(options.first, options.first + options.projects), *compose_files.COLLECTED]
        taken = wrong = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            for seed, (is_taken, found, refused) in zip(seeds, workers.map(comparison.compare, seeds)):
                taken += is_taken
                wrong += bool(found)
                for line in found:
                    print(f"seed {seed}: {line}")
                if options.seed is not None and refused:
                    print(f"Compose refuses it: {refused}")
        print(f"{len(seeds)} projects, of which Compose takes {taken}; {wrong} are read otherwise")
        return 1 if wrong or taken < len(seeds) / 2 else 0  # a comparison of nothing proves nothing


if __name__ == "__main__":
    sys.exit(main())
