"""An OpenAI-compatible server that answers as it is told, and the bodies of its answers."""
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def chat(text, finish="stop", message=None):
    """The body of a chat completion."""
    message = message or {"role": "assistant", "content": text}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}}


def events(*deltas, finish="stop"):
    """The body of a streamed chat completion."""
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": finish})
    head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    bodies = [head | {"choices": [chunk]} for chunk in chunks]
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    bodies.append(head | {"choices": [], "usage": usage})
    return "".join(f"data: {json.dumps(body)}\n\n" for body in bodies) + "data: [DONE]\n\n"


def refusal(status, message="no"):
    """An error as OpenAI writes it, with its status."""
    return status, {"error": {"message": message}}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        web, asked = self.server, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with web.lock:
            answer = web.answers[min(len(web.bodies), len(web.answers) - 1)]
            web.bodies.append(asked)
            web.keys.append(self.headers["Authorization"])
            web.busy += 1
            web.busiest = max(web.busiest, web.busy)
        time.sleep(web.seconds)
        with web.lock:
            web.busy -= 1
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in web.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # the client gave up waiting, as it should

    def log_message(self, *_):
        pass


@contextmanager
def server(*answers, seconds=0.0, headers=None):
    """A server at `.url` that gives each answer once, the last one for ever: a body, or (status, body).

    It keeps what it was asked in `.bodies`, with which `.keys`, and how many it had at once in `.busiest`.
    """
    web = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    web.answers, web.seconds, web.lock = answers, seconds, threading.Lock()
    web.headers = {"retry-after-ms": "1"} if headers is None else headers
    web.bodies, web.keys, web.busy, web.busiest = [], [], 0, 0
    web.url = f"http://127.0.0.1:{web.server_port}/v1"
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def free_port():
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def images_of(body):
    """The data URLs of the pictures in a request's first message."""
    content = body["messages"][0]["content"]
    return [part["image_url"]["url"] for part in content if part["type"] == "image_url"]


def words_of(body):
    """The texts in a request's first message."""
    return [part["text"] for part in body["messages"][0]["content"] if part["type"] == "text"]
