import aiohttp

from sansio_claude import Endpoint, Message, MessageRequest, aiter_events, text_of


async def ask(endpoint: Endpoint, request: MessageRequest) -> Message:
    p = endpoint.prepare(request, stream=True)
    async with aiohttp.request(p.method, p.url, headers=p.headers, data=p.content, allow_redirects=False) as r:
        async for event in (events := aiter_events(r.content.iter_any(), status=r.status, headers=r.headers)):
            print(text_of(event), end="", flush=True)
    return events.message
