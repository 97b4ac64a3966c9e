"""A headless Chromium, driven over its debugging pipe: pages are opened, clicked, typed into, photographed."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9}


class Browser:
    """One tab. `errors` collects exceptions, console errors and refused content; requests that leave it are `asked`."""

    def __init__(self, process, write, read):
        self.process, self.write, self.read = process, write, read
        self.buffer, self.count, self.session = b"", 0, None
        self.errors, self.asked = [], []

    def call(self, method, **parameters):
        """Call a method of the protocol and wait for its answer."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 120
        while time.monotonic() < end:
            answer = self._next(end - time.monotonic())
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
        raise TimeoutError(method)

    def _next(self, seconds):
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], seconds)[0]:
                raise TimeoutError("the browser is silent")
            self.buffer += os.read(self.read, 1 << 20)
        text, self.buffer = self.buffer.split(b"\0", 1)
        answer = json.loads(text)
        happened, what = answer.get("method"), answer.get("params", {})
        if happened == "Runtime.exceptionThrown":
            self.errors.append(what["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif happened == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.errors.append(what["entry"]["text"])
        elif happened == "Runtime.consoleAPICalled" and what["type"] == "error":
            self.errors.append(str(what["args"]))
        elif happened == "Network.requestWillBeSent":
            self.asked.append(what["request"]["url"])
        return answer

    def open(self, address, width=1400, height=1000, dark=False):
        """Open a page in a window of this size."""
        touch = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def run(self, expression):
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition, seconds=60):
        """Wait until a condition holds."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.05)

    def click(self, selector, across=0.5, down=0.5):
        """Click on an element, by default in its middle."""
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        box = self.run(f"(({selector!r}), document.querySelector({selector!r}).getBoundingClientRect().toJSON())")
        at = {"x": box["x"] + across * box["width"], "y": box["y"] + down * box["height"]}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def press(self, key):
        """Press a key that has a name."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key])

    def choose(self, identifier, value):
        """Choose an entry of a list, or type into a field, as a reader does."""
        self.run(
            f"(() => {{ const e = document.getElementById({identifier!r}); e.value = {value!r};"
            "e.dispatchEvent(new Event('input', {bubbles: true}));"
            "e.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def photograph(self, path, whole=True):
        """A picture of the page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


@contextlib.contextmanager
def browser():
    """A running browser with one tab; it ends with the block."""
    read_there, write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in os.pipe())
    read, write_there = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in os.pipe())

    def place():
        os.dup2(read_there, 3)
        os.dup2(write_there, 4)

    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, preexec_fn=place, close_fds=False, **quiet)
        try:
            tab = Browser(process, write, read)
            target = tab.call("Target.createTarget", url="about:blank")["targetId"]
            tab.session = tab.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                tab.call(f"{domain}.enable")
            yield tab
        finally:
            process.terminate()
            process.wait(timeout=20)
            for fd in (read_there, write_there, read, write):
                os.close(fd)
