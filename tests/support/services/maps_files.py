"""Maps files as though they were libraries, and waits.

    maps_files.py FILE ...                     prints "mapped", ends with its standard input
    maps_files.py --copies N LIBRARY FOLDER    the same with N copies of a library
    maps_files.py --unmap WRITTEN FILE ...     and, at a line of its input, unmaps a page that it has
                                               written to
"""
import ctypes
import mmap
import pathlib
import shutil
import sys


libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def map_code(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE,
                         prot=mmap.PROT_READ | mmap.PROT_EXEC)


def write_page(path):
    """Its address. The file is closed before, so that nothing but munmap writes the page back."""
    with open(path, "r+b") as file:
        page = ctypes.c_void_p(libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE,
                                         mmap.MAP_SHARED, file.fileno(), 0))
    ctypes.memset(page, 1, 1)
    return page


def main():
    held = []
    written = None
    arguments = sys.argv[1:]
    if arguments[0] == "--copies":
        count, library, folder = int(arguments[1]), arguments[2], pathlib.Path(arguments[3])
        for number in range(count):
            copy = folder / f"copy{number}.so"
            shutil.copyfile(library, copy)
            held.append(map_code(copy))
    else:
        if arguments[0] == "--unmap":
            written = arguments[1]
        held = [map_code(path) for path in arguments[2 if written else 0:]]
    page = written and write_page(written)
    print("mapped", flush=True)
    if page:
        sys.stdin.readline()
        libc.munmap(page, mmap.PAGESIZE)
    sys.stdin.read()
    del held


if __name__ == "__main__":
    main()
