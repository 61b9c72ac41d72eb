import httpx

from sansio_claude import Endpoint, Message, MessageRequest, iter_events, text_of


def ask(client: httpx.Client, endpoint: Endpoint, request: MessageRequest) -> Message:
    p = endpoint.prepare(request, stream=True)
    with client.stream(p.method, p.url, headers=p.headers, content=p.content) as r:
        for event in (events := iter_events(r.iter_raw(), status=r.status_code, headers=r.headers)):
            print(text_of(event), end="", flush=True)
    return events.message
