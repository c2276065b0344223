"""The files a lab is made of: keys, the machines' /etc, the base image, and what the client gets (hosts.json, known_hosts).

Pure preparation: nothing here starts a process that stays. Called by the supervisor as root; client files belong to the
user who asked for the lab.
"""

import concurrent.futures
import io
import json
import os
import shutil
import subprocess
import tarfile

import layout

PRIVATE_DIRECTORIES = {"home": 0o755, "root": 0o700, "tmp": 0o1777, "etc": 0o755, "etc/pam.d": 0o755, "docker": 0o711}
DOCKER_COMMANDS = ("docker", "dockerd", "docker-compose", "docker-proxy", "podman")
DOCKER_PLUGINS = ("libexec/docker", "lib/docker", "local/libexec/docker", "local/lib/docker")
COMMAND_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def write(path, text, mode=0o644, owner=None):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    if owner is not None:
        os.chown(path, owner, -1)


def generate_key(path, key_type, comment, passphrase=""):
    if not os.path.exists(path):
        bits = {"rsa": ["-b", "2048"], "ecdsa": ["-b", "256"]}.get(key_type, [])
        subprocess.run(["ssh-keygen", "-q", "-t", key_type, *bits, "-N", passphrase, "-C", comment, "-f", path], check=True)


def make_keys(lab):
    """All key pairs, made once a lab folder: the client's (one of them authorised nowhere) and the machines' host keys."""
    os.makedirs(lab.path("hostkeys"), mode=0o700, exist_ok=True)
    jobs = [(lab.key(kind), kind, "otto-lab " + kind) for kind in layout.KEY_TYPES]
    jobs.append((lab.key("encrypted"), "ed25519", "otto-lab encrypted", layout.KEY_PASSPHRASE))
    jobs.append((lab.key("wrong"), "ed25519", "otto-lab authorised nowhere"))
    for machine in layout.MACHINES:
        jobs += [(lab.path("hostkeys", f"{machine.name}.{kind}"), kind, machine.name) for kind in layout.KEY_TYPES]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: generate_key(*job), jobs))


def hash_password(password):
    command = ["openssl", "passwd", "-6", "-stdin"]
    return subprocess.run(command, input=password, text=True, check=True, capture_output=True).stdout.strip()


def account_files():
    """passwd, group and shadow of a machine: a small system of its own, whatever accounts the real one has."""
    passwd = ["root:x:0:0:root:/root:/bin/bash", "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin",
              "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin", "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin"]
    group = ["root:x:0:", "daemon:x:1:", "tty:x:5:", "shadow:x:42:", "utmp:x:43:", "users:x:100:", "nogroup:x:65534:",
             "docker:x:950:otto"]
    shadow = [f"{name}:*:19000:0:99999:7:::" for name in ("root", "daemon", "sshd", "nobody")]
    for name, user in layout.USERS.items():
        passwd.append(f"{name}:x:{user['uid']}:{user['uid']}::/home/{name}:/bin/bash")
        group.append(f"{name}:x:{user['uid']}:")
        shadow.append(f"{name}:{hash_password(user['password'])}:19000:0:99999:7:::")
    return {name: "\n".join(lines) + "\n" for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow))}


SSHD_CONFIG = """Port 22
ListenAddress 0.0.0.0
HostKey /mnt/etc/ssh_host_ed25519_key
HostKey /mnt/etc/ssh_host_ecdsa_key
HostKey /mnt/etc/ssh_host_rsa_key
AuthorizedKeysFile .ssh/authorized_keys
PidFile none
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
PermitRootLogin no
PrintMotd no
UseDNS no
Subsystem sftp internal-sftp
"""
# sudo stays as the command's parent and hands signals on to it; on pepper_seed it becomes the command, which is root's and
# takes no signal from the user.
SUDOERS = {"pepper_seed": "Defaults !use_pty, !pam_session, !pam_setcred\n"}
SUDOERS_COMMANDS = "nodocker ALL=(root) NOPASSWD: /usr/bin/docker, /usr/bin/docker-compose\n"
# Accounts come from the machine's own files alone, whatever directory service the real system asks.
NSSWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
PAM_SSHD = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n"
PAM_OTHER = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


