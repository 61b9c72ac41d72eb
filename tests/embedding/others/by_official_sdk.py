from anthropic import Anthropic
from anthropic.types import Message


def ask(client: Anthropic, question: str) -> Message:
    with client.messages.stream(
        model="claude-opus-5-5", max_tokens=1024, messages=[{"role": "user", "content": question}]
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        return stream.get_final_message()
