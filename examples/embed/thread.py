from concurrent.futures import Future, ThreadPoolExecutor

from sansio_claude import Message, MessageRequest
from sansio_claude.sync import Client


def ask(pool: ThreadPoolExecutor, client: Client, request: MessageRequest) -> Future[Message]:
    return pool.submit(client.create, request)
