"""Sign-in by a mailed code, through the host's own endpoints, without a browser."""

from datetime import timedelta
from html import unescape
from urllib.parse import quote, urlencode

import pytest
from django.contrib.sessions.models import Session
from django.core import mail, signing
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from demo_crm.access.identity import issue_access_token
from demo_crm.models import Profile, User
from pat_tokens.sign_in import email_code, host_endpoints
from pat_tokens.sign_in.email_code import ADDRESS_COOKIE
from pat_tokens.sign_in.session import COOKIE
from tests.pat_tokens.sign_in.conftest import SIGN_IN, URL, Browser

CONSENT = f"{URL}connect/?request=00000000-0000-4000-8000-000000000000"


def text_of(answer) -> str:
    return unescape(answer.content.decode())


def test_whole_way(browser, alpha_user) -> None:
    answer = browser.get(URL)
    assert answer["Location"] == f"{SIGN_IN}?next={quote(URL, safe='')}"
    answer = browser.sign_in(alpha_user, answer["Location"])
    assert (answer.status_code, answer["Location"]) == (302, URL)
    page = text_of(browser.get(URL))
    assert "Alpha User in Alpha" in page
    assert "Sign out" in page
    assert "Switch organisation" not in page


def test_several_organisations(browser, in_both, beta_user) -> None:
    assert browser.sign_in(in_both)["Location"] == URL
    choice = browser.get(URL)["Location"]
    assert choice.startswith(f"{SIGN_IN}organisation/?next=")
    assert browser.choose(beta_user.org, choice)["Location"] == URL
    page = text_of(browser.get(URL))
    assert "Alpha User in Beta" in page
    assert "Switch organisation" in page
    browser.choose(in_both.org)
    assert "Alpha User in Alpha" in text_of(browser.get(URL))


def test_next_survives_the_whole_way(browser, in_both, beta_user) -> None:
    first = browser.get(CONSENT)["Location"]
    code = browser.ask(in_both.user.email, first)
    answer = browser.submit(first, code="0000" + code[:1])
    assert answer.status_code == 400
    assert f'name="next" value="{CONSENT}"' in text_of(answer)
    answer = browser.submit(SIGN_IN, code=code, next=CONSENT)
    assert answer["Location"] == CONSENT
    choice = browser.get(CONSENT)["Location"]
    assert browser.choose(beta_user.org, choice)["Location"] == CONSENT
    # Signing out keeps it as well: whoever came as the wrong person comes back.
    answer = browser.resubmit(f"{URL}sign-out/", next=CONSENT)
    assert answer["Location"] == f"{SIGN_IN}?{urlencode({'next': CONSENT})}"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/settings/api-tokens/",
        "//evil.example/settings/api-tokens/",
        "/\\evil.example/settings/api-tokens/",
        "javascript:alert(1)",
        "/admin/",
        "/settings/api-tokens/../../admin/",
        "/settings/api-tokens/%2e%2e/%2e%2e/admin/",
        "/settings/api-tokens.evil/",
        "/settings/api-tokens/sign-out/",
        "/settings/api-tokens/sign-in/",
        "settings/api-tokens/",
        "\r\nSet-Cookie: a=b",
    ],
)
def test_next_leads_to_our_pages_only(browser, alpha_user, wanted) -> None:
    page = f"{SIGN_IN}?{urlencode({'next': wanted})}"
    code = browser.ask(alpha_user.user.email, page)
    assert browser.submit(page, code=code, next=wanted)["Location"] == URL


def test_cookie(browser, alpha_user, settings) -> None:
    settings.PAT_TOKENS_ISSUER = "https://crm.example.com"
    browser.sign_in(alpha_user)
    cookie = browser.cookies[COOKIE]
    assert (cookie["path"], cookie["samesite"]) == (URL, "Lax")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert 0 < cookie["max-age"] <= 12 * 3600


def test_cookie_without_tls(browser, alpha_user) -> None:
    browser.sign_in(alpha_user)
    assert not browser.cookies[COOKIE]["secure"]


def test_key_is_new_at_each_sign_in_and_choice(browser, in_both, beta_user) -> None:
    keys = []
    for _ in range(2):
        browser.sign_in(in_both)
        keys.append(browser.cookies[COOKIE].value)
        browser.choose(beta_user.org)
        keys.append(browser.cookies[COOKIE].value)
        browser.resubmit(f"{URL}sign-out/")
    assert len(set(keys)) == 4
    assert Session.objects.count() == 0


def test_key_from_before_is_not_kept(alpha_user) -> None:
    browser = Browser()
    browser.cookies[COOKIE] = "chosenbytheattacker0000000000000"
    browser.sign_in(alpha_user)
    assert browser.cookies[COOKIE].value != "chosenbytheattacker0000000000000"


def test_sign_out(browser, alpha_user) -> None:
    browser.sign_in(alpha_user)
    kept = browser.cookies[COOKIE].value
    assert browser.get(f"{URL}sign-out/").status_code == 405
    assert browser.resubmit(f"{URL}sign-out/").status_code == 302
    assert browser.cookies[COOKIE].value == ""
    browser.cookies[COOKIE] = kept
    assert browser.get(URL).status_code == 302


