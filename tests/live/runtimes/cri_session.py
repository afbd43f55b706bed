"""What a real CRI said of one pod, kept and said again.

    cri_session.py record SOCKET CONTAINER     prints the answers as JSON
    cri_session.py answer SOCKET FILE          answers there, as CRI-O would, until its input ends

Answers are kept as they came; of the runtime's own JSON what is read of it. CRI-O answers otherwise
than containerd, by its sources (server/version.go, container_status.go, sandbox_status.go,
container_events.go): its name; the keys of that JSON, which has no `config`; the annotations of its
specification; an interface's configuration as an annotation of the pod; and its stream of events,
which is at its end at once unless `enable_pod_events` is set."""
import base64
import json
import sys
from concurrent import futures

import grpc

SERVICE = "runtime.v1.RuntimeService"


# Nothing is written beside the sources.
sys.dont_write_bytecode = True
from protobuf_wire import field  # noqa: E402


def fields(message):
    """Numbers and values of a message."""
    at = 0

    def number():
        nonlocal at
        found = shift = 0
        while True:
            byte = message[at]
            at += 1
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        else:
            length = number()
            at += length
            yield key >> 3, message[at - length:at]


def first(message, wanted):
    return next((value for number, value in fields(message) if number == wanted), b"")


def text(message, wanted):
    return first(message, wanted).decode()


def info_of(answer):
    return json.loads(text(first(answer, 2), 2) or "{}")


def record(socket, container):
    channel = grpc.insecure_channel("unix:" + socket)

    def call(name, message):
        return channel.unary_unary(f"/{SERVICE}/{name}")(message, timeout=30)

    def kept(answer):
        """The status as it came; of the runtime's own JSON what is read."""
        own = info_of(answer)
        spec = own.get("runtimeSpec", {})
        own = {key: own[key] for key in ("sandboxID", "pid", "privileged") if key in own}
        own["runtimeSpec"] = {"annotations": spec.get("annotations", {})}
        return base64.b64encode(field(1, first(answer, 1)) + with_info(own)).decode()

    status = call("ContainerStatus", field(1, container) + field(2, True))
    sandbox = info_of(status)["sandboxID"]
    by_id = lambda one: field(1, field(1, one))
    whole = lambda answer: base64.b64encode(answer).decode()
    pod = call("PodSandboxStatus", field(1, sandbox) + field(2, True))
    print(json.dumps({
        "id": container,
        "Version": whole(call("Version", b"")),
        "ListContainers": whole(call("ListContainers", by_id(container))),
        "ListPodSandbox": whole(call("ListPodSandbox", by_id(sandbox))),
        "ContainerStatus": kept(status),
        "PodSandboxStatus": kept(pod),
    }, indent=2))


def with_info(own):
    return field(2, field(1, "info") + field(2, json.dumps(own)))


def as_crio(kept):
    """The same answers, as CRI-O would give them."""
    answers = {name: base64.b64decode(one) for name, one in kept.items() if name != "id"}
    status = answers["ContainerStatus"]
    own = info_of(status)
    name = text(first(first(status, 1), 2), 1)
    image = text(first(first(status, 1), 8), 1)
    own["runtimeSpec"]["annotations"] = {
        "io.kubernetes.container.name": name,
        "io.kubernetes.cri-o.ContainerType": "container",
        "io.kubernetes.cri-o.ImageName": image,
        "io.kubernetes.cri-o.SandboxID": own["sandboxID"],
    }
    own["privileged"] = own.get("privileged", False)
    answers["ContainerStatus"] = field(1, first(status, 1)) + with_info(own)
    pod = answers["PodSandboxStatus"]
    result = {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0"}]}
    own = {"image": image, "pid": info_of(pod).get("pid", 0), "runtimeSpec": {"annotations": {
        "io.kubernetes.cri-o.ContainerType": "sandbox",
        "io.kubernetes.cri-o.CNIResult": json.dumps(result),
    }}}
    answers["PodSandboxStatus"] = field(1, first(pod, 1)) + with_info(own)
    answers["Version"] = (field(1, "0.1.0") + field(2, "cri-o") + field(3, "1.30.0") +
                          field(4, "v1"))
    return answers


def answer(socket, path):
    with open(path, encoding="utf-8") as file:
        answers = as_crio(json.load(file))
    ids = {"List" + kind: text(first(answers["List" + kind], 1), 1)
           for kind in ("Containers", "PodSandbox")}
    ids["ContainerStatus"] = ids["ListContainers"]
    ids["PodSandboxStatus"] = ids["ListPodSandbox"]

    def handler(name):
        def answered(message, context):
            asked = first(message, 1)
            wanted = text(asked, 1) if name.startswith("List") and asked else asked.decode()
            if name in ids and not ids[name].startswith(wanted):
                if name.startswith("List"):
                    return b""
                context.abort(grpc.StatusCode.NOT_FOUND, f'could not find container "{wanted}"')
            return answers[name]
        return grpc.unary_unary_rpc_method_handler(answered)

    handlers = {name: handler(name) for name in answers}
    handlers["GetContainerEvents"] = grpc.unary_stream_rpc_method_handler(
        lambda message, context: iter(()))
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port("unix:" + socket)
    server.start()
    print("answering", flush=True)
    sys.stdin.read()
    server.stop(0)


{"record": record, "answer": answer}[sys.argv[1]](*sys.argv[2:])
