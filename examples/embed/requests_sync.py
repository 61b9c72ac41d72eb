import requests

from sansio_claude import Endpoint, Message, MessageRequest, iter_events, text_of


def ask(endpoint: Endpoint, request: MessageRequest) -> Message:
    p = endpoint.prepare(request, stream=True)
    with requests.post(p.url, p.content, headers=p.headers, stream=True, timeout=60, allow_redirects=False) as r:
        for event in (events := iter_events(r.iter_content(None), status=r.status_code, headers=r.headers)):
            print(text_of(event), end="", flush=True)
    return events.message
