# SPDX-License-Identifier: Apache-2.0
"""The host and the world of netd_lab.sh, as tests see them: namespaces, sockets in them, the keeper, what it left behind.

Runs inside, as netd_lab.sh's command. Nothing here waits for time to pass: a wait has a condition, and a deadline that
means "it hangs".
"""
import ctypes
import ipaddress
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import time

from netd_client import Client, Gone

BUILD = os.environ.get("BUILD") or str(pathlib.Path(__file__).resolve().parents[2] / "build")
NETD = os.environ.get("TART_NETD") or f"{BUILD}/tart-netd"
IS_ROOT = os.environ.get("LAB_KIND") == "root"  # a host with users; else a namespace with one
LONG = bool(os.environ.get("TART_TEST_LONG"))
PATIENCE = 60  # seconds until what should happen at once counts as hanging

HOST_LAN, WORLD_LAN = "10.99.0.2", "10.99.0.1"
HOST_PUBLIC = "44.44.44.44"
INTERNET = ["8.8.8.8", "33.33.33.33", "33.33.33.34"]
PRIVATE = ["10.1.2.3", "172.16.5.5", "100.64.1.1", "169.254.169.254"]  # and WORLD_LAN

STATE = pathlib.Path("/run/tart/net")
CONF = pathlib.Path("/etc/tart/network.conf")

IP_PKTINFO = 8
libc = ctypes.CDLL(None, use_errno=True)


# --- namespaces --------------------------------------------------------------------------------------------------------

class inside:  # pylint: disable=invalid-name
    """`with inside("net"):` what this thread opens there stays there. None: the host."""

    def __init__(self, name):
        self.name = name

    @staticmethod
    def enter(fd):
        if libc.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        if self.name:
            self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            there = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
            self.enter(there)
            os.close(there)

    def __exit__(self, *_):
        if self.name:
            self.enter(self.before)
            os.close(self.before)


