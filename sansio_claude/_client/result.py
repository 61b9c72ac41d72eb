"""What calls give beside the message: the answer's head, and a listing that pages by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, final

from sansio_claude._copies import NotCopied
from sansio_claude._errors import RemoteProtocolError
from sansio_claude._request.catalog import ListedModel, ModelPage, ModelsRequest

if TYPE_CHECKING:
    from sansio_claude._errors.rate_limits import RateLimits
    from sansio_claude._http.exchange import ResponseHead
    from sansio_claude._message.message import Message

__all__ = ["CreateResult", "ModelListing", "all_models"]

MOST_PAGES: Final = 1000  # of one listing; the API has a few dozen models


class CreateResult(NamedTuple):
    """What `create(..., with_response=True)` gives: `message, response = await client.create(...)`."""

    message: Message
    """The whole message."""
    response: ResponseHead
    """Status and headers of the answer."""

    @property
    def request_id(self) -> str | None:
        """The API's id of the request."""
        return self.message.request_id

    @property
    def rate_limits(self) -> RateLimits | None:
        """What the headers say about how much may still be sent; None where they say nothing of it."""
        return self.response.rate_limits


@final
class ModelListing(NotCopied):
    """The models that the API offers; pages are asked for as they are needed.

    `async for model in client.models()` gives one model after the other. `await client.models()` gives a `ModelPage`:
    of all models, or of one page where `limit`, `after_id` or `before_id` says which.
    """

    __slots__ = ("_ask", "_models", "_pages", "_request")
    _instead = "it asks its client for page after page: keep the models that it gives"

    def __init__(self, ask: Callable[[ModelsRequest], Awaitable[ModelPage]], request: ModelsRequest) -> None:
        self._ask = ask
        self._request: ModelsRequest | None = request
        self._models: Iterator[ListedModel] = iter(())
        self._pages = _Pages(request)

    def __repr__(self) -> str:
        return f"<ModelListing {'at its last page' if self._request is None else 'open'}>"

    def __await__(self) -> Generator[Any, Any, ModelPage]:
        return all_models(self._ask, self._request or ModelsRequest()).__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ListedModel:
        while True:
            for model in self._models:
                return model
            request = self._request
            if request is None:
                raise StopAsyncIteration
            page = await self._ask(request)
            self._models = iter(page.models)
            self._request = self._pages.next(request, page)


class _Pages:
    """The requests of the pages of one listing. Raises RemoteProtocolError where a server leads in a circle."""

    __slots__ = ("_asked",)

    def __init__(self, first: ModelsRequest) -> None:
        self._asked = {(first.after_id, first.before_id)}

    def next(self, request: ModelsRequest, page: ModelPage) -> ModelsRequest | None:
        """The request of the page that follows; None at the end."""
        further = request.next(page)
        if further is None:
            return None
        place = further.after_id, further.before_id
        if place in self._asked:
            raise RemoteProtocolError("the listing of models gives the same page over and over", stage="message")
        if len(self._asked) > MOST_PAGES:
            raise RemoteProtocolError(f"the listing of models has more than {MOST_PAGES} pages", stage="message")
        self._asked.add(place)
        return further


async def all_models(ask: Callable[[ModelsRequest], Awaitable[ModelPage]], request: ModelsRequest) -> ModelPage:
    """All models as one page, or the one page that the request names."""
    page = await ask(request)
    if any(each is not None for each in (request.limit, request.after_id, request.before_id)):
        return page
    data: list[Any] = [model.raw for model in page.models]
    first, pages = page, _Pages(request)
    while (further := pages.next(request, page)) is not None:
        request = further
        page = await ask(request)
        data += [model.raw for model in page.models]
    return page if page is first else ModelPage({**page.raw, "data": data, "first_id": first.raw.get("first_id")})
