"""Page views of the sign-in: it, the choice of an organisation, and the sign-out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from pat_tokens.host.owners import email_of, memberships_of
from pat_tokens.pages.access import anonymous_page
from pat_tokens.sign_in.base import MEMBER
from pat_tokens.sign_in.base import sign_in as way_to_sign_in
from pat_tokens.sign_in.destinations import destination, with_next


@anonymous_page
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    way, where = way_to_sign_in(), destination(request)
    return redirect(where) if way.user_pk(request) else way.page(request, where)


@anonymous_page
@require_http_methods(["GET", "HEAD", "POST"])
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """For a person of several organisations, and to change to another of them."""
    way, where = way_to_sign_in(), destination(request)
    user_pk = way.user_pk(request)
    if user_pk is None:
        return redirect(with_next("sign-in", where))
    memberships = memberships_of(user_pk)
    if not memberships:
        way.end(request)
        again = with_next("sign-in", where)
        return render(request, "pat_tokens/sign_in/nobody.html", {"again": again}, status=403)
    session = way.session(request)
    ids = [str(each.pk) for each in memberships]
    if (chosen := request.POST.get("member")) in ids:
        session.cycle_key()
        session[MEMBER] = chosen
        return redirect(where)
    context = {
        "memberships": list(zip(ids, memberships, strict=True)),
        "current": session.get(MEMBER),
        "address": email_of(memberships[0]),
        "next": where,
    }
    status = 400 if request.method == "POST" else 200
    return render(request, "pat_tokens/sign_in/organisation.html", context, status=status)


@anonymous_page
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    way_to_sign_in().end(request)
    return redirect(with_next("sign-in", destination(request)))
