import json
from typing import Any

import httpx
from httpx_sse import EventSource


def ask(client: httpx.Client, url: str, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    with client.stream("POST", url, headers=headers, json={**body, "stream": True}) as r:
        if r.status_code != 200:
            raise RuntimeError(f"HTTP {r.status_code}: {r.read()!r}")
        message: dict[str, Any] = {}
        inputs: dict[int, str] = {}
        for sse in EventSource(r).iter_sse():
            event = sse.json()
            index, delta = event.get("index"), event.get("delta", {})
            match event["type"], delta.get("type"):
                case "message_start", _:
                    message = event["message"]
                case "content_block_start", _:
                    message["content"].append(event["content_block"])
                case _, "text_delta":
                    print(delta["text"], end="", flush=True)
                    message["content"][index]["text"] += delta["text"]
                case _, "thinking_delta":
                    message["content"][index]["thinking"] += delta["thinking"]
                case _, "signature_delta":
                    message["content"][index]["signature"] = delta["signature"]
                case _, "citations_delta":
                    message["content"][index].setdefault("citations", []).append(delta["citation"])
                case _, "input_json_delta":
                    inputs[index] = inputs.get(index, "") + delta["partial_json"]
                case "content_block_stop", _ if inputs.get(index):
                    message["content"][index]["input"] = json.loads(inputs[index])
                case "message_delta", _:
                    message |= {**delta, "usage": message["usage"] | event["usage"]}
                case "error", _:
                    raise RuntimeError(event["error"])
                case "message_stop", _:
                    return message
    raise RuntimeError("the answer was cut")
