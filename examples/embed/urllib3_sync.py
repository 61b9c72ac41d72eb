import urllib3

from sansio_claude import Endpoint, Message, MessageRequest, iter_events, text_of


def ask(http: urllib3.PoolManager, endpoint: Endpoint, request: MessageRequest) -> Message:
    p = endpoint.prepare(request, stream=True)
    with http.urlopen(p.method, p.url, headers=p.headers, body=p.content, preload_content=False, retries=False) as r:
        for event in (events := iter_events(r.stream(), status=r.status, headers=r.headers)):
            print(text_of(event), end="", flush=True)
    return events.message
