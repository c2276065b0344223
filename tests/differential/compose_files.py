"""Compose files made up from a seed, with all that decides what a project is made from.

Every project is one that Compose takes, unless it happens to be wrong: then otto must not take it for something else.
"""

import pathlib
import random
import shutil

PLAIN = ["1.10", "0755", "0o17", "1_000", "1e3", "True", "no", "yes", "~", "null", "0x1F", "2001-01-02", ".5", "-0", "1:30",
         "+5", "off", "0b11", "12345678901234567890", "1e400", "NULL", "text", "a b", "''", "\"1.10\"", "'true'"]
NAMES = ["A", "B", "C", "D"]
OUTSIDE = ["A", "B", "X", "Y", "Z"]


HERE = pathlib.Path(__file__).parent / "collected"
COLLECTED = sorted(file.name for file in HERE.glob("*.yml"))


class Collected:
    """A project as people write them."""

    def __init__(self, name, folder):
        shutil.copytree(HERE, folder)
        self.folder = pathlib.Path(folder)
        self.files = [name]
        self.env = {"VERSION": "1.0", "COMMIT": "abc"}


class Project:
    """One made-up project in a folder of its own."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(folder)
        self.env = {}
        self.env_files = 0
        self.files = ["compose.yml"]
        self.anchors = 0
        self._make()

    # --- choices ---

    def maybe(self, chance=0.3):
        return self.random.random() < chance

    def one(self, choices):
        return self.random.choice(choices)

    def some(self, choices, most=3):
        return self.random.sample(choices, self.random.randint(1, min(most, len(choices))))

    # --- files beside the compose files ---

    def write(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def env_file(self, directory):
        """A file whose variable tells that it was read."""
        self.env_files += 1
        name = self.one([f"e{self.env_files}.env", "same.env"])
        path = self.folder / directory / name
        before = path.read_text() if path.exists() else ""
        self.write(directory / name, before + f"READ_{self.env_files}=1\n")
        return self.one(["", "./"]) + name

    def odd_values(self):
        """Lines as no tool writes them, some of which Compose refuses."""
        pieces = ["A", "B", "X", "=", ":", " ", "'", '"', "#", " #", "$", "${A}", "${X:-d}", "\\\\", "\\n", "\\0101", "\\$", "\u00a0", "\n", "\n",
                  "export ", "\t", "v", "1.0", "\u00e9", "A=1\n", "B='x'\n", 'X="y"\n']
        return "".join(self.one(pieces) for _ in range(self.random.randint(2, 10))) + self.one(["\n", "\n", ""])

    def values(self):
        lines = []
        for name in self.some(OUTSIDE):
            lines.append(f"{name}={self.one(['dot', '1.0', chr(34) + 'quoted $X' + chr(34), '${A:-x}', 'v # note', ''])}")
        return "\n".join(lines) + "\n"

    # --- words ---

    def word(self):
        return self.one(["plain", "${A}", "$B", "${X:-dflt}", "${Y-dflt}", "${Z:+set}", "a$$b", "${A:-${B:-deep}}", "x${X}y"])

    def text(self):
        return f"'{self.word()}'"

    def value(self):
        return self.one(PLAIN) if self.maybe(0.6) else self.text()

    def names(self, chance=0.2):
        """NAME: value, as a map or as a list."""
        chosen = [self.one(NAMES) for _ in range(self.random.randint(1, 4))]
        if self.maybe(0.5):
            unique = list(dict.fromkeys(chosen))
            return "{" + ", ".join(f"{name}: {self.value() if not self.maybe(chance) else ''}" for name in unique) + "}"
        return "[" + ", ".join(name if self.maybe(chance) else f"'{name}={self.word()}'" for name in chosen) + "]"

    # --- sections ---

    def build(self, directory):
        context = self.one(["ctx", "./ctx", "ctx/sub", "."])
        for made in ("ctx/sub", "."):
            self.write(directory / made / "Dockerfile", "FROM scratch\n")
            self.write(directory / made / "Other", "FROM scratch\n")
        self.write(directory / "ctx/Dockerfile", "FROM scratch\n")
        if self.maybe(0.25):
            return context
        parts = []
        if self.maybe(0.9):
            parts.append(f"context: {context}")
        if self.maybe(0.7):
            parts.append(f"args: {self.names()}")
        if self.maybe():
            parts.append(f"target: {self.one(['prod', self.text()])}")
        if self.maybe():
            parts.append(self.one(["dockerfile: Other", "dockerfile: ''", "dockerfile: ./Other", "dockerfile_inline: FROM scratch"]))
        if self.maybe():
            parts.append(f"labels: {self.names(0)}")
        if self.maybe(0.15):
            parts.append(self.one(["network: none", "network: ''", "network: host"]))
        if self.maybe(0.15):
            parts.append("platforms: [linux/amd64]")
        if self.maybe(0.15):
            parts.append(self.one(["ulimits: {nproc: 65535}", "ulimits: {nproc: 1, nofile: {soft: 10, hard: 20}}", "ulimits: {nofile: {soft: 5, hard: 6}}"]))
        if self.maybe(0.1):
            parts.append(self.one(["tags: [t/x:1, t/y]", "tags: ['t/${X:-z}']"]))
        if self.maybe(0.15):
            parts.append(self.one(["extra_hosts: ['a=1.1.1.1', 'b=2.2.2.2']", "extra_hosts: {a: 3.3.3.3}", "extra_hosts: []", "labels: {}"])
                         if "labels" not in " ".join(parts) else "extra_hosts: {c: 4.4.4.4}")
        return "{" + ", ".join(parts) + "}" if parts else context

    def volumes(self, directory):
        all = []
        for number in range(self.random.randint(1, 3)):
            source = self.one(["./data", "data2", "../up", "./${X:-x}", "named", "/abs", "~/h"])
            if source in ("data2", "named"):
                source = "named"
            target = f"/t{self.random.randint(1, 3)}"
            if self.maybe(0.7) or source == "named":
                all.append(f"'{source}:{target}{self.one(['', ':ro'])}'")
            else:
                all.append("{type: bind, source: '%s', target: %s, bind: {create_host_path: true}}" % (source, target))
        if self.maybe(0.2):
            all.append("/anonymous")
        return "[" + ", ".join(all) + "]"

    def service(self, name, directory, others, may_build=True):
        parts = []
        if may_build and self.maybe(0.45):
            parts.append(f"build: {self.build(directory)}")
            if self.maybe(0.4):
                parts.append(f"image: {self.one(['repo/' + name, self.text(), '${COMPOSE_PROJECT_NAME}-' + name])}")
        else:
            parts.append(f"image: {self.one(['img', 'img:1', self.text()])}")
        if self.maybe(0.4):
            files = [self.env_file(directory) for _ in range(self.random.randint(1, 2))]
            style = self.random.randint(0, 2)
            if style == 0:
                parts.append(f"env_file: {files[0]}")
            elif style == 1:
                parts.append(f"env_file: [{', '.join(files)}]")
            else:
                parts.append("env_file: [{path: %s, required: %s}, {path: gone.env, required: false}]" % (files[0], self.one(["true", "false"])))
        if self.maybe(0.4):
            parts.append(f"volumes: {self.volumes(directory)}")
        if self.maybe(0.4):
            parts.append(f"environment: {self.names()}")
        if self.maybe(0.2):
            parts.append(f"profiles: [{', '.join(self.some(['p1', 'p2', 'p3', chr(39) + '${X-}' + chr(39)], 2))}]")
        if self.maybe(0.15):
            parts.append("secrets: [s1]")
        if self.maybe(0.15):
            parts.append(self.one(["configs: [c1]", "configs: [{source: c1, target: /c}]"]))
        if others and self.maybe(0.35):
            parts.append(f"extends: {self.one([others[-1], '{service: %s}' % others[-1]])}")
        elif self.maybe(0.2):
            parts.append("extends: {file: %s, service: base}" % self.extended_file(directory))
        if self.maybe(0.1):
            parts.append("platform: linux/amd64")
        self.random.shuffle(parts)
        return parts

    def flow(self, parts):
        return "{" + ", ".join(parts) + "}"

    def extended_file(self, directory):
        folder = self.one([".", "ext"])
        self.env_files += 1
        name = f"base{self.env_files}.yml"
        where = directory / folder
        parts = self.service("base", where, [])
        parts = [part for part in parts if not part.startswith(("secrets", "configs", "extends"))]
        self.write(where / name, f"services:\n  base: {self.flow(parts)}\n")
        return f"{folder}/{name}"

    def top_level(self, directory):
        lines = ["volumes: {named: , bound: {driver_opts: {type: none, o: bind, device: /abs}}}"]
        self.write(directory / "secret.txt", "s")
        self.write(directory / "config.txt", "c")
        lines.append("secrets: {s1: {file: ./secret.txt}, unused: {file: ./gone.txt}}")
        lines.append(self.one(["configs: {c1: {file: ./config.txt}}", "configs: {c1: {content: 'x ${A}'}}", "configs: {c1: {environment: A}}"]))
        return lines

    def document(self, directory, prefix, included=()):
        services = [f"{prefix}{number}" for number in range(self.random.randint(1, 3))]
        lines = []
        if self.maybe(0.3):
            lines.append("x-common: &common {labels: {l: '1'}, environment: {A: anchored, E: '${X:-e}'}}")
        if included:
            lines.append("include:\n" + "\n".join(included))
        lines.append("services:")
        done = []
        for name in services:
            parts = self.service(name, directory, done)
            if lines[0].startswith("x-common") and self.maybe(0.5):
                parts.append("<<: *common")
            lines.append(f"  {name}: {self.flow(parts)}")
            done.append(name)
        lines += self.top_level(directory)
        return lines, services

    def override_document(self, directory, services):
        lines = ["services:"]
        for name in self.some(services):
            parts = []
            if self.maybe(0.4):
                parts.append(self.one(["image: over", "image: !reset null" if self.maybe(0.3) else "image: over2"]))
            if self.maybe(0.4):
                parts.append(f"build: {self.one([self.build(directory), '{args: %s}' % self.names(), '{labels: %s}' % self.names(0)])}")
            if self.maybe(0.3):
                parts.append(self.one([f"env_file: {self.env_file(directory)}", f"env_file: !override [{self.env_file(directory)}]", "env_file: !reset []"]))
            if self.maybe(0.3):
                parts.append(self.one([f"volumes: {self.volumes(directory)}", f"volumes: !override {self.volumes(directory)}"]))
            if self.maybe(0.3):
                parts.append(f"environment: {self.names()}")
            if not parts:
                parts.append("init: true")
            lines.append(f"  {name}: {self.flow(parts)}")
        return "\n".join(lines) + "\n"

    def _make(self):
        top = pathlib.Path(".")
        for name in self.some(OUTSIDE, 2) if self.maybe(0.6) else []:
            self.env[name] = self.one(["outer", "2.0", "", "o $$ o"])
        if self.maybe(0.5):
            profiles = self.one(["p1", "p1, p2", "*", "", "other"])
            if self.maybe(0.5):
                self.env["COMPOSE_PROFILES"] = profiles
            else:
                self.env_profiles = profiles
        dot_env = self.one([self.values, self.values, self.odd_values])() if self.maybe(0.6) else ""
        if hasattr(self, "env_profiles"):
            dot_env += f"COMPOSE_PROFILES={self.env_profiles}\n"
        if dot_env:
            self.write(".env", dot_env)
        included = []
        if self.maybe(0.35):
            included.append(self.included(top))
        lines, services = self.document(top, "s", included)
        text = "\n".join(lines) + "\n"
        if self.maybe(0.35):
            text += "---\n" + self.override_document(top, services)
        self.write("compose.yml", text)

    def included(self, top):
        folder = self.one(["inc", "inc/deep"])
        where = top / folder
        lines, services = self.document(where, "i")
        lines = [line for line in lines if not line.startswith(("volumes", "secrets", "configs"))]
        lines = [line.replace("secrets: [s1]", "init: true").replace("configs: [c1]", "tty: true")
                 .replace("configs: [{source: c1, target: /c}]", "tty: true").replace("named:", "inamed:") for line in lines]
        lines.append("volumes: {inamed: }")
        self.write(where / "a.yml", "\n".join(lines) + "\n")
        if self.maybe(0.4):
            self.write(where / ".env", self.values())
        style = self.random.randint(0, 3)
        if style == 0:
            return f"  - {folder}/a.yml"
        if style == 1:
            self.write("inc.env", self.values())
            return f"  - {{path: {folder}/a.yml, env_file: inc.env}}"
        if style == 2:
            self.write(where / "b.yml", self.override_document(where, services))
            return f"  - path: [{folder}/a.yml, {folder}/b.yml]"
        return f"  - {{path: ./{folder}/a.yml, project_directory: {folder}}}"
