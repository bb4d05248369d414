"""Runs a command beside a job, in its namespaces and limits, for a terminal or without one.

stdin, stdout and stderr are the command's own. fd 3 begins with a line of JSON: argv, env, cwd; session (its value of MYCLOUD_EXEC
marks every process of it); like (a pid of the job, whose limits are taken over); enter (whether its mount, pid and IPC
namespaces are entered); cgroups (files to write oneself into); terminal ({rows, columns}; null: none). Then it gives new sizes, a
line "ROWS COLUMNS" each. Its end is the end of whoever asked, and nothing of the session outlives it. Exits as the command did,
128 + n for a signal.

In Python since a terminal, namespaces and capabilities are system calls that Node has no words for.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import struct
import termios
import time

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_READ, PR_CAPBSET_DROP = 38, 23, 24
CONTROL = 3

spec = {}
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (what, os.strerror(code)))
    return result


def read_spec():
    text = b""
    while not text.endswith(b"\n"):
        byte = os.read(CONTROL, 1)
        if not byte:
            os._exit(125)
        text += byte
    spec.update(json.loads(text))


def enter_limits():
    for file in spec["cgroups"]:
        with open(file, "w") as procs:
            procs.write("0")
    # Where no cgroup holds the job, its own rlimits do.
    if not spec["cgroups"] and hasattr(resource, "prlimit"):
        for kind in (resource.RLIMIT_DATA, resource.RLIMIT_NPROC):
            resource.setrlimit(kind, resource.prlimit(spec["like"], kind))


def enter_namespaces(target):
    """All at once by a pidfd (Linux 5.8): bubblewrap's user namespace lies below the one that owns the others, which can
    only be entered from outside both."""
    kinds = NEWNS | NEWIPC | NEWPID
    for name, kind in (("user", NEWUSER), ("net", NEWNET)):
        if os.readlink("/proc/%d/ns/%s" % (target, name)) != os.readlink("/proc/self/ns/%s" % name):
            kinds |= kind
    pidfd = os.pidfd_open(target) if hasattr(os, "pidfd_open") else check(libc.syscall(434, target, 0), "pidfd_open")
    check(libc.setns(pidfd, kinds), "setns")
    os.close(pidfd)


def drop_capabilities():
    """As bubblewrap does: what was needed to enter is nobody's inside."""
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0:
            break
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 and ctypes.get_errno() != errno.EPERM:
            raise OSError(ctypes.get_errno(), "a capability can't be dropped")


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def become_command(slave):
    """Never returns."""
    try:
        os.close(CONTROL)
        os.setsid()
        if slave is not None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(slave, fd)
            if slave > 2:
                os.close(slave)
        if spec["enter"]:
            drop_capabilities()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(spec["cwd"])
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(2, ("mycloud: %s: %s\n" % (spec["argv"][0], error.strerror)).encode())
        os._exit(127 if error.errno == errno.ENOENT else 126)
    finally:
        os._exit(126)


def exit_code(status):
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def on_child():
    """@returns a file that can be read when a child has ended"""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wake


def read_terminal(master):
    try:
        return os.read(master, 65536)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""  # Linux's word for: nobody has the terminal open any more


def relay(master, child, control, wake):
    """Between the terminal and this process's stdin and stdout, until the command has ended, whatever it left running."""
    reading = [0, master, control, wake]
    rest = b""
    while True:
        ready = select.select(reading, [], [])[0]
        if master in ready:
            data = read_terminal(master)
            write_all(1, data)
            if not data:
                return exit_code(os.waitpid(child, 0)[1])
        if 0 in ready:
            data = os.read(0, 65536)
            if data:
                write_all(master, data)
            else:
                reading.remove(0)
        if control in ready:
            data = os.read(control, 4096)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                rows, columns = line.split()
                set_size(master, int(rows), int(columns))
            if not data:
                reading.remove(control)
        if wake in ready:
            os.read(wake, 64)
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid == child:
                while select.select([master], [], [], 0.05)[0]:
                    data = read_terminal(master)
                    if not data:
                        break
                    write_all(1, data)
                return exit_code(status)


def run_inside(control):
    """In the job's namespaces, the command's parent. @returns its exit code"""
    wake = on_child()
    enter_limits()
    if spec["enter"]:
        enter_namespaces(spec["like"])
    if spec["terminal"] is None:
        child = os.fork()
        if child == 0:
            become_command(None)
        for fd in (0, 1, 2):
            os.close(fd)
        return exit_code(os.waitpid(child, 0)[1])
    # Of the job's own /dev/pts, so that its programs find the name of their terminal.
    master, slave = os.openpty()
    set_size(master, spec["terminal"]["rows"], spec["terminal"]["columns"])
    child = os.fork()
    if child == 0:
        os.close(master)
        become_command(slave)
    os.close(slave)
    return relay(master, child, control, wake)


def members():
    """What carries the session's mark, wherever it went."""
    mark = ("MYCLOUD_EXEC=%s" % spec["session"]).encode()
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open("/proc/%s/environ" % name, "rb") as environ:
                if mark in environ.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            pass  # gone, or not ours
    return found


def end_all(inside):
    """Kills what is left of the session: the end of whoever asked is the end of all that was begun for him."""
    for _ in range(200):
        left = members()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not left:
            break
        time.sleep(0.02)
    try:
        os.kill(inside, signal.SIGKILL)
    except ProcessLookupError:
        pass


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    read_spec()
    sizes, told = os.pipe()
    wake = on_child()
    inside = os.fork()
    if inside == 0:
        os.close(told)
        try:
            code = run_inside(sizes)
        except OSError as error:
            os.write(2, ("mycloud: the job can't be entered: %s\n" % error).encode())
            code = 125
        os._exit(code)
    os.close(sizes)
    for fd in (0, 1, 2):
        os.close(fd)
    # Outside the job's namespaces, this process sees all of the session, and whether it is still wanted.
    while True:
        ready = select.select([CONTROL, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 64)
            pid, status = os.waitpid(inside, os.WNOHANG)
            if pid == inside:
                end_all(inside)
                os._exit(exit_code(status))
        if CONTROL in ready:
            data = os.read(CONTROL, 4096)
            if not data:
                end_all(inside)
                os._exit(exit_code(os.waitpid(inside, 0)[1]))
            try:
                os.write(told, data)
            except OSError:
                pass  # it has just ended


main()
