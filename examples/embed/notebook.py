import os

from sansio_claude.sync import Client

messages = [{"role": "user", "content": "Hello"}]
with Client.from_env(os.environ) as client:  # noqa: SIM117
    with client.stream(model="claude-opus-5-5", max_tokens=100, messages=messages) as stream:
        for text in stream.text():
            print(text, end="", flush=True)
