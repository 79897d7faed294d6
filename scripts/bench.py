"""Interleaves the workloads over the relays and prints medians; see bench.sh."""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("cache", type=pathlib.Path)
parser.add_argument("--reps", type=int, default=int(os.environ.get("REPS", "5")))
parser.add_argument("--secs", type=float, default=float(os.environ.get("SECS", "3")))
parser.add_argument("--relays", default="parvis floor moq-relay moq-relay-ietf")
parser.add_argument("--rows", default="", help="only these rows of the tables, by name")
parser.add_argument("--write", type=pathlib.Path, help="writes the tables into this Markdown file")
options = parser.parse_args()

binaries = pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "release"
bench_peers = options.cache / "bench-peers" / "bin"
PORT = 4443
folder = pathlib.Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
PEERS = ("moq-relay", "moq-relay-ietf")
EVERYONE = ("parvis", "floor", *PEERS)


class Row:
    """A load: its name, the arguments of `parvis-load`, who carries it."""

    def __init__(self, name, workload, subs, *arguments, relays=EVERYONE, drive=(), secs=None, reps=None):
        self.name, self.subs, self.relays = name, subs, relays
        self.shape = ["--workload", workload, *arguments]
        self.drive = drive
        self.secs, self.reps = secs or options.secs, min(reps or options.reps, options.reps)


# Cost per object: (most times the floor, largest part of the best peer).
COST = {"audio": (1.5, 0.25), "audio-100": (1.5, 0.25), "audio1": (1.7, 0.25), "video": (1.25, 0.5), "single": (1.3, 0.5)}
ROWS = [
    Row("audio", "audio", 50), Row("audio-100", "audio", 100), Row("audio1", "audio1", 50),
    Row("video", "video", 50), Row("single", "single", 50),
    Row("blast", "blast", 50, drive=("--warm", "10"), secs=10),
    Row("one", "single", 1, "--rate", "50", "--gop", "50"),
    Row("idle-1000", "single", 1000, "--rate", "0.1", relays=("parvis", *PEERS)),
    Row("active-400", "single", 400, "--rate", "20", relays=("parvis", *PEERS)),
    Row("grow-10", "single", 10, "--rate", "50", "--gop", "50", relays=("parvis", "floor"), secs=4),
    Row("grow-100", "single", 100, "--rate", "50", "--gop", "50", relays=("parvis", "floor"), secs=4),
    Row("grow-1000", "single", 1000, "--rate", "50", "--gop", "50", relays=("parvis", "floor"), secs=4),
    Row("groups", "single", 4, "--rate", "5000", "--gop", "1", drive=("--warm", "90", "--churn", "1"), relays=("parvis",),
        secs=200, reps=1),
]


def certificate():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"], check=True, capture_output=True)


def command(relay, shape):
    listen = f"127.0.0.1:{PORT}"
    if relay == "parvis":
        return [binaries / "parvis", "relay", "--listen", listen, "--drain", "0s"], 22, []
    if relay == "floor":
        return [binaries / "parvis-load", "floor", "--listen", listen, *shape], 22, ["--no-publish"]
    if relay == "moq-relay":
        return [bench_peers / "moq-relay", "--listen", listen, "--listen-tls-generate", "localhost",
                "--auth-public", "**", "--listen-version", "moq-transport-22"], 22, []
    return [bench_peers / "moq-relay-ietf", "--bind", listen, "--tls-cert", folder / "cert.pem",
            "--tls-key", folder / "key.pem", "--coordinator-file",
            folder / f"coordinator-{time.monotonic_ns()}.json"], 18, []


def listening(process):
    """Waits until the relay has its port."""
    wanted = f":{PORT:04X} "
    for _ in range(200):
        if process.poll() is not None:
            return False
        if wanted in pathlib.Path("/proc/net/udp").read_text() + pathlib.Path("/proc/net/udp6").read_text():
            return True
        time.sleep(0.05)
    return False


