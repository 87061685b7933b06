"""One machine: the QEMU process, its monitor, and the port over which its agent takes commands.

It must not outlive the bed, and must not write to a disk or memory file of a snapshot unless it is told to.
"""

import contextlib
import json
import pathlib
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from .cache import BedError

MEMORY = 1024
# tsc=reliable and mitigations=off spare emulated work. panic=-1: a panic must show as a reboot, not as a long silence.
COMMAND_LINE = "root=/dev/vda rw console=ttyS0 quiet mitigations=off tsc=reliable init_on_alloc=0 panic=-1"
PORT = "lilium.vm"
BOOT_SECONDS = 300
READY, EXIT = b"\x01VM-READY", b"\x01VM-EXIT"
KERNEL_FAULT = re.compile(r"Kernel panic|\bOops:|kernel BUG at")


class Hung(BedError):
    """The guest said nothing in time."""


class Gone(BedError):
    """QEMU has ended."""


class Rebooted(Exception):
    """The guest went down and is up again, in the middle of a command."""


class Monitor:
    """QEMU's machine protocol (QMP)."""

    def __init__(self, path):
        self.socket = connect(path)
        self.socket.settimeout(120)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise Gone(f"QEMU ended during {command}")
            answer = json.loads(line)
            if "error" in answer:
                raise BedError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


def connect(path):
    """QEMU makes its sockets a moment after its start."""
    end = time.monotonic() + 60
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Machine:
    running = set()
    registry = threading.Lock()

    def __init__(self, emulator, kernel, disk, payload, *, memory=MEMORY, append="", ram=None, share=False,
                 incoming=None, keep_disk=False, counts=False):
        """`ram` is the file behind the memory (None: none), `incoming` a device state to go on from.

        With `keep_disk` what the guest writes is written to `disk`; without, it is forgotten in the end. With `counts`
        each instruction takes one nanosecond of the guest's time, whatever it is and however busy the host.
        """
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lilium-vm."))
        self.console_file = self.folder / "console"
        self.buffer = b""
        backend = "memory-backend-ram,id=mem" if ram is None else (
            f"memory-backend-file,id=mem,mem-path={ram},share={'on' if share else 'off'}")
        command = [
            # Whatever becomes of the bed, the machine ends with it.
            "setpriv", "--pdeathsig", "KILL", *emulator.command, "-M", "pc,memory-backend=mem",
            "-accel", f"tcg,thread={'single' if counts else 'multi'},tb-size=256",
            *(["-icount", "shift=0,sleep=off"] if counts else []), "-cpu", "Nehalem", "-smp", "1", "-m", f"{memory}M",
            "-object", f"{backend},size={memory}M", "-nodefaults", "-no-user-config", "-display", "none",
            "-kernel", str(kernel.executable), "-initrd", str(kernel.initrd),
            "-append", f"{COMMAND_LINE} {append}".strip(),
            *drive("root", disk, "" if keep_disk else "snapshot=on"), *drive("payload", payload, "readonly=on"),
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=port,path={self.folder}/port,server=on,wait=off",
            "-device", f"virtserialport,chardev=port,name={PORT}", "-device", "virtio-rng-pci",
            "-serial", f"file:{self.console_file}", "-qmp", f"unix:{self.folder}/monitor,server=on,wait=off"]
        if incoming:
            command += ["-incoming", "defer"]
        self.log = open(self.folder / "qemu", "w")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        with Machine.registry:
            Machine.running.add(self)
        try:
            self.monitor = Monitor(self.folder / "monitor")
            self.port = connect(self.folder / "port")
            if incoming:
                self._resume(incoming)
        except (OSError, BedError) as error:
            words = (self.folder / "qemu").read_text(errors="replace")
            self.end()
            raise BedError(f"QEMU: {error}\n{words}") from error

    def _resume(self, state):
        self._ignore_shared_memory()
        self.monitor.execute("migrate-incoming", uri=f"exec:cat {shlex.quote(str(state))}")
        while self.monitor.execute("query-status")["status"] == "inmigrate":
            time.sleep(0.02)
        self.monitor.execute("cont")

    def _ignore_shared_memory(self):
        """The memory stays in its file: saving and restoring then move only the devices' state."""
        capability = {"capability": "x-ignore-shared", "state": True}
        self.monitor.execute("migrate-set-capabilities", capabilities=[capability])

    def save(self, state):
        """Stops the machine and writes the devices' state; memory and disk files are then what the snapshot needs."""
        self.monitor.execute("stop")
        self._ignore_shared_memory()
        self.monitor.execute("migrate", uri=f"exec:cat > {shlex.quote(str(state))}")
        while True:
            status = self.monitor.execute("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise BedError("QEMU could not save the machine")
            time.sleep(0.05)

    def wait_boot(self, seconds=BOOT_SECONDS):
        end = time.monotonic() + seconds
        with contextlib.suppress(Rebooted):
            while True:
                self._line(end)

    def run(self, command, seconds, sink=None):
        """Runs a command line in the guest, gives its output to `sink` as it comes, returns its exit status."""
        if "\n" in command:
            raise ValueError("one line only")
        nonce = secrets.token_hex(8)
        self.port.settimeout(60)
        self.port.sendall(f"run {nonce} {command}\n".encode())
        end = time.monotonic() + seconds
        mark = EXIT + b" " + nonce.encode()
        held = b""
        try:
            while True:
                line = self._line(end)
                if line.startswith(mark):
                    # The line end before the mark is the agent's own.
                    held = held.removesuffix(b"\n")
                    return int(line.split()[2])
                if sink and held:
                    sink(held)
                held = line
        finally:
            if sink and held:
                sink(held)

    def _line(self, end):
        """The next line of the port, with its end. Rebooted where it says that the agent has just started."""
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                raise Hung("the guest does not answer")
            self.port.settimeout(left)
            try:
                received = self.port.recv(65536)
            except TimeoutError:
                continue
            if not received:
                raise Gone("QEMU has ended: " + (self.folder / "qemu").read_text(errors="replace").strip())
            self.buffer += received
        line, self.buffer = self.buffer.split(b"\n", 1)
        if line.startswith(READY):
            raise Rebooted
        return line + b"\n"

    def check(self, command, seconds, what):
        """Runs a command that has to succeed."""
        output = []
        status = self.run(command, seconds, output.append)
        if status != 0:
            shown = b"".join(output).decode(errors="replace")
            raise BedError(f"{what}: exit status {status}\n{shown}")

    def console(self):
        return self.console_file.read_text(errors="replace") if self.console_file.exists() else ""

    def end(self):
        with Machine.registry:
            Machine.running.discard(self)
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def end_all(cls):
        for machine in list(cls.running):
            machine.process.kill()
            shutil.rmtree(machine.folder, ignore_errors=True)


def drive(name, path, options):
    # The host's page cache is all the durability that a throw-away disk needs.
    extra = f",{options}" if options else ""
    return ["-drive", f"if=none,id={name},file={path},format=raw,cache=unsafe{extra}",
            "-device", f"virtio-blk-pci,drive={name}"]
