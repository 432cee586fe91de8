"""Programs that the benchmark starts, and what the kernel says about them."""

import ctypes
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def raise_file_limit():
    """Every program inherits it: 2,000 idle clients need as many descriptors on both sides."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    """A port that nobody has. For programs that cannot say which port the system gave them."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _die_with_parent():
    os.setpgrp()  # the terminal's Ctrl-C comes to the harness only, which stops everything in order
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A started program with its descendants; stop() ends it. `cores` as taskset takes them."""

    def __init__(self, command, cores, log, env=None, stdout=None):
        self.log = log
        out = open(log, "ab")
        self.popen = subprocess.Popen(
            [shutil.which("taskset"), "-c", cores, *command],
            stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out,
            env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)
        out.close()
        self.cores = cores

    @property
    def pid(self):
        return self.popen.pid

    def first_line(self):
        """Of standard output, for programs that print their port."""
        line = self.popen.stdout.readline().decode()
        if not line:
            raise RuntimeError(f"{self.log}: " + tail(self.log))
        return line

    def pids(self):
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        queue += [int(child) for child in f.read().split()]
            except FileNotFoundError:
                pass
        return found

    def cpu_seconds(self):
        """User and system time of all its processes and threads so far. The scheduler's own count in nanoseconds
        where the kernel has it, else clock ticks."""
        total = 0.0
        for pid in self.pids():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    total += _task_cpu_seconds(f"/proc/{pid}/task/{task}")
            except FileNotFoundError:
                pass
        return total

    def memory_bytes(self):
        """Proportional set size of all its processes."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += int(re.search(r"^Pss: +(\d+) kB", f.read(), re.M)[1]) * 1024
        return total

    def pause(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)

    def resume(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGCONT)

    def alive(self):
        return self.popen.poll() is None

    def stop(self):
        if self.alive():
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                for pid in self.pids():
                    os.kill(pid, signal.SIGKILL)
                self.popen.wait(5)
        if self.popen.stdout:
            self.popen.stdout.close()


def _task_cpu_seconds(task):
    try:
        with open(f"{task}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9
    except (FileNotFoundError, IndexError):
        with open(f"{task}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK


def machine_busy_seconds():
    """CPU time that the whole machine has spent on anything, stolen time included."""
    with open("/proc/stat") as f:
        user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, f.readline().split()[1:])
    return (user + nice + system + irq + softirq + steal) / TICK


def tail(path, lines=5):
    with open(path, errors="replace") as f:
        return "".join(f.readlines()[-lines:]).strip()


def wait_for(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise RuntimeError(f"{what}: nothing within {seconds} s")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
