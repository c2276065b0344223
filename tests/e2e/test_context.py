#!/usr/bin/env python3
"""Build contexts as Docker reads them: generated trees and ignore files, read by otto and by a real engine, must hold the same.

The engine's own reading is a build with one named context a case (each applies its own .dockerignore, as the main context
does), all bound into one RUN that lists them with tar. Many small rule sets share a context, each in a directory of its own.
Everything follows from a seed; the first case that differs is shrunk and printed. OTTO_CONTEXT_SEED and OTTO_CONTEXT_ROUNDS
(one round: CONTEXTS contexts) ask for other and more cases than the few seconds' worth of a check.
"""

import dataclasses
import io
import json
import os
import random
import shutil
import socket
import subprocess
import tarfile
import unittest

import harness
from harness import lab

ENGINE = "carrot_seed"
SEED = int(os.environ.get("OTTO_CONTEXT_SEED", "20"))
ROUNDS = int(os.environ.get("OTTO_CONTEXT_ROUNDS", "1"))
CONTEXTS, PACKED = 100, 25  # of a round: contexts, every second of which holds so many rule sets
REFUSALS = 8  # of a round: how many refused ignore files are shown to the engine, one build each

NAMES = ["a", "b", "c", "ab", "abc", "a.b", ".a", "A", "x.txt", "README.md", "x y", "é", "[a]", "a*", "b?", "!c", "#d", "e\\f",
         "a-b", "^g", "(h)", "a+", "$i", "node_modules", "tmp~"]
MODES = [0o644, 0o644, 0o755, 0o600, 0o444, 0o640, 0o4755, 0o2755, 0o1644]
DIRECTORY_MODES = [0o755, 0o755, 0o755, 0o700, 0o1777, 0o2775, 0o711]
SEGMENTS = ["*", "**", "?", "a*", "*b", "*.txt", "[ab]", "[^a]", "[a-c]", "[a-c]*", "?b", "**b", "a**", "\\*", "\\?", "\\[a]", "\\!c",
            "\\#d", "e\\\\f", ".", "..", "", "*.*", "[[]", "(h)*", "a+*", "^*", "$*", "é*", "[^é]", "a|b*", "\\d", "[\\]]"]
BROKEN = ["a\\", "[", "[]a]", "[a-", "[]", "[b-a]", "!"]


@dataclasses.dataclass(frozen=True)
class Case:
    """A tree (path → entry) and the text of its ignore file."""
    tree: dict
    rules: bytes


def directory(dice):
    return ("dir", dice.choice(DIRECTORY_MODES), "")


def generate_tree(dice, size):
    tree, folders = {}, [""]
    for _ in range(size):
        path = dice.choice(folders[-6:]) + dice.choice(NAMES)
        if path in tree:
            continue
        kind = dice.random()
        if kind < 0.4 and path.count("/") < 4:
            tree[path] = directory(dice)
            folders.append(path + "/")
        elif kind < 0.43:
            tree[path] = ("fifo", dice.choice(MODES), "")
        elif kind < 0.9:
            tree[path] = ("file", dice.choice(MODES), "")
        else:
            tree[path] = ("symlink", 0o777, dice.choice(["a", "../a", "nowhere", "/etc", ".", "é", "a/b"]))
    return tree


def generate_pattern(dice, tree):
    if tree and dice.random() < 0.75:
        segments = dice.choice(list(tree)).split("/")
    else:
        segments = [dice.choice(NAMES) for _ in range(dice.randint(1, 3))]
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        place = dice.randrange(len(segments) + 1)
        segments[place:place + dice.randint(0, 1)] = [dice.choice(SEGMENTS)]
    pattern = "/".join(segments)
    head, tail = dice.random(), dice.random()
    pattern = ("/" if head < 0.1 else "./" if head < 0.2 else "**/" if head < 0.25 else "") + pattern
    return pattern + ("/" if tail < 0.1 else "/**" if tail < 0.15 else "/*" if tail < 0.2 else "")


def generate_lines(dice, tree):
    lines = [dice.choice(("*", "**", "*/*", dice.choice(NAMES), dice.choice(list(tree) or NAMES)))] if dice.random() < 0.4 else []
    for _ in range(dice.randint(1, 6)):
        pattern = generate_pattern(dice, tree)
        if dice.random() < 0.35:
            pattern = dice.choice(("!", "!", "!", "! ", "!/")) + pattern
        shape = dice.random()
        lines.append(" " + pattern + "\t" if shape < 0.05 else "#" + pattern if shape < 0.08 else "" if shape < 0.1 else pattern)
    return lines


