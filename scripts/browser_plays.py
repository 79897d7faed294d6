"""browser_plays.py FILE...: whether Chromium plays each MP4 file, picture and sound, to its end."""
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.request

# Plays at 8 times the speed and answers what came of it.
PLAY = """
const done = arguments[arguments.length - 1];
const video = document.createElement('video');
video.src = arguments[0];
video.playbackRate = 8;
video.muted = true;
const say = (error) => done({
    error, duration: video.duration, time: video.currentTime, width: video.videoWidth,
    pictures: video.webkitDecodedFrameCount, audio: video.webkitAudioDecodedByteCount,
});
video.onerror = () => say(video.error.message || 'error ' + video.error.code);
video.onended = () => say(null);
video.play().catch((error) => say(String(error)));
document.body.append(video);
"""


def serve(folder):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Browser:
    """A headless Chromium, by the WebDriver protocol."""

    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.url = "http://127.0.0.1:" + line.rstrip(". \n").split()[-1]
                break
        else:
            sys.exit("browser: chromedriver does not start")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
                 "--autoplay-policy=no-user-gesture-required"]
        options = {"alwaysMatch": {"goog:chromeOptions": {"args": flags}, "timeouts": {"script": 60_000}}}
        self.session = "/session/" + self.ask("/session", {"capabilities": options})["sessionId"]

    def ask(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.ask(self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self.ask(self.session + "/execute/async", {"script": script, "args": list(arguments)})

    def close(self):
        request = urllib.request.Request(self.url + self.session, method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()
        self.driver.terminate()
        self.driver.wait()


failed = 0
with tempfile.TemporaryDirectory() as profile:
    browser = Browser(profile)
    for path in map(pathlib.Path, sys.argv[1:]):
        port = serve(path.parent.resolve())
        browser.open(f"http://127.0.0.1:{port}/")
        got = browser.run(PLAY, path.name)
        whole = got["error"] is None and got["time"] >= got["duration"] - 0.1
        good = whole and got["width"] > 0 and got["pictures"] > 0 and got["audio"] > 0
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {path.name} in Chromium: {json.dumps(got)}")
    browser.close()
sys.exit(1 if failed else 0)
