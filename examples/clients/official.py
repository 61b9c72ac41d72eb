"""The same with the official SDK."""

from anthropic import Anthropic

with (
    Anthropic(timeout=2) as client,
    client.messages.stream(
        model="claude-opus-5-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
    ) as stream,
):
    for text in stream.text_stream:
        print(text, end="", flush=True)
    stream.get_final_message()
