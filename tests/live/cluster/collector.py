"""Answers as Falco's k8s-metacollector does (metadata.Metadata/Watch) on the port that is its
argument: tells of one pod and its namespace, and stays. The selector that came is one JSON line of
standard output."""
import json
import os
import sys
import time
from concurrent import futures

import grpc


# Nothing is written beside the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../runtimes"))
from protobuf_wire import field  # noqa: E402


def event(kind, uid, meta, more=b""):
    return field(1, "Create") + field(2, uid) + field(3, kind) + field(4, json.dumps(meta)) + more


def texts(message):
    """The texts of a message of texts and messages of texts."""
    return [part for part in message.decode("latin-1").split("\n") if part]


def watch(request, context):
    print(json.dumps(texts(request)), flush=True)
    refs = field(7, field(1, field(1, "Namespace") + field(2, field(1, "n1"))))
    yield event("Namespace", "n1", {"name": "shop", "labels": {"tier": "gold"}})
    status = field(6, json.dumps({"podIP": "10.0.0.9"}))
    yield event("Pod", "p1", {"name": "web", "namespace": "shop"}, status + refs)
    while context.is_active():
        time.sleep(0.1)


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method != "/metadata.Metadata/Watch":
            return None
        return grpc.unary_stream_rpc_method_handler(watch)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop(0)


main()
