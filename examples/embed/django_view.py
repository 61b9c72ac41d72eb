import requests
from django.http import StreamingHttpResponse

from sansio_claude import Endpoint, MessageRequest, iter_events, text_of


def answer(endpoint: Endpoint, request: MessageRequest) -> StreamingHttpResponse:
    p = endpoint.prepare(request, stream=True)
    r = requests.post(p.url, p.content, headers=p.headers, stream=True, timeout=60, allow_redirects=False)
    events = iter_events(r.iter_content(None), status=r.status_code, headers=r.headers)
    return StreamingHttpResponse(map(text_of, events), content_type="text/plain; charset=utf-8")
