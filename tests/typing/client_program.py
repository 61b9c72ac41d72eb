"""The clients, tools and the replay server in a program of their user's."""

from __future__ import annotations

import dataclasses
from typing import Any, assert_never, assert_type

import sansio_claude.asyncio
import sansio_claude.sync
import sansio_claude.trio
from sansio_claude import (
    CreateResult,
    Endpoint,
    Event,
    Limits,
    Message,
    MessageRequest,
    Pool,
    Problem,
    RetryPolicy,
    Timeouts,
    user,
)
from sansio_claude.testing import (
    Answer,
    AnswerEnd,
    Chunking,
    Close,
    Dialect,
    Framing,
    Receive,
    RecordedCall,
    RecordedRequest,
    Recorder,
    Recording,
    RecordingIterator,
    ReplayAction,
    ReplayConnection,
    ReplayServer,
    Reply,
    Script,
    ServerAddress,
    Transcript,
    Write,
    chunkings,
    compose,
    serve_in_asyncio,
    serve_in_thread,
    serve_in_trio,
    transcripts,
)
from sansio_claude.tools import (
    Action,
    AskModel,
    AwaitResults,
    DiskFiles,
    EditorVersion,
    Ending,
    Extraction,
    Extractor,
    Files,
    Finished,
    Kind,
    MemoryFiles,
    Run,
    RunEvent,
    RunnableTool,
    RunTools,
    TextEditor,
    Tool,
    ToolCall,
    ToolFinished,
    ToolLoop,
    ToolParam,
    ToolResult,
    ToolStarted,
    editor_version,
    tool,
)


@tool
def get_weather(city: str, days: int = 1) -> str:
    """Get the weather in a city."""
    return f"15 degrees in {city} for {days} days"


@tool(name="get_time", strict=True)
async def time_in(city: str) -> ToolResult:
    """Get the time in a city."""
    return ToolResult(f"Noon in {city}")


async def checked_calls() -> None:
    """A tool that is called by the program itself has the function's own type."""
    assert_type(get_weather("Oslo", days=2), str)
    assert_type(await time_in("Oslo"), ToolResult)


@dataclasses.dataclass
class City:
    name: str


QUESTION: list[Any] = [user("Hello")]


async def on_asyncio(endpoint: Endpoint) -> str:
    """The client for asyncio."""
    said = ""
    async with sansio_claude.asyncio.Client(
        endpoint,
        timeouts=Timeouts(connect=10, idle=120),
        retry=RetryPolicy(max_retries=2),
        limits=Limits(),
        max_connections=100,
        ssl_context=None,
        proxy=None,
    ) as client:
        async with client.stream(
            model="claude-opus-5-5", max_tokens=10, messages=QUESTION, betas=["b"], extra_headers={"x": "y"}
        ) as stream:
            assert_type(stream, sansio_claude.asyncio.Stream)
            pieces: sansio_claude.asyncio.TextIterator = stream.text()
            async for text in pieces:
                assert_type(text, str)
                said += text
            assert_type(await stream.final_message(), Message)
        async with client.run(tools=[get_weather, time_in], model="m", max_tokens=10, messages=QUESTION) as run:
            assert_type(run, Run)
            async for turn, event in run:
                assert_type(turn, int)
                seen: RunEvent = event
                if isinstance(seen, ToolFinished):
                    ending: Ending = seen.ending
                    said += f"{seen.call.name}: {ending}"
                elif not isinstance(seen, ToolStarted):
                    assert_type(seen, Event)
                if run.stream is not None:
                    assert_type(run.stream.message, Message | None)
        assert_type(await client.run(tools=[get_weather], model="m", max_tokens=10, messages=QUESTION), Message)
        assert_type((await client.count_tokens(model="m", messages=QUESTION)).input_tokens, int)
        assert_type(client.check(model="m", messages=QUESTION, date="2026-11-28"), list[Problem])
    return said


async def on_trio(endpoint: Endpoint) -> str:
    """The client for trio: the same names."""
    said = ""
    async with sansio_claude.trio.Client(endpoint) as client:
        async with client.stream(MessageRequest(model="m", max_tokens=10, messages=QUESTION)) as stream:
            assert_type(stream, sansio_claude.trio.Stream)
            pieces: sansio_claude.trio.TextIterator = stream.text()
            async for text in pieces:
                said += text
        message = await client.create(model="m", max_tokens=10, messages=QUESTION, stream=False)
        assert_type(message, Message)
    return said


