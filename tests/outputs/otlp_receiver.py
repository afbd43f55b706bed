"""A strict receiver of OTLP logs for tests, made of the protocol's own messages.

In: KIND (http or grpc), a port, a directory of certificates or "-", a bearer token or "-", and as
JSON what the first requests with alerts are answered; all others are taken. Out: "ready PORT", then
a line of JSON for each request with alerts: what it was in, its headers, and the message.
Whatever is no message of the protocol ends it with code 3.
"""

import gzip
import json
import os
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf import json_format, unknown_fields
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc

KIND, PORT, CERTIFICATES, TOKEN, PLAN = sys.argv[1:6]
ANSWERS = json.loads(PLAN)
LOCK = threading.Lock()


def fail(why):
    print(f"no message of the protocol: {why}", file=sys.stderr, flush=True)
    os._exit(3)


def check_known(message):
    if len(unknown_fields.UnknownFieldSet(message)) > 0:
        fail(f"unknown fields in {message.DESCRIPTOR.name}")
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for one in value if isinstance(value, (list, tuple)) or hasattr(value, "add") else [value]:
            check_known(one)


def check_whole(request):
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                names = [attribute.key for attribute in record.attributes]
                if len(names) != len(set(names)) or "" in names:
                    fail(f"attributes without a name of their own: {names}")
                if any(one.value.WhichOneof("value") is None for one in record.attributes):
                    fail("an attribute without a value")


def take(kind, headers, request):
    """Tells of it; returns how it is answered."""
    check_known(request)
    check_whole(request)
    if len(request.resource_logs) == 0:
        return {}
    with LOCK:
        answer = ANSWERS.pop(0) if ANSWERS else {}
        told = json_format.MessageToDict(request, preserving_proto_field_name=True)
        line = {"kind": kind, "headers": headers, "request": told, "answer": answer}
        print(json.dumps(line), flush=True)
    return answer


def partial(answer):
    response = logs_service_pb2.ExportLogsServiceResponse()
    if "rejected" in answer:
        response.partial_success.rejected_log_records = answer["rejected"]
        response.partial_success.error_message = answer.get("why", "")
    return response


def is_known(authorization):
    return TOKEN == "-" or authorization == f"Bearer {TOKEN}"


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, kind="text/plain", body=b"", headers=()):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/logs":
            return self.answer(404)
        if not is_known(self.headers["authorization"]):
            return self.answer(401, body=b'{"code": 16, "message": "who are you?"}')
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["content-type"]
        request = logs_service_pb2.ExportLogsServiceRequest()
        try:
            if kind == "application/json":
                json_format.Parse(body, request, ignore_unknown_fields=False)
            elif kind == "application/x-protobuf":
                request.ParseFromString(body)
            else:
                return self.answer(415)
        except Exception as error:
            fail(error)
        answer = take(kind, dict(self.headers), request)
        if answer.get("status") == "cut":
            self.close_connection = True
            return None
        if "status" in answer:
            after = answer.get("after")
            says = json.dumps({"message": answer.get("why", "")}).encode()
            headers = [] if after is None else [("retry-after", str(after))]
            return self.answer(answer["status"], "application/json", says, headers)
        response = partial(answer)
        if kind == "application/json":
            told = json_format.MessageToJson(response).encode()
        else:
            told = response.SerializeToString()
        self.answer(200, kind, told)


class Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def Export(self, request, context):
        headers = dict(context.invocation_metadata())
        if not is_known(headers.get("authorization")):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        answer = take("grpc", headers, request)
        if "status" in answer:
            if "after" in answer:
                context.set_trailing_metadata((("grpc-status-details-bin", retry(answer)),))
            context.abort(getattr(grpc.StatusCode, answer["status"]), answer.get("why", ""))
        return partial(answer)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, content):
    return varint(number * 8 + 2) + varint(len(content)) + content


def retry(answer):
    """A google.rpc.Status with a RetryInfo, whose messages no package here has."""
    duration = b"\x08" + varint(answer["after"])
    info = field(1, b"type.googleapis.com/google.rpc.RetryInfo") + field(2, field(1, duration))
    return b"\x08\x0e" + field(2, b"later") + field(3, info)


def file(name):
    with open(f"{CERTIFICATES}/{name}", "rb") as opened:
        return opened.read()


def serve_web():
    server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), Web)
    server.daemon_threads = True
    if CERTIFICATES != "-":
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{CERTIFICATES}/server.pem", f"{CERTIFICATES}/server.key")
        context.load_verify_locations(f"{CERTIFICATES}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"ready {server.server_address[1]}", flush=True)
    server.serve_forever()


def serve_grpc():
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(Logs(), server)
    where = f"127.0.0.1:{PORT}"
    if CERTIFICATES == "-":
        port = server.add_insecure_port(where)
    else:
        pairs = [(file("server.key"), file("server.pem"))]
        credentials = grpc.ssl_server_credentials(pairs, file("ca.pem"), True)
        port = server.add_secure_port(where, credentials)
    server.start()
    print(f"ready {port}", flush=True)
    server.wait_for_termination()


def end_with_parent():
    """Whoever started it holds its standard input."""
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
serve_grpc() if KIND == "grpc" else serve_web()
