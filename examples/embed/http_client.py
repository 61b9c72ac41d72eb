from http.client import HTTPConnection

from sansio_claude import Endpoint, Message, MessageRequest, iter_events, text_of


def ask(connection: HTTPConnection, endpoint: Endpoint, request: MessageRequest) -> Message:
    connection.request("POST", endpoint.target, request.body(stream=True), endpoint.prepare(request).headers)
    with connection.getresponse() as r:
        for event in (events := iter_events(r, status=r.status, headers=r.getheaders())):
            print(text_of(event), end="", flush=True)
    return events.message
