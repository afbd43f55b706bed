"""Makes and removes pods through a CRI socket, as the kubelet does: SOCKET, then for each line of
standard input one JSON object {"pod": {...}, "containers": [...]}, or {"container": ID, "exec":
[...]}, which runs a program in one of them; one JSON line goes out for each, with the ids."""
import json
import sys

import grpc


# Nothing is written beside the sources.
sys.dont_write_bytecode = True
from protobuf_wire import field  # noqa: E402


def pairs(number, entries):
    return b"".join(field(number, field(1, k) + field(2, v)) for k, v in entries.items())


def first_text(message):
    """Field 1 of a message, a text that is shorter than 128 bytes."""
    return message[2:2 + message[1]].decode() if message[:1] == b"\n" else ""


def main():
    channel = grpc.insecure_channel("unix:" + sys.argv[1])

    def call(name, message):
        method = channel.unary_unary("/runtime.v1.RuntimeService/" + name)
        return method(message, timeout=60)

    sandboxes = []
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "exec" in asked:
                # As the kubelet runs probes.
                command = b"".join(field(2, word) for word in asked["exec"])
                call("ExecSync", field(1, asked["container"]) + command + field(3, 30))
                print("{}", flush=True)
                continue
            pod = asked["pod"]
            # Host's network, as there are no plugins for another.
            namespaces = field(1, 2) + field(2, 1) + field(3, 0)
            linux = field(2, field(1, namespaces) + field(6, True))
            if "cgroup" in pod:
                linux = field(1, pod["cgroup"]) + linux
            config = field(1, field(1, pod["name"]) + field(2, pod["uid"]) +
                           field(3, pod["namespace"]))
            config += pairs(6, pod.get("labels", {}))
            config += pairs(7, pod.get("annotations", {})) + field(8, linux)
            sandbox = first_text(call("RunPodSandbox", field(1, config)))
            sandboxes.append(sandbox)
            ids = []
            for one in asked["containers"]:
                own = field(1, field(1, one["name"])) + field(2, field(1, one["image"]))
                own += b"".join(field(3, word) for word in one["command"])
                own += b"".join(
                    field(7, field(1, to) + field(2, what) + field(3, True))
                    for what, to in one.get("mounts", {}).items())
                own += pairs(9, one.get("labels", {}))
                context = field(2, one.get("privileged", False)) + field(3, namespaces)
                own += field(15, field(2, context))
                made = field(1, sandbox) + field(2, own) + field(3, config)
                container = first_text(call("CreateContainer", made))
                call("StartContainer", field(1, container))
                ids.append(container)
            print(json.dumps({"sandbox": sandbox, "containers": ids}), flush=True)
    finally:
        for sandbox in sandboxes:
            call("StopPodSandbox", field(1, sandbox))
            call("RemovePodSandbox", field(1, sandbox))


main()
