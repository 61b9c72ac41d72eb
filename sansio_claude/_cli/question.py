"""From the options of `ask`, `count` and `record` to a request and the address that it goes to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import attrs

from sansio_claude._cli.input import Complaint
from sansio_claude._cli.live import Request
from sansio_claude._cli.status import USAGE
from sansio_claude._errors import LocalProtocolError
from sansio_claude._media import document, image
from sansio_claude._request.endpoint import Endpoint

__all__ = ["arguments_of", "bare_request", "endpoint_of", "request_of"]


def request_of(options: argparse.Namespace, *, max_retries: int = 2) -> Request:
    """The request of `question_options` and `address_options`. Raises Complaint."""
    arguments = arguments_of(options)
    return attrs.evolve(bare_request(options, max_retries=max_retries), arguments=arguments)


def bare_request(options: argparse.Namespace, *, max_retries: int = 2) -> Request:
    """The request of `address_options`, in which nothing is asked yet. Raises Complaint."""
    return Request(
        endpoint=endpoint_of(options),
        arguments={},
        betas=tuple(options.beta or ()),
        headers=_headers(options),
        max_retries=max_retries,
        proxy=dict(os.environ),
        address_option="--base-url" if options.messages_url is None else "--messages-url",
    )


def arguments_of(options: argparse.Namespace) -> dict[str, Any]:
    """What is asked."""
    thinking, prompt = options.thinking, options.prompt
    usage: Callable[[str], NoReturn] = options.usage
    if prompt is None and thinking is not None and not _is_thinking(thinking):
        thinking, prompt = "adaptive", thinking  # `--thinking QUESTION`: the option has no value, the question is there
    if prompt is None:
        usage("the question is missing: give PROMPT, or - and the question on stdin")
    if thinking is not None and not _is_thinking(thinking):
        raise Complaint(f"--thinking takes a number of tokens or nothing, not {thinking}.", status=USAGE)
    text = _from_stdin() if prompt == "-" else prompt
    if not text.strip():
        raise Complaint("There is no question: give it as an argument, or - and the question on stdin.")
    attached = [*_attached(options.image, "image"), *_attached(options.pdf, "pdf")]
    content = [*attached, {"type": "text", "text": text}] if attached else text
    arguments: dict[str, Any] = {
        "model": options.model,
        "max_tokens": options.max_tokens,
        "messages": [{"role": "user", "content": content}],
    }
    if options.system is not None:
        arguments["system"] = options.system
    if thinking == "adaptive":
        arguments["thinking"] = {"type": "adaptive", "display": "summarized"}
    elif thinking is not None:
        arguments["thinking"] = {"type": "enabled", "budget_tokens": int(thinking)}
    return arguments


def _is_thinking(text: str) -> bool:
    return text == "adaptive" or (text.isascii() and text.isdecimal())


def _from_stdin() -> str:
    """The text on stdin, which is UTF-8 whatever the console's code page: a wrong one would change the letters."""
    if sys.stdin.isatty():
        print("Type the question, then Ctrl-D on a line of its own.", file=sys.stderr)
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Complaint(f"The question on stdin is not UTF-8 (byte {error.start}): convert it first.") from None
    except OSError as error:
        raise Complaint(f"The question on stdin cannot be read ({error.strerror}): give it as an argument.") from None


def _attached(names: list[str] | None, kind: str) -> list[dict[str, Any]]:
    make = image if kind == "image" else document
    blocks = []
    for name in names or ():
        try:
            blocks.append(make(url=name) if name.startswith(("https://", "http://")) else make(path=name))
        except LocalProtocolError as error:
            raise Complaint(f"--{kind} {name} cannot be sent: {error}.") from error
    return blocks


def _headers(options: argparse.Namespace) -> dict[str, str]:
    headers = {}
    for line in options.header or ():
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            # Not repeated here: it may be a key.
            raise Complaint("A --header is written 'NAME: VALUE', with a colon behind the name.", status=USAGE)
        headers[name.strip()] = value.strip()
    return headers


def endpoint_of(options: argparse.Namespace) -> Endpoint:
    """The endpoint of the options and, where they say nothing, of the environment. Raises Complaint."""
    environ = dict(os.environ)
    keys = {name: environ.get(name, "").strip() for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")}
    if not any(keys.values()):
        raise Complaint("There is no key: set ANTHROPIC_API_KEY, or try `sansio-claude demo`, which needs none.")
    if "" in (options.base_url, options.messages_url):
        raise Complaint("The address is empty: give a URL, or leave the option away.")
    base = options.base_url or environ.get("ANTHROPIC_BASE_URL", "")
    if options.messages_url is None and base.partition("?")[0].rstrip("/").endswith("/messages"):
        raise Complaint(f"The base address ends in /messages: give a whole address as --messages-url {base}.")
    try:
        if options.messages_url is not None:
            return Endpoint.from_messages_url(
                options.messages_url,
                api_key=keys["ANTHROPIC_API_KEY"] or None,
                auth_token=keys["ANTHROPIC_AUTH_TOKEN"] or None,
                allow_http=options.allow_http,
            )
        return Endpoint.from_env({**environ, "ANTHROPIC_BASE_URL": base}, allow_http=options.allow_http)
    except LocalProtocolError as error:
        if error.path in ("api_key", "auth_token"):
            raise Complaint(f"The key cannot be sent ({error}): copy it once more.") from error
        if "allow_http" in str(error):
            raise Complaint(
                "The address is http and not this machine, so key and question would cross the network in clear: "
                "use https, or --allow-http if that is meant."
            ) from error
        raise Complaint(f"The address cannot be used ({error}): check --base-url and ANTHROPIC_BASE_URL.") from error
