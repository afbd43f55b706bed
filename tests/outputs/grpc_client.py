# A client of Falco's gRPC interface, with messages that protoc has made of protocol/*.proto.
#
#   grpc_client.py GENERATED ADDRESS CERTIFICATES CALL [NUMBER]
#
# GENERATED: where the modules are. CERTIFICATES: a directory with ca.pem, client.pem and
# client.key, or ca.pem alone; "-" for a channel without TLS. One line of JSON is written for each
# message, "ready" once a stream is open, and at the end the status of the call.
import itertools
import json
import os
import queue
import sys
import time

generated, address, certificates, call = sys.argv[1:5]
number = int(sys.argv[5]) if len(sys.argv) > 5 else 0
sys.path.insert(0, generated)

import grpc  # noqa: E402
import outputs_pb2  # noqa: E402
import version_pb2  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402


def read(name):
    path = os.path.join(certificates, name)
    return open(path, "rb").read() if os.path.exists(path) else None


def channel():
    # Each channel is a connection of its own.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    if certificates == "-":
        return grpc.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(
        read("ca.pem"), read("client.key"), read("client.pem")
    )
    return grpc.secure_channel(address, credentials, options)


def tell(line):
    print(line, flush=True)


def sub(through, requests):
    return through.stream_stream(
        "/falco.outputs.service/sub",
        request_serializer=outputs_pb2.request.SerializeToString,
        response_deserializer=outputs_pb2.response.FromString,
    )(requests)


def asking():
    """Asks once, and leaves the stream open, until the process ends."""
    yield outputs_pb2.request()
    queue.Queue().get()


def opened(stream):
    """Whether the server has taken the call."""
    stream.initial_metadata()
    return not stream.done() or stream.code() == grpc.StatusCode.OK


def shown(message):
    tell(json.dumps(MessageToDict(message, preserving_proto_field_name=True)))


def version():
    through = channel()
    ask = through.unary_unary(
        "/falco.version.service/version",
        request_serializer=version_pb2.request.SerializeToString,
        response_deserializer=version_pb2.response.FromString,
    )
    shown(ask(version_pb2.request(), timeout=20))
    tell("OK")


def get():
    through = channel()
    stream = through.unary_stream(
        "/falco.outputs.service/get",
        request_serializer=outputs_pb2.request.SerializeToString,
        response_deserializer=outputs_pb2.response.FromString,
    )(outputs_pb2.request(), timeout=20)
    for message in stream:
        shown(message)
    tell(stream.code().name)


def follow():
    """Takes so many alerts, or all until the server ends the stream."""
    through = channel()
    stream = sub(through, asking())
    opened(stream)
    tell("ready")
    for message in itertools.islice(stream, number or None):
        # A whole message in JSON takes longer than all the rest.
        tell(message.output_fields["fd.name"] if call == "names" else json.dumps(
            MessageToDict(message, preserving_proto_field_name=True)
        ))
    if number:
        stream.cancel()
    tell(stream.code().name)


def cut():
    """Takes so many alerts and is gone, without a word."""
    stream = sub(channel(), asking())
    opened(stream)
    tell("ready")
    for message in itertools.islice(stream, number):
        shown(message)
    os._exit(0)


def many():
    """Opens so many streams at once, and tells how each of them is once all were answered.

    A client that gets no time is cut off, and another stream takes its place, of which it hears
    later: it is waited until no more are open than may be, which never comes where more may be.
    """
    streams = [sub(channel(), asking()) for _ in range(number)]
    for stream in streams:
        opened(stream)
    for _ in range(600):
        codes = [stream.code().name if stream.done() else "open" for stream in streams]
        if codes.count("open") <= 16:
            break
        time.sleep(0.1)
    tell(json.dumps({code: codes.count(code) for code in codes}))
    os._exit(0)


calls = {"names": follow, "sub": follow}
try:
    calls.get(call, globals().get(call))()
except grpc.RpcError as error:
    tell(error.code().name)
    print(error.details(), file=sys.stderr)
os._exit(0)
