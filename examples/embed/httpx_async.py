import httpx

from sansio_claude import Endpoint, Message, MessageRequest, aiter_events, text_of


async def ask(client: httpx.AsyncClient, endpoint: Endpoint, request: MessageRequest) -> Message:
    p = endpoint.prepare(request, stream=True)
    async with client.stream(p.method, p.url, headers=p.headers, content=p.content) as r:
        async for event in (events := aiter_events(r.aiter_raw(), status=r.status_code, headers=r.headers)):
            print(text_of(event), end="", flush=True)
    return events.message
