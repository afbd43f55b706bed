# Runs a program and tells when its lines came. In: a marker, the program with its arguments. Out:
# for each line that names a numbered file of the marker, the marker, the number and the ns since
# the epoch at which the line was read. The process that is started becomes the program.
import os, re, sys, time

marker, program, arguments = sys.argv[1], sys.argv[2], sys.argv[2:]
reader, writer = os.pipe()
if os.fork() != 0:
    os.close(reader)
    os.dup2(writer, 1)
    os.close(writer)
    os.execv(program, arguments)

os.close(writer)
numbered = re.compile(re.escape(marker).encode() + rb"/n/(\d+)")
rest = b""
while data := os.read(reader, 1 << 16):
    now = time.time_ns()
    lines = (rest + data).split(b"\n")
    rest = lines.pop()
    for line in lines:
        found = numbered.search(line)
        if found:
            print(marker, int(found[1]), now, flush=True)
