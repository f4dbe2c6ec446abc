# SPDX-License-Identifier: BSD-3-Clause
"""A headless Chromium, spoken to through its debugging pipe.

Messages are JSON objects that end in a zero byte (Chrome DevTools Protocol).
The browser has a profile of its own, which is thrown away.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = "chromium"
PACKAGE = "chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update",
         "--hide-scrollbars", "--remote-debugging-pipe")
FIRST_FREE = 10  # descriptors from here on are not 3 and 4
TIMEOUT_S = 120


class Broken(Exception):
    """The browser does not answer, or says that something is wrong."""


def is_there():
    """Whether it is installed."""
    return shutil.which(PROGRAM) is not None


def high_pipe():
    """A pipe whose ends are not the descriptors that the browser wants."""
    ends = []
    for low in os.pipe():
        ends.append(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE))
        os.close(low)
    return ends


class Browser:
    """One tab."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        their_in, self.out = high_pipe()
        self.into, their_out = high_pipe()
        # It reads from descriptor 3 and writes to 4
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "-",
             PROGRAM, *FLAGS, f"--user-data-dir={self.folder.name}",
             "about:blank"], pass_fds=(their_in, their_out),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.buffer = b""
        self.last = 0
        self.session = None
        self.events = []
        self.attach()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (Broken, OSError):
            self.process.kill()
        os.close(self.out)
        os.close(self.into)
        self.process.wait()
        self.folder.cleanup()

    def attach(self):
        """Takes the tab that is open."""
        tab = next(each for each in
                   self.call("Target.getTargets")["targetInfos"]
                   if each["type"] == "page")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=tab["targetId"])["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def receive(self, end):
        """The next message."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.into], [], [],
                                        max(0, end - time.monotonic()))
            data = os.read(self.into, 1 << 16) if ready else b""
            if not data:
                raise Broken(f"{PROGRAM} ended or does not answer")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        """Calls a method; its result. Events go to self.events."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session and not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + TIMEOUT_S
        while True:
            answer = self.receive(end)
            if answer.get("id") == self.last:
                break
            self.events.append(answer)
        if "error" in answer:
            raise Broken(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def show(self, width, height, dark):
        """Size of the window in CSS pixels, and colours."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def open(self, url):
        """Loads a page; addresses that were asked for meanwhile."""
        self.events = []
        self.call("Page.navigate", url=url)
        end = time.monotonic() + TIMEOUT_S
        while not any(event.get("method") == "Page.loadEventFired"
                      for event in self.events):
            self.events.append(self.receive(end))
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]

    def evaluate(self, script):
        """Value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script,
                           returnByValue=True)
        if "exceptionDetails" in result:
            raise Broken(f"script: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def picture(self, path):
        """Saves all of the page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
