"""Process 1 of one machine of the lab: mounts what is the machine's own, starts sshd and dockerd, reaps.

Runs inside fresh mount, pid, network, uts and ipc namespaces; whatever it mounts or starts ends with it. Arguments: the
machine's folder, its name, the cgroup parent of its engine (or "-" for none) and the descriptor to say "ready" on.
The machine's folder is bound to /mnt first, so that it stays in sight when /home, /tmp and /root are replaced.
SIGUSR1 starts the engine, SIGUSR2 stops it (`tools/lab engine`).
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import layout

MS_NOSUID, MS_NODEV, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 2, 4, 4096, 8192, 16384, 1 << 18
# What files.make_machine wrote for /etc, and what the host's account tools keep there besides.
OWN_FILES = ("passwd", "group", "shadow", "hostname", "hosts", "nsswitch.conf", "sudoers", "pam.d")
HOSTS_ACCOUNT_FILES = ("gshadow", "passwd-", "group-", "shadow-", "gshadow-", "subuid", "subgid", "subuid-", "subgid-")
DOCKER_SOCKET = "/var/run/docker.sock"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
WATCHED = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2}
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0, options=None):
    encode = lambda text: text.encode() if text else None
    if libc.mount(encode(source), encode(target), encode(kind), flags, encode(options)) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}: {os.strerror(ctypes.get_errno())}")


def mount_everything(folder):
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount(folder, "/mnt", None, MS_BIND)
    if os.path.exists("/mnt/debian12.source"):
        with open("/mnt/debian12.source", encoding="utf-8") as file:
            mount(file.read(), "/mnt/debian12", None, MS_BIND)
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for name in ("sshd", "lock"):
        os.mkdir("/run/" + name, 0o755)
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("tmpfs", "/var/log", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID, "newinstance,gid=5,mode=620,ptmxmode=666")
    for source, target in (("tmp", "/tmp"), ("tmp", "/var/tmp"), ("home", "/home"), ("root", "/root")):
        mount("/mnt/" + source, target, None, MS_BIND)
    mount_etc()
    if os.path.isdir("/mnt/hide"):
        for name in sorted(os.listdir("/mnt/hide")):
            if name.endswith(".target"):
                with open("/mnt/hide/" + name, encoding="utf-8") as file:
                    target, *layers = file.read().split("\n")
                layers = ["/mnt/hide/" + name.removesuffix(".target"), *layers, target]
                mount("overlay", target, "overlay", 0, "lowerdir=" + ":".join(layers))


def mount_etc():
    """An /etc that is a copy, with the machine's own files in it. Files bound over the host's would be lost: whoever adds an
    account there renames a new file over the old one, and that takes away what is mounted on it, here too."""
    fresh = "/run/etc"
    os.mkdir(fresh)
    mount("tmpfs", fresh, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    # A file that goes while it is copied is no loss; what a machine cannot do without is made below.
    subprocess.run(["cp", "-a", "/etc/.", fresh], env=ENVIRONMENT, check=False)
    for name in HOSTS_ACCOUNT_FILES:
        if os.path.lexists(os.path.join(fresh, name)):
            os.remove(os.path.join(fresh, name))
    for name in OWN_FILES:
        path = os.path.join(fresh, name)
        if os.path.lexists(path):
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
        subprocess.run(["cp", "-a", "/mnt/etc/" + name, path], env=ENVIRONMENT, check=True)
    mount(fresh, "/etc", None, MS_MOVE)
    os.rmdir(fresh)


class Init:
    def __init__(self, name, cgroup_parent):
        self.name = name
        self.cgroup_parent = cgroup_parent
        self.engine = None
        self.stopping = False

    def start_sshd(self):
        spawn("/usr/sbin/sshd", "-D", "-e", "-f", "/mnt/etc/sshd_config")
        wait_for(lambda: can_connect(socket.AF_INET, ("127.0.0.1", 22)), "sshd")

    def start_telnetd(self):
        """inetd of a single service: one telnetd a connection."""
        if not os.path.exists("/mnt/debian12.source"):
            return
        listener = socket.create_server(("0.0.0.0", 23))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            while True:
                connection, _ = listener.accept()
                subprocess.Popen(["/usr/sbin/telnetd", "-h"], env=ENVIRONMENT, stdin=connection, stdout=connection)
                connection.close()
        listener.close()

    def start_engine(self):
        for leftover in ("/run/docker.pid", "/run/docker/containerd/containerd.pid"):
            if os.path.exists(leftover):
                os.remove(leftover)
        self.stopping = False
        self.engine = spawn(
            "dockerd", "--data-root", "/mnt/docker", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
            "--host", "unix://" + DOCKER_SOCKET, "--group", "docker", "--config-file", "/mnt/etc/daemon.json",
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.cgroup_parent)
        wait_for(lambda: can_connect(socket.AF_UNIX, DOCKER_SOCKET), "dockerd", self.engine)
        known = subprocess.run(["docker", "image", "inspect", layout.BASE_IMAGE], env=ENVIRONMENT, capture_output=True)
        if known.returncode != 0:
            changes = ["--change", 'CMD ["/bin/sh"]']
            subprocess.run(["docker", "import", *changes, "/mnt/base.tar", layout.BASE_IMAGE], env=ENVIRONMENT, check=True,
                           stdout=subprocess.DEVNULL)

    def stop_engine(self):
        if self.engine is not None:
            self.stopping = True
            self.engine.terminate()

    def restart_engine(self):
        if self.engine is not None and self.stopping:
            self.engine.wait()
            self.engine = None
        if self.engine is None:
            self.start_engine()

    def main(self, folder, ready):
        mount_everything(folder)
        os.chdir("/")
        socket.sethostname(self.name)
        subprocess.run(["ip", "link", "set", "lo", "up"], env=ENVIRONMENT, check=True)
        self.start_sshd()
        self.start_telnetd()
        if self.cgroup_parent != "-":
            self.start_engine()
        os.write(ready, b"ready\n")
        os.close(ready)
        self.serve()

    def serve(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self.reap()
        while True:
            number = signal.sigwait(WATCHED)
            if number == signal.SIGUSR1 and self.cgroup_parent != "-":
                self.restart_engine()
            elif number == signal.SIGUSR2:
                self.stop_engine()
            self.reap()

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.engine is not None and pid == self.engine.pid:
                print(f"machine {self.name}: dockerd ended with status {status}", flush=True)
                self.engine = None


def spawn(*command):
    """Starts a daemon of the machine, with no signal blocked."""
    return subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, ()))


def can_connect(family, address):
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0


def wait_for(condition, what, process=None, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} does not answer after {seconds} s")
        time.sleep(0.02)


if __name__ == "__main__":
    Init(sys.argv[2], sys.argv[3]).main(sys.argv[1], int(sys.argv[4]))