def whole(dice):
    """One rule set for the whole context."""
    tree = generate_tree(dice, dice.randint(4, 24))
    lines = generate_lines(dice, tree)
    if dice.random() < 0.1:
        lines.insert(dice.randrange(len(lines) + 1), dice.choice(BROKEN))
    text = dice.choice(("\n", "\n", "\n", "\r\n")).join(lines) + dice.choice(("", "\n"))
    return Case(tree, (b"\xef\xbb\xbf" if dice.random() < 0.1 else b"") + text.encode())


def packed(dice, count):
    """Many rule sets, each about a directory of its own."""
    tree, lines = {}, []
    for number in range(count):
        part = generate_tree(dice, dice.randint(2, 9))
        tree[f"{number}"] = directory(dice)
        tree.update({f"{number}/{path}": entry for path, entry in part.items()})
        for line in generate_lines(dice, part):
            sign = "!" if line.startswith("!") else ""
            lines.append(f"{sign}{number}/{line.strip().removeprefix('!').strip()}")
    return Case(tree, "\n".join(lines).encode())


def plant(case, folder):
    os.makedirs(folder)
    for path, (kind, mode, target) in case.tree.items():
        place = os.path.join(folder, path)
        if kind == "dir":
            os.mkdir(place)
            os.chmod(place, mode)
        elif kind == "symlink":
            os.symlink(target, place)
        elif kind == "fifo":
            os.mkfifo(place)
            os.chmod(place, mode)
        else:
            with open(place, "wb") as file:
                file.write(path.encode())
            os.chmod(place, mode)
    with open(os.path.join(folder, ".dockerignore"), "wb") as file:
        file.write(case.rules)


def entries_of(archive, below):
    """What a tar holds below a directory: path → (type, permission bits but for symlinks, target)."""
    found = {}
    for member in archive:
        path = member.name.removeprefix("./")
        if not path.startswith(below + "/"):
            continue
        kind = "dir" if member.isdir() else "symlink" if member.issym() else "fifo" if member.isfifo() else "file"
        found[path.removeprefix(below + "/")] = (kind, member.mode & 0o7777 if kind != "symlink" else 0,
                                                 member.linkname if kind == "symlink" else "")
    return found