def command(*words, where=None, text=None, check=True):
    """Runs a program, usually ip or nft, and returns what it printed. With check, failing is an error that shows stderr."""
    prefix = ["nsenter", f"--net=/run/netns/{where}"] if where else []
    done = subprocess.run([*prefix, *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", timeout=PATIENCE, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def ip(*words, where=None, check=True):
    return command("ip", *words, where=where, check=check)


def ip_json(*words, where=None):
    return [entry for entry in json.loads(ip("-json", *words, where=where) or "[]") if entry]


def nft(text, check=True):
    return command("nft", "-f", "-", text=text, check=check)


def sysctl(name, value=None, where=None):
    path = "/proc/sys/" + name.replace(".", "/")
    with inside(where):
        if value is not None:
            pathlib.Path(path).write_text(f"{value}\n", encoding="ascii")
        return pathlib.Path(path).read_text(encoding="ascii").strip()


def wait_until(condition, what, seconds=PATIENCE):
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not true after {seconds} s: {what}")
        time.sleep(0.005)
    return value


# --- ears and mouths ---------------------------------------------------------------------------------------------------

class Ear:
    """A UDP socket that hears everything sent to a port of a namespace, whatever the address. A real socket: what the
    kernel's rules drop does not come here."""

    def __init__(self, where, port, address="0.0.0.0", echo=False):
        self.heard = []
        self.echo = echo
        with inside(where):
            self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" not in address:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((address, port))
        self.sock.setblocking(False)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        """Takes in what has come."""
        while True:
            try:
                data, extra, _, source = self.sock.recvmsg(65536, 256)
            except BlockingIOError:
                return self
            to = reply_from = None
            for level, kind, value in extra:
                if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                    to, reply_from = str(ipaddress.IPv4Address(value[8:12])), value[4:8]
            self.heard.append((data, source[0], to))
            if self.echo:
                # From the address that it was sent to: this one has many.
                info = struct.pack("I4s4x", 0, reply_from)
                self.sock.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, source)

    def find(self, marker):
        """(data, from, to) or None, without waiting."""
        self.listen()
        return next((entry for entry in self.heard if marker in entry[0]), None)

    def wait(self, marker):
        """(data, from, to); TimeoutError."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.find(marker)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing with {marker!r} has come")
            select.select([self.sock], [], [], 1)
        return found

    def forget(self):
        self.listen()
        self.heard.clear()


def listen_tcp(where, port, address="0.0.0.0"):
    with inside(where):
        sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(512)
    return sock


def say(where, address, port, data, source=None):
    """One datagram; the port that it came from."""
    with inside(where):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if source:
            sock.bind((source, 0))
        sock.sendto(data, (address, port))
        return sock.getsockname()[1]


# --- the keeper --------------------------------------------------------------------------------------------------------

def processes():
    """pid: (parent, name) of all that live here."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if rest[0] not in "ZX":
            found[int(entry.name)] = int(rest[1]), name
    return found


def descendants(pid):
    all_of_them, found = processes(), []
    level = [pid]
    while level:
        level = [child for child, (parent, _) in all_of_them.items() if parent in level]
        found += level
    return found


class Process:
    """One that there is."""

    def __init__(self, pid):
        self.pid = pid

    def stop(self):
        """Halts it, e.g. so that a keeper cannot repair what we break."""
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(lambda: self.state() == "T", f"process {self.pid} stops")

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def state(self):
        text = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        return text[text.rindex(")") + 2]


class Keeper(Process):
    """A tart-netd that we have started. It ends with the suite."""

    running = []
    logs = 0

    def __init__(self, *options, linger=0, environment=(), wait=True, conf=None):
        if conf is not None:
            write_conf(conf)
        Keeper.logs += 1
        self.log = pathlib.Path(f"/run/keeper.{Keeper.logs}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([NETD, "--linger", str(linger), *options], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env={**os.environ, **dict(environment)})
        super().__init__(self.process.pid)
        Keeper.running.append(self)
        self.family = []
        if wait:
            self.wait_ready()

    def said(self):
        """What it has printed, and its own log, for messages."""
        files = [self.log, STATE / "keeper.log"]
        return "\n".join(file.read_text(encoding="utf-8", errors="replace").strip() for file in files if file.exists())

    def wait_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"tart-netd ended with {self.process.returncode}: {self.said()}")
            try:
                with Client() as client:
                    return client.status().pid
            except (OSError, Gone):
                return False
        wait_until(answers, "tart-netd answers")
        self.family = descendants(self.pid)
        return self

    def wait(self, seconds=PATIENCE):
        """Its exit code; its children have ended, too."""
        self.family += [pid for pid in descendants(self.pid) if pid not in self.family]
        code = self.process.wait(seconds)
        Keeper.running.remove(self)
        self.wait_children()
        return code

    def wait_children(self):
        wait_until(lambda: not set(self.family) & set(processes()), f"the children {self.family} of tart-netd end")

    def end(self, how=signal.SIGTERM):
        """Sends a signal and waits. Its exit code."""
        self.family = descendants(self.pid)
        self.process.send_signal(how)
        return self.wait()

    def kill(self):
        """As if it had crashed, all of it."""
        return self.end(signal.SIGKILL)

    @classmethod
    def end_all(cls):
        """All that are left, and their children, whatever state they are in."""
        for keeper in list(cls.running):
            family = keeper.family + descendants(keeper.pid)
            keeper.process.kill()
            keeper.process.wait()
            cls.running.remove(keeper)
            for pid in set(family) & set(processes()):
                os.kill(pid, signal.SIGKILL)


def write_conf(text):
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text(text, encoding="utf-8")


# --- what is there -----------------------------------------------------------------------------------------------------

def listing(kind):
    """nft's JSON of all "sets", "maps" or "chains", or None when somebody has changed the ruleset meanwhile: it begins anew behind
    what it has printed."""
    try:
        return json.loads(command("nft", "--json", "list", kind))["nftables"]
    except json.JSONDecodeError:
        return None


def ours():
    """What our tables hold, in nft's JSON: {"set": {...}} and so on. Kind by kind: listing a whole table, nft 1.0.6 stumbles
    over a flag of ours that it does not know, `persist`."""
    found = []
    for kind in ("sets", "maps", "chains"):
        found += wait_until(lambda kind=kind: listing(kind), f"nft lists the {kind}")
    return [entry for entry in found for value in entry.values() if value.get("table") == "tart"]


def has_tables():
    """The families in which there is a table of ours."""
    words = [line.split() for line in command("nft", "list", "tables").splitlines()]
    return sorted(family for _, family, name in words if name == "tart")


def elements():
    """What our sets and maps hold for VMs: everything that names a tap or an address of the pool."""
    found = []
    for entry in ours():
        for kind in ("set", "map"):
            thing = entry.get(kind)
            if thing and thing["name"] not in ("nonglobal", "dns"):
                found += [f"{thing['family']} {thing['name']}: {json.dumps(element)}" for element in thing.get("elem", [])]
    return found


def named_for_vms():
    """Chains, maps and the like by name: what was made for single VMs is more than there was before. The mark of what kind of
    ruleset this is changes with settings."""
    return {f"{kind} {value['family']} {value['name']}" for entry in ours() for kind, value in entry.items()
            if not value["name"].startswith("is_")}


def links(prefix="tart"):
    return sorted(link["ifname"] for link in ip_json("link") if link["ifname"].startswith(prefix))


def taps():
    return links("tart-")


def conntrack(*addresses):
    """Entries in which one of the addresses takes part; all without."""
    lines = command("conntrack", "-L").splitlines()
    wanted = {f"{key}={address}" for address in addresses for key in ("src", "dst")}
    return [line for line in lines if not addresses or wanted & set(line.split())]


def state_files():
    return sorted(str(path) for path in (STATE / "vms").glob("*")) if (STATE / "vms").exists() else []


def leftovers(subnet="192.168.64.0/24", gateway="192.168.64.1"):
    """All that a VM that has ended may have left, in words. Empty is right."""
    net = ipaddress.ip_network(subnet)

    def in_pool(text):
        try:
            return ipaddress.ip_address(text) in net and text not in (gateway, str(net.broadcast_address))
        except ValueError:
            return False

    found = [f"link {name}" for name in taps()]
    found += [f"route {route['dst']} {route.get('dev')}" for route in ip_json("route", "show", "table", "all")
              if in_pool(route["dst"].split("/")[0]) and route.get("dev") != "tart0"]
    found += [f"neighbour {entry['dst']} {entry.get('dev')}" for entry in ip_json("neigh", "show", "nud", "all")
              if in_pool(entry["dst"])]
    found += [f"proxy {entry}" for entry in ip_json("neigh", "show", "proxy")]
    found += [f"element {element}" for element in elements()]
    found += [f"conntrack {line}" for line in conntrack()
              if "dst=224." not in line and
              any(in_pool(word.split("=")[1]) for word in line.split() if word.startswith(("src=", "dst=")))]
    found += [f"file {path}" for path in state_files()]
    return found


def wait_clean(**where):
    """Until a VM's end is through; whatever is still there when it hangs."""
    try:
        wait_until(lambda: not leftovers(**where), "nothing is left")
        return []
    except TimeoutError:
        return leftovers(**where)
