"""Folders of this machine: what is in them, and one with everything that is hard to copy."""

import os
import stat


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


def make_odd_tree(folder, size=2 << 20):
    """13 files and links of every kind that put and get must keep, one of `size`; `chmod -R u+rwx` it to remove it."""
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
    write("big", bytes(range(256)) * (size // 256))
    write("closed/inside", b"in")
    os.makedirs(os.path.join(folder, "nothing"))
    os.symlink("run me", os.path.join(folder, "link"))
    os.symlink("/nowhere/at all", os.path.join(folder, "dangling"))
    os.symlink("nothing", os.path.join(folder, "dirlink"))
    os.chmod(os.path.join(folder, "nothing"), 0o1777)
    os.chmod(os.path.join(folder, "closed"), 0o555)
