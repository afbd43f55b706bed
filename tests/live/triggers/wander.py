# Opens, uses and closes files in every way that names can take: through links, descriptors, /proc,
# mounts, relative to directories that change. Arguments: marker, a directory, seed, how many
# actions. The same arguments do the same; to be run in a mount namespace of its own.
#
# Names by chance lead anywhere, above the directory too, and change what they meet. So it first
# makes a root of its own below the directory, in which that has the same name: nothing leads out.
import ctypes
import os
import random
import sys

_, _, place, seed, count = sys.argv
chance = random.Random(int(seed))
top = place + "/t"
libc = ctypes.CDLL(None, use_errno=True)
AT_EMPTY_PATH = 0x1000
MS_BIND = 4096

root = place + "/root"
os.makedirs(root + top)
os.mkdir(root + "/proc")
if libc.mount(b"proc", os.fsencode(root + "/proc"), b"proc", 0, None) != 0:
    sys.exit("no /proc of its own: " + os.strerror(ctypes.get_errno()))
os.chroot(root)
os.chdir("/")
# The chroot itself must hold: no descriptor from before it may be used.
os.closerange(3, 1024)

for directory in ["", "/a", "/b", "/a/c", "/mnt"]:
    os.makedirs(top + directory, exist_ok=True)
    for name in ["x", "y", "secret"]:
        open(f"{top}{directory}/{name}", "w").close()
for link, target in [
    ("l", "a"),
    ("m", "../t/b"),
    ("n", "a/c/../../b"),
    ("a/up", ".."),
    ("f", "a/x"),
    ("b/g", top + "/a/secret"),
]:
    os.symlink(target, f"{top}/{link}")

DIRECTORIES = ["", "a", "b", "a/c", "l", "m", "n", "l/c", "a/up", "mnt", "l/up/m"]
NAMES = ["x", "y", "secret", "f", "g", "none", "new", ".", ".."]
held = []


def joined(directory, name):
    noise = chance.choice(["", "", "", "./", "/", "../t/" if directory == "" else ""])
    return (directory + "/" if directory else "") + noise + name


def path():
    """A name, and the descriptor that it starts from."""
    inside = joined(chance.choice(DIRECTORIES), chance.choice(NAMES))
    kind = chance.randrange(12)
    if kind < 6:
        return f"{top}/{inside}", None
    if kind < 8:
        return inside, None
    if kind < 10 and held:
        return chance.choice([inside, chance.choice(NAMES)]), chance.choice(held)
    if kind == 10 and held:
        below = chance.choice(["", "", "/" + chance.choice(NAMES)])
        return f"/proc/self/fd/{chance.choice(held)}{below}", None
    return f"/proc/self/cwd/{chance.choice(NAMES)}", None


def opened():
    name, fd = path()
    flags = chance.choice([
        os.O_RDONLY,
        os.O_RDONLY,
        os.O_RDONLY | os.O_DIRECTORY,
        os.O_PATH,
        os.O_PATH | os.O_NOFOLLOW,
        os.O_WRONLY,
        os.O_RDWR | os.O_CREAT,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL,
        os.O_RDONLY | os.O_NOFOLLOW,
    ])
    held.append(os.open(name, flags, 0o600, dir_fd=fd))


def closed():
    if held:
        os.close(held.pop(chance.randrange(len(held))))


def replaced():
    if len(held) > 1:
        os.dup2(chance.choice(held), chance.choice(held), inheritable=False)


def named(call):
    def act():
        name, fd = path()
        call(name, fd)
    return act


def linked():
    if held:
        name, fd = path()
        source = chance.choice([b"", os.fsencode(chance.choice(NAMES))])
        flags = AT_EMPTY_PATH if source == b"" else 0
        libc.linkat(chance.choice(held), source, -100 if fd is None else fd,
                    os.fsencode(name), flags)


def gone_to():
    name, fd = path()
    if fd is None:
        os.chdir(name)
    else:
        os.fchdir(fd)


def mounted():
    source = f"{top}/{chance.choice(DIRECTORIES)}"
    if chance.randrange(2):
        libc.umount2(f"{top}/mnt".encode(), 2)
    else:
        libc.mount(source.encode(), f"{top}/mnt".encode(), None, MS_BIND, None)


def with_descriptor(call):
    def act():
        if held:
            call(chance.choice(held))
    return act


def duplicated(fd):
    held.append(os.dup(fd))


ACTIONS = [
    (opened, 40),
    (closed, 25),
    (replaced, 3),
    (with_descriptor(duplicated), 4),
    (with_descriptor(lambda fd: os.fchmod(fd, chance.choice([0o600, 0o640, 0o4700]))), 12),
    (with_descriptor(os.fstat), 3),
    (named(lambda name, fd: os.chmod(name, 0o600, dir_fd=fd)), 6),
    (named(lambda name, fd: os.stat(name, dir_fd=fd)), 4),
    (named(lambda name, fd: os.unlink(name, dir_fd=fd)), 2),
    (named(lambda name, fd: os.mkdir(name, dir_fd=fd)), 2),
    (linked, 4),
    (gone_to, 6),
    (mounted, 2),
]
actions, weights = zip(*ACTIONS)
for _ in range(int(count)):
    try:
        chance.choices(actions, weights)[0]()
    except OSError:
        pass
    while len(held) > 12:
        closed()
