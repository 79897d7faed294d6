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
parser.add_argument("--reps", type=int, default=int(os.environ.get("REPS", "3")))
parser.add_argument("--secs", type=float, default=float(os.environ.get("SECS", "4")))
parser.add_argument("--subs", type=int, default=50)
parser.add_argument("--relays", default="parvis floor moq-relay moq-relay-ietf")
parser.add_argument("--workloads", default="audio audio1 video single")
parser.add_argument("--write", type=pathlib.Path, help="writes the table into this Markdown file")
options = parser.parse_args()

binaries = pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "release"
peers = options.cache / "bench-peers" / "bin"
PORT = 4443
# Workload -> (most times the floor, largest part of the best peer).
TARGETS = {"audio": (1.5, 0.25), "audio1": (1.7, 0.25), "video": (1.25, 0.5), "single": (1.3, 0.5)}
folder = pathlib.Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())


def certificate():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"], check=True, capture_output=True)


def command(relay, workload):
    listen = f"127.0.0.1:{PORT}"
    shape = ["--workload", workload]
    if relay == "parvis":
        return [binaries / "parvis", "relay", "--listen", listen], 22, []
    if relay == "floor":
        return [binaries / "parvis-load", "floor", "--listen", listen, *shape], 22, ["--no-publish"]
    if relay == "moq-relay":
        return [peers / "moq-relay", "--listen", listen, "--listen-tls-generate", "localhost",
                "--auth-public", "**", "--listen-version", "moq-transport-22"], 22, []
    return [peers / "moq-relay-ietf", "--bind", listen, "--tls-cert", folder / "cert.pem",
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


def run(relay, workload):
    start, draft, extra = command(relay, workload)
    environment = dict(os.environ, RUST_LOG="warn", TOKIO_WORKER_THREADS="2")
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(start, stdout=log, stderr=log, env=environment)
    try:
        if not listening(process):
            return None
        drive = [binaries / "parvis-load", "drive", "--connect", f"127.0.0.1:{PORT}", "--peer", relay,
                 "--pid", str(process.pid), "--draft", str(draft), "--workload", workload,
                 "--subs", str(options.subs), "--secs", str(options.secs), *extra]
        result = subprocess.run(drive, capture_output=True, text=True, timeout=120)
        if result.returncode != 0:
            print(f"  {relay} {workload}: {result.stderr.strip()}", file=sys.stderr)
            return None
        return json.loads(result.stdout)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


certificate()
relays = options.relays.split()
rows = {}
for repetition in range(options.reps):
    for workload in options.workloads.split():
        for relay in relays:
            row = run(relay, workload)
            if row:
                rows.setdefault((workload, relay), []).append(row)

model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
lines = [
    f"{os.cpu_count()} cores of {model}, Linux {platform.release()}; loopback, raw QUIC, {options.subs} subscribers, "
    f"a connection each; CPU of the relay's process; median of {options.reps} interleaved runs of {options.secs:g} s.",
    "", "| Workload | Relay | µs per object | delivered | p50 ms | p99 ms | MB |", "|---|---|---|---|---|---|---|"]


def median(cell, key):
    return statistics.median(row[key] for row in rows[cell])


for workload in options.workloads.split():
    for relay in relays:
        cell = (workload, relay)
        if cell in rows:
            lines.append(f"| {workload} | {relay} | {median(cell, 'us_per_object'):.1f} | {median(cell, 'delivered_ratio'):.1%} | "
                         f"{median(cell, 'p50_us') / 1000:.1f} | {median(cell, 'p99_us') / 1000:.1f} | {median(cell, 'rss_kb') / 1024:.0f} |")
        else:
            lines.append(f"| {workload} | {relay} | did not run | | | | |")
print("\n".join(lines) + "\n")
verdicts = []
for workload in options.workloads.split():
    own = (workload, "parvis")
    if own not in rows:
        continue
    cost = median(own, "us_per_object")
    most_floor, most_peer = TARGETS[workload]
    if (workload, "floor") in rows:
        ratio = cost / median((workload, "floor"), "us_per_object")
        verdicts.append(f"{'ok' if ratio <= most_floor else 'short'} {workload}/floor {ratio:.2f} {most_floor}")
    costs = [median((workload, peer), "us_per_object") for peer in relays[2:] if (workload, peer) in rows]
    if costs:
        ratio = cost / min(costs)
        verdicts.append(f"{'ok' if ratio <= most_peer else 'short'} {workload}/best-peer {ratio:.2f} {most_peer}")
print("\n".join(verdicts))
if options.write:
    text = options.write.read_text() if options.write.exists() else ""
    head = text.split("<!-- bench -->")[0]
    options.write.write_text(head + "<!-- bench -->\n\n" + "\n".join(lines) + "\n\n```\n" + "\n".join(verdicts) + "\n```\n")
