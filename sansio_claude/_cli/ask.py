"""`ask`: one question to a real server, the key from the environment."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from sansio_claude._cli.input import Complaint
from sansio_claude._cli.live import Request, watch
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.endpoint import Endpoint

__all__ = ["ask"]


def _from_stdin() -> str:
    """The text on stdin, which is UTF-8 whatever the console's code page: a wrong one would change the letters."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Complaint(f"The question on stdin is not UTF-8 (byte {error.start}): convert it first.") from None


def ask(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    prompt = _from_stdin() if options.prompt == "-" else options.prompt
    if not prompt.strip():
        raise Complaint("There is no question: give it as an argument, or - and the question on stdin.")
    arguments: dict[str, Any] = {
        "model": options.model,
        "max_tokens": options.max_tokens,
        "messages": [{"role": "user", "content": prompt}],
    }
    if options.system is not None:
        arguments["system"] = options.system
    if options.thinking is not None:
        arguments["thinking"] = _thinking(options.thinking)
    environ = dict(os.environ)
    request = Request(endpoint=_endpoint(options, environ), arguments=arguments, max_retries=2, proxy=environ)
    if options.tools:
        from sansio_claude._cli.agent import converse, named_tools

        tools, words = named_tools(options.tools, model=options.model)
        arguments["system"] = f"{options.system}\n\n{words}" if options.system is not None else words
        return converse(
            request,
            tools,
            max_turns=options.max_turns,
            runtime=options.runtime,
            plain=options.plain,
            split=True,
        )
    return watch(request, runtime=options.runtime, plain=options.plain, split=True)


def _thinking(text: str) -> dict[str, Any]:
    if text == "adaptive":
        return {"type": "adaptive", "display": "summarized"}
    if not (text.isascii() and text.isdecimal()):
        raise Complaint(f"--thinking takes a number of tokens or nothing, not {text}.", status=2)
    return {"type": "enabled", "budget_tokens": int(text)}


def _endpoint(options: argparse.Namespace, environ: dict[str, str]) -> Endpoint:
    """The endpoint of the options and, where they say nothing, of the environment."""
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
