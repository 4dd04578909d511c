"""A file system of one executable file, `prog`, served from user space: by this program, which can
stop answering. Started as a process of its own (it may have to be killed while others hang in it);
what it does not answer it holds up for half a minute at most.

    fuse_server.py DIRECTORY REAL_FILE      SIGUSR1: READ, WRITE and OPEN are not answered again
"""
import ctypes
import errno
import os
import signal
import stat
import struct
import subprocess
import sys

LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE = 1, 2, 3, 4, 14, 15, 16, 17, 18
FLUSH, INIT, OPENDIR, INTERRUPT, BATCH_FORGET = 25, 26, 27, 36, 42
HEADER = struct.Struct("<IIQQIIII")


def attributes(node, size):
    mode = stat.S_IFDIR | 0o755 if node == 1 else stat.S_IFREG | 0o755
    return struct.pack("<QQQQQQIIIIIIIIII", node, 0 if node == 1 else size, 0, 0, 1, 0, 0, 0, 0,
                       mode, 1, 0, 0, 0, 4096, 0)


def mount(directory):
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"exa-test", os.fsencode(directory), b"fuse", 4, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return device


class Server:
    def __init__(self, device, real):
        self.device = device
        self.real = os.open(real, os.O_RDONLY)
        self.size = os.fstat(self.real).st_size
        self.hung = False

    def answer(self, opcode, node, body):
        """The bytes of the reply, an errno, or nothing where none is expected."""
        if opcode == INIT:
            return struct.pack("<IIIIHHI36x", 7, 31, 1 << 17, 0, 0, 0, 1 << 17)
        if opcode == LOOKUP:
            if node != 1 or body.rstrip(b"\0") != b"prog":
                return errno.ENOENT
            return struct.pack("<QQQQII", 2, 0, 1000, 1000, 0, 0) + attributes(2, self.size)
        if opcode in (GETATTR, SETATTR):
            return struct.pack("<QII", 1000, 0, 0) + attributes(node, self.size)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", 1, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self.real, size, offset)
        if opcode == WRITE:  # to nowhere
            return struct.pack("<II", struct.unpack_from("<QQI", body)[2], 0)
        if opcode == STATFS:
            return struct.pack("<QQQQQIII28x", 1, 0, 0, 2, 0, 4096, 255, 4096)
        if opcode in (RELEASE, FLUSH):
            return b""
        return errno.ENOSYS

    def serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 18)
            except OSError as error:
                if error.errno == errno.EINTR:
                    continue
                return  # unmounted
            _, opcode, unique, node, *_ = HEADER.unpack_from(request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            if self.hung and opcode in (OPEN, READ, WRITE):
                print(f"never answered: {opcode}", flush=True)
                continue
            reply = self.answer(opcode, node, request[HEADER.size:])
            code, payload = (-reply, b"") if isinstance(reply, int) else (0, reply)
            os.write(self.device, struct.pack("<IiQ", 16 + len(payload), code, unique) + payload)


class FuseMount:
    """The server as a child, with its directory mounted; leaving the block frees all who hang."""

    def __init__(self, directory, real):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.program = directory / "prog"
        self.process = subprocess.Popen([sys.executable, __file__, directory, real],
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.process.stdout.readline() == "mounted\n"
        return self

    def hang(self):
        self.process.send_signal(signal.SIGUSR1)
        assert self.process.stdout.readline() == "hangs\n"

    def __exit__(self, *_):
        # Its death ends the connection, and with that every request that waits.
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        subprocess.run(["umount", "--lazy", self.directory], check=True)


def main():
    directory, real = sys.argv[1:]
    server = Server(mount(directory), real)

    def hang(*_):
        server.hung = True
        signal.alarm(30)
        print("hangs", flush=True)

    signal.signal(signal.SIGUSR1, hang)
    print("mounted", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
