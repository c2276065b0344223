#!/usr/bin/env python3
"""Permission bits of directories, changed in every way that is meant to deceive the engine, round after round.

Three contexts share their content, and three checkouts with a memo each build them on one engine: two by one account, so that
they share stages, the third by another account, so that only the engine's own cache is shared. Every round changes modes of
directories alone or with edits, removes directories and makes them again, or changes them by hand in the stage. After each,
every image must hold exactly what its context does. Everything follows from the seed.

    OTTO_E2E_LAB=/tmp/lab OTTO_BINARY=build/dev/cli/otto tests/e2e/soak_modes.py --rounds 200 --seed 7
"""

import argparse
import os
import random
import shutil
import stat
import sys

import harness

PARENT = "carrot_seed"
MODES = (0o755, 0o700, 0o1777, 0o2775, 0o555)
FOLDERS = ("d", "d/in", "e", "e/deep/er")
IMAGES = ("one", "two", "three")
DOCKERFILES = {"one": "FROM otto-lab/base:1\nCOPY . /ctx/\n", "two": "FROM otto-lab/base:1\nCOPY d /ctx/d/\nCOPY e /ctx/e/\n",
               "three": "FROM otto-lab/base:1\nCOPY . /ctx/\nRUN true\n"}
# COPY of a directory takes what is in it, not its own mode.
UNTOLD = {"one": (), "two": ("d", "e"), "three": ()}


def settings(name):
    return f'name = "{name}"\nlabs = ["${{sutDir}}/lab"]\ndefault_lab = "veggies"\n' + "".join(
        f'[[docker.images]]\nname = "{image}"\ndockerfile = "${{sutDir}}/docker/{image}.Dockerfile"\n'
        f'context = "${{sutDir}}/{image}"\n' for image in IMAGES) + \
        '[[docker.composes]]\npath = "${sutDir}/compose.yml"\ndefault_host = "carrot_seed"\n'


class Soak:
    """A repo on PARENT and two more checkouts of it; `round()` changes something, builds, and compares."""

    def __init__(self, repo, seed):
        self.dice, self.repo = random.Random(seed), repo
        repo.repositories += [f"{repo.name}-{image}" for image in IMAGES]
        repo.write(".otto/settings.toml", settings(repo.name))
        repo.write("compose.yml", "services:\n  idle:\n    image: otto-lab/base:1\n    command: [sleep, '100000']\n")
        for image in IMAGES:
            repo.write(f"docker/{image}.Dockerfile", DOCKERFILES[image])
            for folder in FOLDERS:
                repo.write(f"{image}/{folder}/file", f"{folder}\n")
        self.users = [repo, repo.clone(repo.name + "-other"), repo.clone(repo.name + "-colleague")]
        self.homes = ["/home/otto", "/home/otto", "/home/nodocker"]
        self.users[2].write_hosts(lambda hosts: hosts[PARENT].update(
            creds={harness.lab().environment["NODOCKER_USER"]: None}, docker_command=["sudo", "-n", "docker"]))
        self.log = []

    def close(self):
        for user in self.users[1:]:
            shutil.rmtree(user.folder)

    def folders(self, user, image):
        root = user.path(image)
        return sorted(os.path.relpath(os.path.join(where, name), root) for where, names, _ in os.walk(root) for name in names)

    def write(self, user, name, text):
        folder = os.path.dirname(user.path(name))
        mode = stat.S_IMODE(os.stat(folder).st_mode) if os.path.isdir(folder) else 0o755
        if os.path.isdir(folder):
            os.chmod(folder, 0o755)
        user.write(name, text)
        os.chmod(folder, mode)

    def change(self, user):
        image, dice = self.dice.choice(IMAGES), self.dice
        known = self.folders(user, image)
        folder, mode, what = dice.choice(known), dice.choice(MODES), dice.random()
        place = user.path(f"{image}/{folder}")
        self.log.append(f"user {self.users.index(user)} {image}/{folder} {mode:o} {what:.2f}")
        if what < 0.5:
            os.chmod(place, mode)
        elif what < 0.7:
            self.write(user, f"{image}/{folder}/file", f"{dice.random()}\n")
            os.chmod(place, mode)
        elif what < 0.8:
            shutil.rmtree(place)
            os.makedirs(place)
            self.write(user, f"{image}/{folder}/file", f"{folder}\n")
            os.chmod(place, mode)
        elif what < 0.9:  # as another context has it: what the engine keeps of that one may be taken
            other = dice.choice([each for each in IMAGES if each != image])
            shutil.rmtree(user.path(image))
            shutil.copytree(user.path(other), user.path(image))
        else:
            staged = f"{self.homes[self.users.index(user)]}/.cache/otto/stages/{user.name}-*/tree.*/{folder}"
            user.parent.sh(f'for path in {staged}; do [ ! -d "$path" ] || chmod 0{mode:o} "$path"; done')

    def holds(self, user, image):
        """Path → mode and content of what the image has, and of what it should have."""
        found = {}
        out = user.parent.docker("run", "--rm", "--network", "none", user.tag(image), "sh", "-c",
                                 "cd /ctx && find . -mindepth 1 -type d -exec stat -c '%a %n' {} + && "
                                 "find . -type f | while read -r f; do echo \"$(stat -c %a \"$f\"):$(cat \"$f\") $f\"; done")
        for line in out.splitlines():
            about, path = line.rsplit(" ", 1)
            found[path.removeprefix("./")] = about
        wanted, root = {}, user.path(image)
        for where, folders, files in os.walk(root):
            for name in folders + files:
                place = os.path.join(where, name)
                path, mode = os.path.relpath(place, root), f"{stat.S_IMODE(os.stat(place).st_mode):o}"
                wanted[path] = mode if name in folders else f"{mode}:{user.read(f'{image}/{path}').strip()}"
        for path in UNTOLD[image]:
            wanted.pop(path, None), found.pop(path, None)
        return found, wanted

    def round(self):
        """None, or what is wrong."""
        for user in self.users:
            for _ in range(self.dice.randint(0, 2)):
                self.change(user)
        running = [(user, user.start("docker", "build", "--format", "json"))
                   for user in (self.users if self.dice.random() < 0.5 else self.users[:1])]
        running += [(user, None) for user in self.users[len(running):]]
        for user, process in running:
            outcome = user.finish(process or user.start("docker", "build", "--format", "json"))
            if outcome.code != 0:
                return f"otto exits {outcome.code}: {outcome.err}"
        for user in self.users:
            for image in IMAGES:
                found, wanted = self.holds(user, image)
                if found != wanted:
                    wrong = {path: (found.get(path), wanted.get(path)) for path in found.keys() | wanted.keys()
                             if found.get(path) != wanted.get(path)}
                    again = self.holds(user, image)[0] == found
                    return f"{user.tag(image)} has, {'also when asked again' if again else 'but not when asked again'}, and should have: {wrong}"
        return None


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    repo = harness.Repo(f"soakmodes{given.seed}", PARENT)
    soak = Soak(repo, given.seed)
    try:
        for number in range(given.rounds):
            wrong = soak.round()
            if wrong:
                print(f"seed {given.seed}, round {number}: {wrong}\n" + "\n".join(soak.log), file=sys.stderr)
                return 1
            print(f"round {number}: fine ({len(soak.log)} changes)", flush=True)
    finally:
        soak.close()
        repo.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
