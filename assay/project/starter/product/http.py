"""A product to replace with yours: `POST /ask {"question": ...}` gives `{"answer": ...}`."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOURS = "We are open from 9 to 17, Monday to Saturday."


class Handler(BaseHTTPRequestHandler):
    """Answers one question."""

    def do_POST(self) -> None:
        """Answer the question of the body."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["question"].lower()
        body = json.dumps({"answer": f"No. {HOURS}" if "sunday" in asked else HOURS}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
