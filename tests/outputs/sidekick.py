# Takes alerts by POST as strictly as Falcosidekick decodes them (its payload: output, priority,
# rule, source and hostname are texts, time is RFC 3339, tags are texts, output_fields is an object
# that is not empty; other keys are passed over, numbers are kept as they stand). Prints its port,
# and when its input ends, what it took as one line of JSON.
import collections, datetime, http.server, json, re, sys, threading

PRIORITIES = "emergency alert critical error warning notice informational info debug".split()
TEXTS = ("output", "priority", "rule", "source", "hostname")
KEYS = TEXTS + ("uuid", "time", "output_fields", "tags")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")

taken, complaints, rules, kinds = set(), [], collections.Counter(), collections.Counter()


def unique(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def refuse(name):
    raise ValueError(f"{name} is no number of JSON")


class Number(str):
    pass


def kind_of(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Number):
        if re.fullmatch(r"-?\d+", value):
            return "large" if abs(int(value)) > 2**53 else "whole"
        return "fraction"
    if isinstance(value, list):
        for one in value:
            kind_of(one)
        return "list"
    if not isinstance(value, str):
        raise ValueError("a field is an object")
    value.encode("utf-8")  # A lone half of a pair is no character.
    if "\ufffd" in value:
        return "no UTF-8"
    return "control" if re.search(r"[\x00-\x1f\x7f]", value) else "text"


def check(body):
    text = body.decode("utf-8", "strict")
    alert = json.loads(
        text, object_pairs_hook=unique, parse_constant=refuse, parse_int=Number, parse_float=Number
    )
    if not isinstance(alert, dict):
        raise ValueError("it is no object")
    for key in alert:
        # Go takes keys in whatever case.
        if key.lower() in KEYS and key not in KEYS:
            raise ValueError(f"{key} would be taken for {key.lower()}")
    if "uuid" in alert:
        raise ValueError("uuid is the receiver's")
    for key in TEXTS:
        if kind_of(alert.get(key)) not in ("text", "control", "no UTF-8") or alert[key] == "":
            raise ValueError(f"{key} is no text: {alert.get(key)!r}")
    if alert["priority"].lower() not in PRIORITIES:
        raise ValueError(f"no priority: {alert['priority']}")
    if not TIME.fullmatch(alert["time"]):
        raise ValueError(f"no time: {alert['time']}")
    datetime.datetime.fromisoformat(alert["time"][:19])
    tags = alert.get("tags", [])
    if not isinstance(tags, list) or not all(type(tag) is str for tag in tags):
        raise ValueError(f"tags are no texts: {tags!r}")
    fields = alert["output_fields"]
    if not isinstance(fields, dict) or len(fields) == 0:
        raise ValueError("output_fields is empty")
    for name in ("k8s.ns.name", "k8s.pod.name"):
        if fields.get(name) is not None and type(fields[name]) is not str:
            raise ValueError(f"{name} is no text")
    return alert["id"], alert["rule"], [kind_of(value) for value in fields.values()]


class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            name, rule, found = check(body)
            # One whose answer came too late comes again.
            if name not in taken:
                rules[rule] += 1
                kinds.update(found)
            taken.add(name)
            status = 200
        except Exception as error:
            complaints.append(f"{error}: {body[:2000].decode('utf-8', 'replace')}")
            status = 400
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
told = {"taken": len(taken), "complaints": complaints[:5], "rules": rules, "kinds": kinds}
print(json.dumps(told), flush=True)
