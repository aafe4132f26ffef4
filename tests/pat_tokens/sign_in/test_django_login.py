"""Sign-in of a host that has its own: the demo's, by e-mail address and password."""

import pytest

from tests.pat_tokens.sign_in.conftest import SIGN_IN, URL


@pytest.fixture(autouse=True)
def _by_password(settings, _by_email_code) -> None:
    settings.PAT_TOKENS_SIGN_IN = "pat_tokens.sign_in.django_login.DjangoLogin"


def log_in(browser, profile, where=URL):
    form = {"username": profile.user.email, "password": "secret", "next": where}
    return browser.submit("/sign-in/", **form)


def test_one_organisation(browser, alpha_user) -> None:
    assert log_in(browser, alpha_user)["Location"] == URL
    page = browser.get(URL).content.decode()
    assert "Alpha User in Alpha" in page
    assert "Switch organisation" not in page


def test_several_organisations(browser, in_both, beta_user) -> None:
    log_in(browser, in_both)
    choice = browser.get(f"{URL}connections/")["Location"]
    assert choice.startswith(f"{SIGN_IN}organisation/")
    assert browser.choose(beta_user.org, choice)["Location"] == f"{URL}connections/"
    assert "Alpha User in Beta" in browser.get(URL).content.decode()


def test_sign_out_is_that_of_the_host(browser, alpha_user) -> None:
    log_in(browser, alpha_user)
    answer = browser.submit(f"{URL}sign-out/", next=URL)
    assert browser.get(answer["Location"])["Location"] == f"/sign-in/?next={URL}"
    assert browser.get("/sign-in/").status_code == 200


def test_sign_out_of_the_host_is_that_of_the_pages(browser, alpha_user) -> None:
    log_in(browser, alpha_user)
    browser.get(URL)
    browser.resubmit("/sign-out/")
    assert browser.get(URL)["Location"].startswith(SIGN_IN)


def test_person_without_an_organisation(browser, alpha_user) -> None:
    alpha_user.delete()
    log_in(browser, alpha_user)
    answer = browser.get(URL, follow=True)
    assert answer.status_code == 403
    assert "is in no organisation" in answer.content.decode()
