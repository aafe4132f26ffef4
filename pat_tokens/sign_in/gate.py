"""Gate of the pages: a page gets the person who is signed in, others get to the sign-in.

The host's middleware may refuse whatever comes without an organisation, so the pages of the
sign-in are answered here, before it.
"""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from pat_tokens.host.owners import memberships_of
from pat_tokens.lists.moments import zone_of
from pat_tokens.sign_in.base import MEMBER, sign_in
from pat_tokens.sign_in.destinations import is_anonymous, with_next

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class MemberRequest(HttpRequest):
    """What the pages look for on a request."""

    profile: Any
    org: Any
    # Whether the person may choose another organisation.
    can_switch: bool
    # Set for the pages only: a person, not a credential.
    is_signed_in: bool


def serve_page(request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    """Answer a request to a page of ours."""
    way = sign_in()
    way.open(request)
    response = _answer(request, get_response)
    way.close(request, response)
    return response


def _answer(request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return get_response(request)
    if is_anonymous(match.func):
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response
    member = _member(request)
    if member is None:
        return _sent_to_sign_in(request)
    with timezone.override(zone_of(member.org)):
        return get_response(request)


def _member(request: HttpRequest) -> Any:
    """The signed-in person in the chosen organisation, attached to the request; else None."""
    way = sign_in()
    memberships = memberships_of(way.user_pk(request))
    session = way.session(request)
    if MEMBER not in session and len(memberships) == 1:
        session[MEMBER] = str(memberships[0].pk)
    chosen = session.get(MEMBER)
    found = next((each for each in memberships if str(each.pk) == chosen), None)
    if found is not None:
        identified = cast(MemberRequest, request)
        identified.profile, identified.org, identified.user = found, found.org, found.user
        identified.can_switch, identified.is_signed_in = len(memberships) > 1, True
    return found


def _sent_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    page = "sign-in" if sign_in().user_pk(request) is None else "choose-organisation"
    response = HttpResponseRedirect(with_next(page, request.get_full_path()))
    add_never_cache_headers(response)
    return response
