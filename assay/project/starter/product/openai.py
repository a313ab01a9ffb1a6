"""A product to replace with yours: an endpoint that speaks OpenAI's chat completions."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOURS = "We are open from 9 to 17, Monday to Saturday."


class Handler(BaseHTTPRequestHandler):
    """Answers one chat request."""

    def do_POST(self) -> None:
        """Answer the last message."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = asked["messages"][-1]["content"].lower()
        message = {"role": "assistant", "content": f"No. {HOURS}" if "sunday" in question else HOURS}
        usage = {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": asked["model"]}
        body = json.dumps(reply | {"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
