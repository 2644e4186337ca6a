"""A browser that is driven over WebDriver: Chromium by its own chromedriver, nothing else."""

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

DRIVER = shutil.which("chromedriver")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "Enter": "\ue007",
    "Tab": "\ue004",
    "Escape": "\ue00c",
    "Space": "\ue00d",
    "Shift": "\ue008",
    "Up": "\ue013",
    "Down": "\ue015",
}
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars", "--force-prefers-reduced-motion",
]  # fmt: skip


class Browser:
    """A window of a headless Chromium."""

    def __init__(self, folder: Path, *, width: int = 1280, height: int = 900) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True, exist_ok=True)
        try:
            self._wait_for_driver()
            self._session = self._open(folder, width, height)
            self.devtools(
                "Browser.setDownloadBehavior",
                behavior="allow",
                downloadPath=str(self.downloads),
            )
        except BaseException:
            self.close()
            raise

    def _wait_for_driver(self) -> None:
        last = time.monotonic() + 20
        while True:
            try:
                if self._http.get("/status").json()["value"]["ready"]:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < last, "chromedriver does not start"
            time.sleep(0.05)

    def _open(self, folder: Path, width: int, height: int) -> str:
        options = {
            "binary": CHROMIUM,
            "args": [
                *FLAGS,
                f"--window-size={width},{height}",
                f"--user-data-dir={folder / 'profile'}",
            ],
        }
        wanted = {
            "capabilities": {
                "alwaysMatch": {
                    "browserName": "chrome",
                    "goog:chromeOptions": options,
                    "goog:loggingPrefs": {"browser": "ALL"},
                }
            }
        }
        return f"/session/{self._said(self._http.post('/session', json=wanted))['sessionId']}"

    @staticmethod
    def _said(response: httpx.Response) -> Any:
        value = response.json()["value"]
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def _post(self, address: str, **body: Any) -> Any:
        return self._said(self._http.post(self._session + address, json=body))

    def go(self, url: str) -> None:
        """Open an address."""
        self._post("/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a function's body in the page; what it returns."""
        return self._post("/execute/sync", script=script, args=list(arguments))

    def until(self, script: str, *arguments: Any, seconds: float = 20) -> Any:
        """What an expression comes to, once it is true."""
        last = time.monotonic() + seconds
        while not (found := self.run(f"return {script}", *arguments)):
            assert time.monotonic() < last, f"never true: {script}"
            time.sleep(0.05)
        return found

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as a person does; a text of several letters is typed."""
        actions: list[dict[str, str]] = []
        for key in keys:
            held = key.removeprefix("Shift+") if key.startswith("Shift+") else ""
            letters = [KEYS[key]] if key in KEYS else [KEYS[held]] if held else list(key)
            shift = [{"type": "keyDown", "value": KEYS["Shift"]}] if held else []
            for letter in letters:
                down = {"type": "keyDown", "value": letter}
                actions += [*shift, down, {"type": "keyUp", "value": letter}]
            actions += [{"type": "keyUp", "value": KEYS["Shift"]}] if held else []
        self._post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def log(self) -> list[str]:
        """What the browser complained of since this was asked last."""
        return [entry["message"] for entry in self._post("/se/log", type="browser")]

    def screenshot(self, path: Path) -> None:
        """Write what the window shows."""
        answer = self._said(self._http.get(f"{self._session}/screenshot"))
        path.write_bytes(base64.b64decode(answer))

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Send a command of Chromium's own."""
        return self._post("/goog/cdp/execute", cmd=command, params=parameters)

    def close(self) -> None:
        """Close the window and end the driver."""
        try:
            if hasattr(self, "_session"):
                self._http.delete(self._session)
        finally:
            self._http.close()
            self._process.terminate()
            self._process.wait(10)


Until = Callable[..., Any]
__all__ = ["CHROMIUM", "DRIVER", "Browser", "json"]