def make_machine(lab, machine, accounts):
    """The private folders and /etc of one machine, as machine.py mounts them."""
    for name, mode in PRIVATE_DIRECTORIES.items():
        os.makedirs(lab.machine(machine.name, name), exist_ok=True)
        os.chmod(lab.machine(machine.name, name), mode)
    etc = lambda *parts: lab.machine(machine.name, "etc", *parts)
    for name, text in accounts.items():
        write(etc(name), text, 0o640 if name == "shadow" else 0o644)
    write(etc("hostname"), machine.name + "\n")
    write(etc("hosts"), f"127.0.0.1 localhost {machine.name}\n")
    write(etc("nsswitch.conf"), NSSWITCH)
    write(etc("daemon.json"), "{}\n")
    write(etc("sudoers"), SUDOERS.get(machine.name, "Defaults use_pty\n") + SUDOERS_COMMANDS, 0o440)
    write(etc("sshd_config"), SSHD_CONFIG)
    for service in ("sshd", "login"):
        write(etc("pam.d", service), PAM_SSHD)
    write(etc("pam.d", "other"), PAM_OTHER)
    for kind in layout.KEY_TYPES:
        for suffix in ("", ".pub"):
            shutil.copy(lab.path("hostkeys", f"{machine.name}.{kind}{suffix}"), etc(f"ssh_host_{kind}_key{suffix}"))
    authorized = "".join(open(lab.key(kind) + ".pub", encoding="utf-8").read()
                         for kind in (*layout.KEY_TYPES, "encrypted"))
    for name, user in layout.USERS.items():
        make_home(lab.machine(machine.name, "home", name), user["uid"], authorized)
    if machine.engine:
        os.link(lab.path("base.tar"), lab.machine(machine.name, "base.tar"))
    if machine.debian12:
        use_debian12(lab, machine)
    else:
        make_whiteouts(lab, machine)


def make_home(home, uid, authorized):
    os.makedirs(os.path.join(home, ".ssh"), mode=0o700)
    os.chmod(home, 0o700)
    write(os.path.join(home, ".ssh", "authorized_keys"), authorized, 0o600)
    for path in (home, os.path.join(home, ".ssh"), os.path.join(home, ".ssh", "authorized_keys")):
        os.chown(path, uid, uid)


def docker_client():
    """A docker client that knows Compose v2 and buildx; the distribution's own before any other on PATH, or None."""
    for client in ("/usr/bin/docker", shutil.which("docker")):
        if client and os.access(client, os.X_OK):
            plugins = ([client, plugin, "version"] for plugin in ("compose", "buildx"))
            if all(subprocess.run(command, capture_output=True).returncode == 0 for command in plugins):
                return client
    return None


def make_whiteouts(lab, machine):
    """Overlay layers that hide Docker's commands where there is no engine, and on parents every client but the chosen."""
    chosen = docker_client() if machine.engine else None
    for number, folder in enumerate(COMMAND_FOLDERS):
        if os.path.islink(folder) or folder == "/usr/bin" and machine.engine:
            continue
        for name in DOCKER_COMMANDS:
            path = os.path.join(folder, name)
            hidden = name == "docker" and path != chosen if machine.engine else True
            if hidden and os.path.lexists(path):
                layer = lab.machine(machine.name, "hide", str(number))
                os.makedirs(layer, exist_ok=True)
                os.mknod(os.path.join(layer, name), 0o600 | 0o020000, 0)
                write(lab.machine(machine.name, "hide", f"{number}.target"), folder)


def use_debian12(lab, machine):
    """Puts Debian 12's own Docker over /usr, and hides every newer client and plugin."""
    packages = layout.debian12_packages()
    os.makedirs(lab.machine(machine.name, "debian12"))
    write(lab.machine(machine.name, "debian12.source"), packages)
    layer = lab.machine(machine.name, "hide", "0")
    for path in (*DOCKER_PLUGINS, *(os.path.join("local", folder, name) for folder in ("bin", "sbin") for name in DOCKER_COMMANDS)):
        if os.path.lexists(os.path.join("/usr", path)):
            os.makedirs(os.path.join(layer, os.path.dirname(path)), exist_ok=True)
            os.mknod(os.path.join(layer, path), 0o600 | 0o020000, 0)
    os.makedirs(layer, exist_ok=True)
    write(lab.machine(machine.name, "hide", "0.target"), "/usr\n/mnt/debian12")


