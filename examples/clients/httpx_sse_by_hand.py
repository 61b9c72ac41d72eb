"""The same with httpx-sse, as its README shows it."""

import os

import httpx
from httpx_sse import connect_sse

url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
messages = [{"role": "user", "content": "Hello"}]
body = {"model": "claude-opus-5-5", "max_tokens": 100, "stream": True, "messages": messages}
with httpx.Client(timeout=2) as client, connect_sse(client, "POST", url, headers=headers, json=body) as source:
    source.response.raise_for_status()
    for event in source.iter_sse():
        if event.event == "content_block_delta" and event.json()["delta"]["type"] == "text_delta":
            print(event.json()["delta"]["text"], end="", flush=True)
