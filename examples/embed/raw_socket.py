from socket import socket

from sansio_claude import Endpoint, EventIterator, HTTPExchange, MessageRequest, iter_events


def ask(sock: socket, endpoint: Endpoint, request: MessageRequest) -> EventIterator:
    head = endpoint.request_head(request)
    exchange = HTTPExchange(method=head.method, target=head.target, headers=head.headers, body=request.body(True))
    sock.sendall(exchange.data_to_send())
    answer = exchange.receive_head(sock.recv)
    return iter_events(exchange.iter_body(sock.recv), status=answer.status, headers=answer.headers)