def test_it_ends_after_twelve_hours(browser, alpha_user) -> None:
    browser.sign_in(alpha_user)
    browser.get(URL)
    end = Session.objects.get().expire_date
    assert timedelta(hours=11) < end - timezone.now() <= timedelta(hours=12)
    Session.objects.update(expire_date=timezone.now())
    assert browser.get(URL)["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("inactive", ["profile", "user", "org"])
def test_inactive(browser, alpha_user, inactive) -> None:
    browser.sign_in(alpha_user)
    record = alpha_user if inactive == "profile" else getattr(alpha_user, inactive)
    record.is_active = False
    record.save()
    page = browser.get(URL, follow=True)
    assert page.status_code == 403
    assert "is in no organisation" in text_of(page)
    assert Session.objects.count() == 0


def test_left_one_organisation_of_two(browser, alpha_user, beta_user) -> None:
    browser.sign_in(alpha_user)
    browser.get(URL)
    Profile.objects.create(user=alpha_user.user, org=beta_user.org)
    assert browser.get(URL).status_code == 200
    alpha_user.delete()
    # Nobody gets into another organisation by losing one.
    assert browser.get(URL)["Location"].startswith(f"{SIGN_IN}organisation/")


def test_membership_of_somebody_else(browser, in_both, beta_user, alpha_admin) -> None:
    browser.sign_in(in_both)
    for foreign in (alpha_admin.pk, beta_user.pk, "x", ""):
        answer = browser.submit(f"{SIGN_IN}organisation/", member=foreign)
        assert answer.status_code == 400
    assert browser.get(URL).status_code == 302


def test_asking_tells_nothing(browser, alpha_user) -> None:
    answers = []
    for email in (alpha_user.user.email, "nobody@example.com"):
        with_code = Browser()
        with_code.ask(email)
        page = text_of(with_code.get(SIGN_IN)).replace(email, "")
        answers.append(page.replace(with_code.cookies["csrftoken"].value, ""))
    strip = [[line for line in page.splitlines() if "csrf" not in line] for page in answers]
    assert strip[0] == strip[1]
    assert len(mail.outbox) == 2


def test_address_that_nobody_has(browser, db) -> None:
    code = browser.ask("nobody@example.com")
    answer = browser.submit(SIGN_IN, code=code)
    assert answer.status_code == 403
    assert "An administrator of your organisation can invite you" in text_of(answer)
    assert f"{SIGN_IN}?next=" in text_of(answer)
    assert COOKIE not in browser.cookies
    assert browser.get(URL)["Location"].startswith(SIGN_IN)


def test_deactivated_user_is_told_no_more(browser, alpha_user) -> None:
    User.objects.filter(pk=alpha_user.user_id).update(is_active=False)
    answer = browser.sign_in(alpha_user)
    assert answer.status_code == 403
    assert "is in no organisation" in text_of(answer)


def test_code_is_guessed(browser, alpha_user) -> None:
    code = browser.ask(alpha_user.user.email)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        answer = browser.submit(SIGN_IN, code=wrong)
        assert "This code is not right" in text_of(answer)
    # After five tries the right one is none either; that is the host's rule.
    assert browser.submit(SIGN_IN, code=code).status_code == 400


def test_codes_are_limited_by_the_host(browser, alpha_user) -> None:
    for _ in range(7):
        browser.ask(alpha_user.user.email)
    assert len(mail.outbox) == 5


def test_code_with_blanks(browser, alpha_user) -> None:
    code = browser.ask(alpha_user.user.email)
    assert browser.submit(SIGN_IN, code=f" {code[:3]} {code[3:]} ").status_code == 302


def test_code_of_another_address(browser, alpha_user, beta_user) -> None:
    stolen = Browser().ask(beta_user.user.email)
    browser.ask(alpha_user.user.email)
    assert browser.submit(SIGN_IN, code=stolen).status_code == 400


def test_forged_address_cookie(browser, alpha_user) -> None:
    code = browser.ask(alpha_user.user.email)
    signed = browser.cookies[ADDRESS_COOKIE].value
    other = signing.dumps("alpha.admin@example.com", key="another", salt=ADDRESS_COOKIE)
    browser.cookies[ADDRESS_COOKIE] = other[: other.index(":")] + signed[signed.index(":") :]
    answer = browser.submit(SIGN_IN, code=code)
    assert "The code has expired" in text_of(answer)


def test_address_in_another_script(browser, db) -> None:
    code = browser.ask("who@日本.example")
    assert "who@日本.example" in text_of(browser.submit(SIGN_IN, code=code))


def test_address_is_kept_for_a_time_only(browser, alpha_user, monkeypatch) -> None:
    code = browser.ask(alpha_user.user.email)
    monkeypatch.setattr(email_code, "ADDRESS_LIFETIME", timedelta(seconds=-1))
    assert "The code has expired" in text_of(browser.submit(SIGN_IN, code=code))


def test_another_address(browser, alpha_user) -> None:
    browser.ask(alpha_user.user.email)
    assert "Enter the code" in text_of(browser.get(SIGN_IN))
    browser.submit(SIGN_IN, again="1")
    assert "Send the code" in text_of(browser.get(SIGN_IN))


@pytest.mark.parametrize("email", ["", "no address", "a" * 300 + "@example.com", "a\x00@b.c"])
def test_no_address(browser, db, email) -> None:
    assert browser.submit(SIGN_IN, email=email).status_code == 400
    assert mail.outbox == []


def test_csrf(alpha_user) -> None:
    browser = Browser()
    browser.ask(alpha_user.user.email)
    for path, form in (
        (SIGN_IN, {"email": "a@b.example"}),
        (SIGN_IN, {"code": "123456"}),
        (f"{SIGN_IN}organisation/", {"member": "x"}),
        (f"{URL}sign-out/", {}),
    ):
        assert browser.post(path, form).status_code == 403
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("path", [SIGN_IN, f"{SIGN_IN}organisation/"])
def test_headers(browser, in_both, path) -> None:
    if path != SIGN_IN:
        browser.sign_in(in_both)
    answer = browser.get(path)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"


def test_no_other_page_or_api_knows_the_session(browser, alpha_user) -> None:
    browser.sign_in(alpha_user)
    key = browser.cookies[COOKIE].value
    stranger = Client()
    # Under the host's own name and on every path.
    stranger.cookies["sessionid"] = key
    stranger.cookies[COOKIE] = key
    for path in ("/api/leads/", "/api/profile/tokens/", "/api/profile/"):
        assert stranger.get(path).status_code == 403
    assert not stranger.get("/sign-in/").wsgi_request.user.is_authenticated


def test_session_of_the_host_is_none_of_ours(alpha_user) -> None:
    host = Client()
    assert host.login(username=alpha_user.user.email, password="secret")
    host.cookies[COOKIE] = host.cookies["sessionid"].value
    assert host.get(URL)["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("path", [URL, SIGN_IN, f"{SIGN_IN}organisation/", f"{URL}sign-out/"])
def test_credentials_open_no_page(token_api, alpha_user, path) -> None:
    assert token_api(alpha_user).get(path).status_code == 403
    assert Client().get(path, headers={"Token": "key"}).status_code == 403


def test_access_token_of_the_host_opens_no_page(alpha_user) -> None:
    bearer = {"Authorization": f"Bearer {issue_access_token(alpha_user)}"}
    assert Client().get(URL, headers=bearer)["Location"].startswith(SIGN_IN)


def test_header_of_a_proxy_is_no_hindrance(browser, alpha_user) -> None:
    browser.sign_in(alpha_user)
    assert browser.get(URL, headers={"Authorization": "Basic c3RhZ2luZzp4"}).status_code == 200


def test_host_without_the_endpoints(browser, alpha_user, settings, caplog) -> None:
    settings.ROOT_URLCONF = "tests.pat_tokens.sign_in.without_endpoints"
    answer = browser.submit(SIGN_IN, email=alpha_user.user.email)
    assert answer.status_code == 503
    assert "can't do this at present" in text_of(answer)
    assert "/api/auth/magic-link/request/ answered 404" in caplog.text
    assert alpha_user.user.email not in caplog.text


def test_page_that_is_not_there(browser, alpha_user) -> None:
    assert browser.get(f"{URL}nonsense/").status_code == 302
    browser.sign_in(alpha_user)
    assert browser.get(f"{URL}nonsense/").status_code == 404


def test_what_the_host_sees_of_the_browser(monkeypatch) -> None:
    seen = []

    class Handler:
        def get_response(self, request):
            seen.append(request)
            return HttpResponse("{}")

    monkeypatch.setattr(host_endpoints, "_handler", Handler)
    outer = RequestFactory().post(
        "/x", secure=True, REMOTE_ADDR="203.0.113.7", HTTP_COOKIE="a=b", HTTP_AUTHORIZATION="x"
    )
    host_endpoints.post(outer, "/api/x/", {"email": "a@b.example"})
    [inner] = seen
    assert (inner.path, inner.method, inner.scheme) == ("/api/x/", "POST", "https")
    assert inner.META["REMOTE_ADDR"] == "203.0.113.7"
    assert inner.body == b'{"email": "a@b.example"}'
    assert not {"HTTP_COOKIE", "HTTP_AUTHORIZATION"} & set(inner.META)


def test_switch_on_a_page_for_administrators(browser, alpha_admin, beta_user) -> None:
    Profile.objects.create(user=alpha_admin.user, org=beta_user.org)
    page = f"{URL}organisation/policy/"
    browser.sign_in(alpha_admin)
    browser.choose(alpha_admin.org)
    assert browser.get(page).status_code == 200
    browser.choose(beta_user.org)
    answer = browser.get(page)
    assert answer.status_code == 403
    assert "Only an administrator" in text_of(answer)
    assert "Switch organisation" in text_of(answer)