def blocking(endpoint: Endpoint) -> str:
    """The client for threads: the same names without await."""
    said = ""
    with sansio_claude.sync.Client(endpoint, timeouts=Timeouts(connect=10), max_connections=5) as client:
        with client.stream(model="m", max_tokens=10, messages=QUESTION) as stream:
            assert_type(stream, sansio_claude.sync.Stream)
            for event in stream:
                assert_type(event, Event)
        with client.stream(MessageRequest(model="m", max_tokens=10, messages=QUESTION)) as stream:
            pieces: sansio_claude.sync.TextIterator = stream.text()
            for text in pieces:
                said += text
            assert_type(stream.final_message(), Message)
        assert_type(client.create(model="m", max_tokens=10, messages=QUESTION, stream=False), Message)
        assert_type(client.count_tokens(model="m", messages=QUESTION).input_tokens, int)
        assert_type(client.check(model="m", messages=QUESTION, date="2026-11-28"), list[Problem])
        other = client.with_options(timeouts=Timeouts(total=5))
        assert_type(other, sansio_claude.sync.Client)
        made = other.create(model="m", max_tokens=10, messages=QUESTION, with_response=True)
        assert_type(made, sansio_claude.CreateResult)
        assert_type([model.id for model in client.models()], list[str])
        with client.run(tools=[get_weather], model="m", max_tokens=10, messages=QUESTION) as run:
            assert_type(run, sansio_claude.sync.Run)
            assert_type(run.final_message(), Message)
        assert_type(client.extract(City, model="m", max_tokens=10, messages=QUESTION), City)
        with client.extraction(City, model="m", max_tokens=10, messages=QUESTION) as extraction:
            assert_type(extraction, sansio_claude.sync.Extraction[City])
            assert_type(extraction.value, City)
    return said


async def ways(environ: dict[str, str]) -> list[str]:
    """Options for one call, what a call gives beside its message, listings."""
    client = sansio_claude.trio.Client.from_env(environ, uds="/run/api.sock", auth="bearer")
    assert_type(client, sansio_claude.trio.Client)
    quick = client.with_options(timeouts=Timeouts(total=5), tolerance={"usage": "accept"})
    assert_type(quick, sansio_claude.trio.Client)
    made = await quick.create(model="m", max_tokens=10, messages=QUESTION, with_response=True)
    assert_type(made, sansio_claude.CreateResult)
    message, response = made
    assert_type(message.request_id, str | None)
    assert_type(response.status, int)
    listing = client.models()
    assert_type(listing, sansio_claude.ModelListing)
    assert_type(await listing, sansio_claude.ModelPage)
    return [model.id async for model in listing]


async def values(client: sansio_claude.trio.Client) -> list[City]:
    """Checked values have the type that was asked for."""
    city = await client.extract(City, model="m", max_tokens=10, messages=QUESTION)
    assert_type(city, City)
    extraction = client.extract(list[City], model="m", max_tokens=10, messages=QUESTION)
    assert_type(extraction, Extraction[list[City]])
    extractor = Extractor(City, model="m", max_tokens=10, messages=QUESTION)
    assert_type(extractor.name, str)
    return await extraction


def drive(answers: list[Message]) -> str:
    """The tool loop by hand."""
    tools: list[ToolParam] = [get_weather, {"type": "web_search_20260318", "name": "web_search"}]
    loop = ToolLoop(tools=tools, model="m", max_tokens=10, messages=QUESTION, max_turns=5)
    while True:
        action: Action = loop.next_action()
        match action:
            case AskModel(turn=turn, request=request):
                assert_type((turn, request), tuple[int, dict[str, Any]])
                loop.receive_message(answers.pop(0))
            case RunTools(calls=calls):
                for call in calls:
                    assert_type(call, ToolCall)
                    loop.receive_result(call.id, call.start())
            case AwaitResults(calls=waiting):
                assert_type(waiting, tuple[str, ...])
            case Finished(reason=reason, message=message):
                assert_type(message, Message | None)
                return reason
            case _:
                assert_never(action)
        loop = ToolLoop.from_dict(loop.to_dict(), tools=tools)