def make_base_image(lab):
    """A root file system of busybox and its applets, as a tar for `docker import`."""
    busybox = shutil.which("busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(lab.path("base.tar"), "w") as archive:
        def add(name, kind, mode, content=b"", target=""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), target
            archive.addfile(entry, io.BytesIO(content))
        for folder in ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "usr/bin", "var"):
            add(folder, tarfile.DIRTYPE, 0o755)
        add("tmp", tarfile.DIRTYPE, 0o1777)
        add("bin/busybox", tarfile.REGTYPE, 0o755, open(busybox, "rb").read())
        for applet in applets:
            if applet != "busybox":
                add("bin/" + applet, tarfile.SYMTYPE, 0o777, target="/bin/busybox")
        add("usr/bin/env", tarfile.SYMTYPE, 0o777, target="/bin/busybox")
        add("etc/passwd", tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
        add("etc/group", tarfile.REGTYPE, 0o644, b"root:x:0:\nnogroup:x:65534:\n")
        add("etc/os-release", tarfile.REGTYPE, 0o644, b'ID=otto-lab\nPRETTY_NAME="otto lab base image"\n')


def append_known_host(lab, machine_name, address, port):
    pattern = address if port == 22 else f"[{address}]:{port}"
    with open(lab.known_hosts, "a", encoding="utf-8") as known:
        for kind in layout.KEY_TYPES:
            with open(lab.path("hostkeys", f"{machine_name}.{kind}.pub"), encoding="utf-8") as key:
                known.write(f"{pattern} {' '.join(key.read().split()[:2])}\n")


def host_entry(lab, machine, port):
    options = {"identity_files": [lab.key("ed25519")], "known_hosts": lab.known_hosts, "host_key_policy": "strict",
               "use_ssh_config": False}
    entry = {"ne": machine.ne, "board": machine.board, "ip": "127.0.0.1", "creds": {"otto": None}}
    if machine.hop:
        entry.update(ip=layout.HIDDEN_ADDRESS, hop=machine.hop)
    else:
        options = {"port": port, **options}
    entry.update(ssh_options=options, docker_capable=machine.engine or machine.name == "turnip_plain", labs=[layout.LAB_NAME])
    return entry


def on_demand_entries(lab, machine, port, telnet_port):
    """hosts.json entries of a machine that `tools/lab start` brought: by ssh, by telnet, and by telnet from its own sshd."""
    entry = host_entry(lab, machine, port)
    telnet = {"ne": machine.ne, "ip": "127.0.0.1", "term": "telnet", "docker_capable": machine.engine,
              "creds": {name: user["password"] for name, user in layout.USERS.items()}, "labs": [layout.LAB_NAME]}
    return [entry, {**telnet, "board": "telnet", "telnet_options": {"port": telnet_port}},
            {**telnet, "board": "inner", "hop": machine.name}]


def write_client_files(lab, links, owner):
    """hosts.json, known_hosts and the environment file; links: {machine: port on 127.0.0.1}."""
    write(lab.known_hosts, "")
    machines = [machine for machine in layout.MACHINES if not machine.on_demand]
    for machine in machines:
        if machine.hop:
            append_known_host(lab, machine.name, layout.HIDDEN_ADDRESS, 22)
        else:
            append_known_host(lab, machine.name, "127.0.0.1", links[machine.name])
    hosts = [host_entry(lab, machine, links.get(machine.name)) for machine in machines]
    write(lab.hosts_json, json.dumps(hosts, indent=2) + "\n")
    values = {"DIR": lab.directory, "CLIENT": lab.client(), "HOSTS": lab.hosts_json, "KNOWN_HOSTS": lab.known_hosts,
              "NAME": layout.LAB_NAME, "BASE_IMAGE": layout.BASE_IMAGE, "PEPPER_ADDRESS": layout.HIDDEN_ADDRESS,
              "KEY_PASSPHRASE": layout.KEY_PASSPHRASE}
    for kind in (*layout.KEY_TYPES, "wrong", "encrypted"):
        values["KEY_" + kind.upper()] = lab.key(kind)
    for name, user in layout.USERS.items():
        prefix = "" if name == "otto" else name.upper() + "_"
        values[prefix + "USER"], values[prefix + "PASSWORD"] = name, user["password"]
    for name, port in links.items():
        values["PORT_" + name.upper()] = str(port)
    quoted = {key: "'" + value.replace("'", "'\\''") + "'" for key, value in values.items()}
    write(lab.path("env"), "".join(f"export OTTO_LAB_{key}={value}\n" for key, value in quoted.items()))
    for folder, _, names in os.walk(lab.client()):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, owner, -1)
