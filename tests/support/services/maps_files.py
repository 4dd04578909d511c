"""Maps files as though they were libraries, and waits.

    maps_files.py FILE ...                     prints "mapped", ends with its standard input
    maps_files.py --copies N LIBRARY FOLDER    the same with N copies of a library
"""
import mmap
import pathlib
import shutil
import sys


def map_code(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), mmap.PAGESIZE, flags=mmap.MAP_PRIVATE,
                         prot=mmap.PROT_READ | mmap.PROT_EXEC)


def main():
    held = []
    arguments = sys.argv[1:]
    if arguments[0] == "--copies":
        count, library, folder = int(arguments[1]), arguments[2], pathlib.Path(arguments[3])
        for number in range(count):
            copy = folder / f"copy{number}.so"
            shutil.copyfile(library, copy)
            held.append(map_code(copy))
    else:
        held = [map_code(path) for path in arguments]
    print("mapped", flush=True)
    sys.stdin.read()
    del held


if __name__ == "__main__":
    main()