def editors(folder: str) -> list[RunnableTool]:
    """The text editor over both kinds of files."""
    files: Files = MemoryFiles({"a.txt": "text"})
    kind: Kind | None = files.kind("a.txt")
    assert kind == "file"
    version: EditorVersion = editor_version("claude-opus-5-5")
    by_hand: Tool = Tool(name="by_hand", input_schema={"type": "object"}, function=print)
    return [TextEditor(files, version=version), TextEditor.for_model("claude-opus-5-5", DiskFiles(folder)), by_hand]


def server(end: AnswerEnd = "clean", framing: Framing = "chunked") -> ReplayServer:
    """A server with a script of every kind."""

    def reply(request: RecordedRequest) -> Reply:
        assert_type(request.header("x-api-key"), str | None)
        return compose("By function.", seed=1)

    transcript = compose("Hello.", seed=2, dialect=Dialect(bom=True))
    assert_type(transcript, Transcript)
    cutting: Chunking = chunkings.bytewise
    script: list[Script] = [
        transcript,
        transcript.data,
        Answer.stream(transcripts.compose("Hi."), end=end, framing=framing),
        reply,
    ]
    return ReplayServer(script, cycle=True, chunking=cutting)


def step(connection: ReplayConnection, now: float) -> bytes:
    """One step of a runner of one's own."""
    action: ReplayAction = connection.next_action(now)
    match action:
        case Write(data=data):
            return data
        case Receive(until=until):
            assert_type(until, float | None)
        case Close(reset=reset):
            assert_type(reset, bool)
        case _:
            assert_never(action)
    return b""


async def served() -> list[str]:
    """The three runners."""
    found: list[str] = []
    with serve_in_thread(server()) as address:
        assert_type(address, ServerAddress)
        found.append(address.url)
    async with serve_in_asyncio(server()) as address:
        found.append(address.url)
    return found


async def served_in_trio() -> str:
    """The third of them."""
    async with serve_in_trio(server()) as address:
        return address.url


@dataclasses.dataclass
class Line:
    """A connection of one's own."""

    stale: bool = False


def pool() -> Pool[Line]:
    """Connections of any type that knows whether it can be used again."""
    return Pool(max_connections=3, idle_timeout=5.0)


def recorded(path: str, chunks: list[bytes]) -> list[Answer]:
    """A recording is made of any bytes, read again and replayed."""
    with Recorder(path, secrets=["key"]) as recorder:
        passed: RecordingIterator = recorder.record(chunks, status=200, headers=[("content-type", "text/event-stream")])
        assert_type(next(passed), bytes)
    recording = Recording.load(path)
    call: RecordedCall = recording.calls[0]
    assert_type(call.answer(speed=None), Answer)
    assert_type(call.chunks, list[bytes])
    return recording.answers(speed=2)


async def required_arguments(client: sansio_claude.asyncio.Client, blocking: sansio_claude.sync.Client) -> None:
    """The arguments that the API requires are required, unless a request has them."""
    client.stream(model="m", messages=QUESTION)  # type: ignore[call-overload]
    client.stream()  # type: ignore[call-overload]
    await client.create(model="m", max_tokens=10)  # type: ignore[call-overload]
    await client.create(max_tokens=10, messages=QUESTION, with_response=True)  # type: ignore[call-overload]
    await client.create(model="m", max_tokens=None, messages=QUESTION)  # type: ignore[call-overload]
    blocking.stream(model="m", max_tokens=10)  # type: ignore[call-overload]
    blocking.create(model="m", max_tokens=10)  # type: ignore[call-overload]
    request = MessageRequest(model="m", max_tokens=10, messages=QUESTION)
    client.stream(request)
    blocking.stream(request, temperature=0.5)
    assert_type(await client.create(request, max_tokens=20), Message)
    assert_type(await client.create(request, with_response=True), CreateResult)
    assert_type(blocking.create(request), Message)
    assert_type(blocking.create(request, with_response=True, model="m"), CreateResult)
    arguments: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": QUESTION}
    assert_type(client.stream(**arguments), sansio_claude.asyncio.Stream)
    assert_type(blocking.stream(**arguments), sansio_claude.sync.Stream)
