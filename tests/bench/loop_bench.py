#!/usr/bin/env python3
"""One edit in the edit–build–test loop: what `otto docker up` costs beside the engine's own work for the same edit.

    tests/bench/loop_bench.py [--rounds 9] [--edit build|none]

Starts a lab of its own (root) with a stack of one image and one service. Each round edits one file and times `otto docker up`
from its start to its end, over a connection of its own, then applies the same edit by hand to a copy on the parent and times
there, typed on the parent, `docker buildx build` and `docker compose up -d --no-deps`. Wanted: otto within 0.5 s of their sum.
`--edit none` times `up` with nothing to do. OTTO_BINARY should be one of the preset release.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import lab  # noqa: E402

MACHINE = "pepper_seed"
WANTED_S = 0.5
PAUSE_S = 1  # the engine clears away what the other replaced
HAND = "/home/otto/by-hand"
DOCKERFILE = "COPY . /ctx/\nRUN true\n"


def by_hand(parent, number):
    """The same edit on the parent; gives the seconds of the build and of Compose."""
    script = f"""
cd {HAND} && echo edit {number} >> api/src/edited || exit 1
begin=$(date +%s%N)
docker buildx build -q -t byhand-app:{number} -f Dockerfile api >/dev/null || exit 1
built=$(date +%s%N)
sed -i 's/byhand-app:[0-9]*/byhand-app:{number}/' compose.yml
docker compose -p byhand up -d --no-deps -t 1 app >/dev/null 2>&1 || exit 1
echo $((built - begin)) $(($(date +%s%N) - built))
"""
    build, compose = parent.sh(script).split()
    return int(build) / 1e9, int(compose) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--edit", choices=("build", "none"), default="build")
    options = parser.parse_args()
    repo = harness.Repo("loopbench")
    try:
        dockerfile = f"FROM {lab().environment['BASE_IMAGE']}\n{DOCKERFILE}"
        repo.only_image("app", dockerfile)
        repo.up()
        parent = repo.parent
        parent.sh(f"mkdir -p {HAND} && rm -rf {HAND}/* && cd {HAND} && cat > Dockerfile", stdin=dockerfile)
        parent.sh(f"cat > {HAND}/compose.yml", stdin=repo.read("compose.yml").replace("loopbench-app", "byhand-app:0"))
        for folder, _, files in os.walk(repo.path("api")):
            for name in files:
                path = os.path.relpath(os.path.join(folder, name), repo.root)
                parent.sh(f'mkdir -p "$(dirname {HAND}/$1)" && cat > {HAND}/$1', path, stdin=repo.read(path))
        repo.write("api/src/edited", "")
        ours, builds, composes = [], [], []
        for number in range(options.rounds + 1):  # the first warms both
            if options.edit == "build":
                repo.append("api/src/edited", f"edit {number}\n")
            time.sleep(PAUSE_S)
            begin = time.monotonic()
            outcome = repo.done("-q", "docker", "up")
            took = time.monotonic() - begin
            if options.edit == "build" and outcome.actions() != {"app": "recreated"}:
                raise SystemExit(f"the service was not replaced: {outcome.out}")
            time.sleep(PAUSE_S)
            build, compose = by_hand(parent, number)
            if number > 0:
                ours.append(took)
                builds.append(build)
                composes.append(compose)
        parent.sh(f"docker rm -f $(docker ps -aq --filter label=com.docker.compose.project=byhand); docker network rm byhand_default; "
                  f"docker image rm -f $(docker image ls -q byhand-app); rm -rf {HAND}", check=False)
    finally:
        repo.clear()
    hand = [build + compose for build, compose in zip(builds, composes)]
    apart = statistics.median(mine - theirs for mine, theirs in zip(ours, hand))
    print(f"one edit ({options.edit}), medians of {options.rounds}; load {os.getloadavg()[0]:.1f}")
    print(f"otto docker up             {statistics.median(ours):6.2f} s   (all: {', '.join(f'{each:.2f}' for each in ours)})")
    print(f"docker buildx build        {statistics.median(builds):6.2f} s")
    print(f"docker compose up          {statistics.median(composes):6.2f} s")
    print(f"otto - the engine's own    {apart:6.2f} s   wanted {WANTED_S} at most for an edit that is built")


if __name__ == "__main__":
    main()