def run(relay, row):
    start, draft, extra = command(relay, row.shape)
    environment = dict(os.environ, RUST_LOG="warn", TOKIO_WORKER_THREADS="2")
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(start, stdout=log, stderr=log, env=environment)
    try:
        if not listening(process):
            return None
        drive = [binaries / "parvis-load", "drive", "--connect", f"127.0.0.1:{PORT}", "--peer", relay,
                 "--pid", str(process.pid), "--draft", str(draft), *row.shape,
                 "--subs", str(row.subs), "--secs", str(row.secs), *row.drive, *extra]
        result = subprocess.run(drive, capture_output=True, text=True, timeout=180 + row.secs,
                                preexec_fn=in_the_background)
        if result.returncode != 0:
            print(f"  {relay} {row.name}: {result.stderr.strip()}", file=sys.stderr)
            return None
        return json.loads(result.stdout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def in_the_background():
    """The load may not interrupt the relay that it wakes: on a network it would be another machine."""
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


certificate()
installed = options.relays.split()
wanted = options.rows.split()
rows = [row for row in ROWS if not wanted or row.name in wanted]
results = {}
for repetition in range(options.reps):
    for row in rows:
        for relay in row.relays:
            if relay in installed and repetition < row.reps and (result := run(relay, row)):
                results.setdefault((row.name, relay), []).append(result)


def median(row, relay, key):
    """The median of a figure; `None` if the relay did not run."""
    found = results.get((row, relay))
    return statistics.median(result[key] for result in found) if found else None


def best_peer(row, key):
    return min((value for peer in PEERS if (value := median(row, peer, key)) is not None), default=None)


verdicts = []


def judge(name, figure, target, fine=None):
    """Prints a figure with its target, unless it could not be measured. fine: figure <= target if not given."""
    if figure is not None and target is not None:
        fine = figure <= target if fine is None else fine
        verdicts.append(f"{'ok' if fine else 'short'} {name} {figure:.3g} {target:.3g}")


def ratio(one, other):
    return one / other if one is not None and other else None


for name, (floor, peer) in COST.items():
    cost = median(name, "parvis", "us_per_object")
    judge(f"{name}/floor", ratio(cost, median(name, "floor", "us_per_object")), floor)
    judge(f"{name}/best-peer", ratio(cost, best_peer(name, "us_per_object")), peer)
delivered = median("blast", "parvis", "delivered_ratio")
judge("blast-delivered", delivered, 1.0, delivered is not None and delivered > 0.999)
rates = [result["objects"] / result["wall_s"] for result in results.get(("blast", "parvis"), [])]
rate = statistics.median(rates) if rates else None
judge("blast-objects-per-s", rate, 200_000, rate is not None and rate > 198_000)
judge("blast-p99-ms", ratio(median("blast", "parvis", "p99_us"), 1000), 20)
grown = [result["rss_kb"] - result["rss_start_kb"] for result in results.get(("blast", "parvis"), [])]
judge("blast-memory-growth-MB", max(grown, default=None) and max(grown) / 1024, 4)
for quantile, target in (("p50", 0.3), ("p99", 2)):
    direct, through = (median("one", relay, f"{quantile}_us") for relay in ("floor", "parvis"))
    if direct is not None and through is not None:
        judge(f"added-latency-{quantile}-ms", (through - direct) / 1000, target)
for name in ("idle-1000", "active-400"):
    judge(f"{name}-memory/best-peer", ratio(median(name, "parvis", "rss_kb"), best_peer(name, "rss_kb")), 1)
GROWING = ("grow-10", "grow-100", "grow-1000")
few, more, many = (median(name, "parvis", "us_per_object") for name in GROWING)
if None not in (few, more, many):
    judge("grow-100/grow-10", more / few, 1.15)
    judge("grow-1000/cheaper-of-both", many / min(few, more), 1.15)
of_floor = [ratio(median(name, "parvis", "us_per_object"), median(name, "floor", "us_per_object")) for name in GROWING]
if None not in of_floor:
    judge("grow-in-floors", max(of_floor[1] / of_floor[0], of_floor[2] / min(of_floor[:2])), 1.15)
groups = results.get(("groups", "parvis"))
passed = groups and groups[0]["objects"] / 4
# Each second one of four is not there for a moment.
judge("groups-delivered", passed, 0.99e6, passed and passed > 0.99e6)
judge("groups-memory-growth-MB", groups and (groups[0]["rss_kb"] - groups[0]["rss_start_kb"]) / 1024, 1)

model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
lines = [
    f"{os.cpu_count()} cores of {model}, Linux {platform.release()}; loopback, raw QUIC, a connection for each subscriber; "
    f"CPU of the relay's process; median of {options.reps} interleaved runs of {options.secs:g} s "
    "(blast: of 10 s; groups: one run).",
    "", "| Load | Subscribers | Relay | µs per object | delivered | p50 ms | p99 ms | MB |", "|---|---|---|---|---|---|---|---|"]
for row in rows:
    for relay in row.relays:
        if (row.name, relay) in results:
            of = lambda key: median(row.name, relay, key)
            lines.append(f"| {row.name} | {row.subs} | {relay} | {of('us_per_object'):.1f} | {of('delivered_ratio'):.1%} | "
                         f"{of('p50_us') / 1000:.2f} | {of('p99_us') / 1000:.1f} | {of('rss_kb') / 1024:.0f} |")
        elif relay in installed:
            lines.append(f"| {row.name} | {row.subs} | {relay} | did not run | | | | |")
print("\n".join(lines) + "\n")
print("\n".join(verdicts))
if options.write:
    head, _, rest = options.write.read_text().partition("<!-- bench -->")
    tail = rest.partition("<!-- /bench -->")[2]
    table = "\n".join(lines) + "\n\n```\n" + "\n".join(verdicts) + "\n```\n\n"
    options.write.write_text(f"{head}<!-- bench -->\n\n{table}<!-- /bench -->{tail or chr(10)}")