class Oracle:
    """otto's and the engine's reading of the same cases."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", "OTTO_STATE_DIR": folder + "/state"}
        self.count = 0

    def plant(self, cases):
        self.count += 1
        root = os.path.join(self.folder, f"batch{self.count}")
        for number, case in enumerate(cases):
            plant(case, os.path.join(root, f"c{number}"))
        os.mkdir(os.path.join(root, ".otto"))
        with open(os.path.join(root, "Dockerfile"), "w", encoding="utf-8") as file:
            file.write("FROM scratch\n")
        with open(os.path.join(root, ".otto", "settings.toml"), "w", encoding="utf-8") as file:
            file.write('name = "differential"\n')
            for number in range(len(cases)):
                file.write(f'[[docker.images]]\nname = "c{number}"\ndockerfile = "Dockerfile"\ncontext = "c{number}"\n')
        return root

    def otto(self, root, number):
        """The entries that otto lists; None where it refuses the ignore file."""
        command = [harness.OTTO, "docker", "context", f"c{number}", "--format", "json"]
        answer = subprocess.run(command, cwd=root, env=self.environment, capture_output=True, timeout=60, check=False)
        document = json.loads(answer.stdout)
        if answer.returncode == 2 and ".dockerignore:" in document["error"]["message"]:
            return None
        assert answer.returncode == 0, answer.stderr.decode()
        return {file["path"]: (file["type"], int(file["mode"], 8) if file["type"] != "symlink" else 0, file.get("target", ""))
                for file in document["files"]}

    def engine(self, root, numbers):
        """Number → entries that the engine sees; None where it refuses one of the ignore files."""
        place = f"/tmp/{os.path.basename(self.folder)}-{os.path.basename(root)}"
        names = [f"c{number}" for number in numbers]
        mounts = " ".join(f"--mount=from={name},target=/in/{name}" for name in names)
        dockerfile = f"FROM otto-lab/base:1 AS list\nRUN {mounts} tar -c -C /in -f /out.tar .\nFROM scratch\nCOPY --from=list /out.tar /\n"
        contexts = " ".join(f"--build-context {name}={name}" for name in names)
        script = (f"mkdir -p {place}/empty && cd {place} && tar -x && {{ docker buildx build -q --no-cache {contexts} -f Dockerfile "
                  f"--output type=tar,dest=- empty; code=$?; rm -rf {place}; exit $code; }}")
        with open(os.path.join(root, "Dockerfile"), "w", encoding="utf-8") as file:
            file.write(dockerfile)
        sender = subprocess.Popen(["tar", "-c", "-C", root, "Dockerfile", *names], stdout=subprocess.PIPE)
        answer = subprocess.run(lab().command(ENGINE, "sh", "-c", script), stdin=sender.stdout,
                                capture_output=True, timeout=240, check=False)
        sender.stdout.close()
        sender.wait()
        if answer.returncode != 0:
            words = answer.stderr.decode(errors="replace")
            if "Canceled" in words and len(numbers) == 1:  # the reason lost the race against its consequences
                return self.engine(root, numbers)
            assert any(word in words for word in ("pattern", "syntax error", "illegal exclusion", "Canceled")), words
            return None
        with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as outer, tarfile.open(fileobj=outer.extractfile("out.tar")) as inner:
            members = list(inner)
        return {number: entries_of(members, f"c{number}") for number in numbers}

    def differing(self, cases, refusals=None):
        """[(index, engine's entries, otto's)] of the cases that are read differently; None stands for refused."""
        root = self.plant(cases)
        read = [self.otto(root, number) for number in range(len(cases))]
        accepted = [number for number, entries in enumerate(read) if entries is not None]
        found = []
        for number in [number for number, entries in enumerate(read) if entries is None][:refusals]:
            seen = self.engine(root, [number])
            if seen is not None:
                found.append((number, seen[number], None))
        for number, entries in self.seen(root, accepted).items():
            if entries != read[number]:
                found.append((number, entries, read[number]))
        shutil.rmtree(root)
        return found

    def seen(self, root, numbers):
        """As engine(), but those that it refuses are found out and are None."""
        if not numbers:
            return {}
        seen = self.engine(root, numbers)
        if seen is not None:
            return seen
        if len(numbers) == 1:
            return {numbers[0]: None}
        half = len(numbers) // 2
        return {**self.seen(root, numbers[:half]), **self.seen(root, numbers[half:])}

    def shrunk(self, case):
        """A smaller case that is still read differently: lines and entries are left out while one can be."""
        for _ in range(60):
            lines = case.rules.split(b"\n")
            pieces = max(1, len(lines) // 4)
            smaller = [Case(case.tree, b"\n".join(lines[:at] + lines[at + pieces:])) for at in range(0, len(lines), pieces)]
            smaller += [Case(case.tree, b"\n".join(lines[:at] + lines[at + 1:])) for at in range(len(lines)) if pieces > 1]
            tops = {path.split("/")[0] for path in case.tree}
            for gone in (tops if len(tops) > 1 else set()) | (set(case.tree) if len(case.tree) < 40 else set()):
                tree = {path: entry for path, entry in case.tree.items() if path != gone and not path.startswith(gone + "/")}
                smaller.append(Case(tree, case.rules))
            still = self.differing(smaller[:60])
            if not still:
                return case
            case = min((smaller[index] for index, _, _ in still), key=lambda each: (len(each.tree), len(each.rules)))
        return case


def told(case, engine, otto):
    lines = ["the ignore file", *(f"    {line!r}" for line in case.rules.split(b"\n")), "of the tree"]
    lines += [f"    {kind} {path!r} {target}" for path, (kind, _, target) in sorted(case.tree.items())]
    if engine is None or otto is None:
        return "\n".join(lines + [f"is refused by {'the engine' if engine is None else 'otto'} only"])
    for who, ours, theirs in (("the engine", engine, otto), ("otto", otto, engine)):
        lines += [f"only {who} sees {path!r} as {entry}" for path, entry in sorted(ours.items()) if theirs.get(path) != entry]
    return "\n".join(lines)


class Differential(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(lab().folder, f"context-{os.getpid()}")
        os.mkdir(cls.folder)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.oracle = Oracle(cls.folder)

    def test_generated_trees_and_ignore_files(self):
        for number in range(ROUNDS):
            dice = random.Random(f"{SEED}/{number}")
            cases = [packed(dice, PACKED) if index % 2 else whole(dice) for index in range(CONTEXTS)]
            differing = self.oracle.differing(cases, REFUSALS)
            if not differing:
                continue
            case = self.oracle.shrunk(cases[differing[0][0]])
            _, engine, otto = self.oracle.differing([case])[0]
            self.fail(f"seed {SEED}, round {number}: {len(differing)} of {len(cases)} contexts are read differently; the first, "
                      f"shrunk:\n{told(case, engine, otto)}")


class Places(unittest.TestCase):
    """Which ignore file is in force, by where the Dockerfile lies: the engine builds the very folder, COPY . / and all."""

    def both(self, dockerfile, files, special=lambda root: None):
        """(what otto lists, what the engine copies; path → type) for the context `ctx` below a folder that holds these files."""
        root = os.path.join(lab().folder, f"places-{os.getpid()}")
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        settings = f'name = "places"\n[[docker.images]]\nname = "it"\ndockerfile = "{dockerfile}"\ncontext = "ctx"\n'
        for path, text in {".otto/settings.toml": settings, dockerfile: "FROM scratch\nCOPY . /\n", **files}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        tar = subprocess.run(["tar", "-c", "-C", root, dockerfile, "ctx", *(path for path in files if not path.startswith("ctx/"))],
                             capture_output=True, check=True).stdout
        socket_at = special(root)
        environment = {"PATH": "/usr/bin:/bin", "HOME": root, "LANG": "C.UTF-8", "OTTO_STATE_DIR": root + "/state"}
        otto = subprocess.run([harness.OTTO, "docker", "context", "it", "--format", "json"], cwd=root, env=environment,
                              capture_output=True, text=True, timeout=60, check=True)
        bind = f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"{socket_at}\")' && mkfifo ctx/fifo && " if socket_at else ""
        script = (f"rm -rf /tmp/places && mkdir /tmp/places && cd /tmp/places && tar -x && {bind} docker buildx build -q --no-cache "
                  f"-f {dockerfile} --output type=tar,dest=- ctx; code=$?; rm -rf /tmp/places; exit $code")
        answer = subprocess.run(lab().command(ENGINE, "sh", "-c", script), input=tar,
                                capture_output=True, timeout=120, check=False)
        self.assertEqual(answer.returncode, 0, answer.stderr.decode())
        with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as archive:
            engine = {member.name.removeprefix("./").rstrip("/"): "fifo" if member.isfifo() else "dir" if member.isdir() else "file"
                      for member in archive}
        return {file["path"]: file["type"] for file in json.loads(otto.stdout)["files"]}, engine

    def assert_same(self, dockerfile, files, expected):
        otto, engine = self.both(dockerfile, files)
        self.assertEqual((sorted(otto), sorted(engine)), (sorted(expected), sorted(expected)))

    def test_the_dockerfiles_own_ignore_file_comes_first(self):
        self.assert_same("ctx/my.Dockerfile", {"ctx/.dockerignore": "a\n", "ctx/my.Dockerfile.dockerignore": "b\n", "ctx/a": "", "ctx/b": ""},
                         [".dockerignore", "a", "my.Dockerfile", "my.Dockerfile.dockerignore"])

    def test_also_outside_of_the_context(self):
        self.assert_same("docker/it.Dockerfile", {"ctx/.dockerignore": "a\n", "docker/it.Dockerfile.dockerignore": "b\n.docker*\n",
                                                  "ctx/a": "", "ctx/b": ""}, ["a"])

    def test_a_dockerfile_outside_with_the_contexts_ignore_file(self):
        self.assert_same("it.Dockerfile", {"ctx/.dockerignore": "a\n", "ctx/a": "", "ctx/b": ""}, [".dockerignore", "b"])

    def test_dockerfile_and_ignore_file_are_ignored_themselves(self):
        self.assert_same("ctx/Dockerfile", {"ctx/.dockerignore": "Dockerfile\n.dockerignore\n", "ctx/a": ""}, ["a"])
        self.assert_same("ctx/Dockerfile", {"ctx/.dockerignore": "*\n!a\n", "ctx/a": ""}, ["a"])

    def test_sockets_and_fifos(self):
        """The engine makes an empty file of a socket and copies a FIFO."""
        def special(root):
            os.mkfifo(os.path.join(root, "ctx/fifo"))
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(os.path.relpath(os.path.join(root, "ctx/sock")))
            return "ctx/sock"
        otto, engine = self.both("it.Dockerfile", {"ctx/a": ""}, special)
        self.assertEqual((otto, engine), ({"a": "file", "fifo": "fifo", "sock": "file"},) * 2)


if __name__ == "__main__":
    harness.main()
