import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from demo_crm.access.identity import issue_access_token
from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition

NO_ORG = {"detail": "Organization context is required. Please login again."}


def get(authorization: str | None = None):
    headers = {"Authorization": authorization} if authorization else {}
    return APIClient().get("/api/leads/", headers=headers)


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer nonsense", "Basic abc", "Bearer bcrm_pat_unknown"]
)
def test_never_401(db, authorization):
    answer = get(authorization)
    assert (answer.status_code, answer.json()) == (403, NO_ORG)
    assert "WWW-Authenticate" not in answer


def test_scheme_is_case_sensitive(alpha_admin):
    assert get(f"bearer {issue_access_token(alpha_admin)}").status_code == 403


@pytest.mark.parametrize("inactive", ["profile", "user", "org"])
def test_inactive(alpha_admin, inactive):
    token = issue_access_token(alpha_admin)
    record = alpha_admin if inactive == "profile" else getattr(alpha_admin, inactive)
    record.is_active = False
    record.save()
    assert get(f"Bearer {token}").status_code == 403


def test_token_of_another_key(alpha_admin):
    claims = jwt.decode(issue_access_token(alpha_admin), settings.SECRET_KEY, ["HS256"])
    forged = jwt.encode(claims, "another key that is long enough for it", "HS256")
    assert get(f"Bearer {forged}").status_code == 403


def test_unknown_route_is_a_page(db):
    answer = APIClient().get("/api/nonsense/")
    assert answer.status_code == 404


def test_sign_in(alpha_admin):
    body = {"email": alpha_admin.user.email, "password": "secret"}
    token = APIClient().post("/api/auth/login/", body, format="json").json()["access_token"]
    assert get(f"Bearer {token}").status_code == 200


def test_sign_in_with_a_wrong_password(alpha_admin):
    body = {"email": alpha_admin.user.email, "password": "wrong"}
    assert APIClient().post("/api/auth/login/", body, format="json").status_code == 400


def test_personal_access_token(token_api, alpha_user):
    assert token_api(alpha_user).get("/api/leads/").status_code == 200


def test_own_profile(api, alpha_user, by_user):
    profile = api(alpha_user).get("/api/profile/").json()["user_obj"]
    assert (profile["id"], profile["role"]) == (str(alpha_user.pk), "USER")
    assert profile["teams"] == ["users team"]


def test_own_organisations(api, alpha_user):
    (membership,) = api(alpha_user).get("/api/org/").json()["profile_org_list"]
    assert membership["org"]["name"] == "Alpha"


def test_people_and_teams(api, alpha_user, by_admin):
    body = api(alpha_user).get("/api/users/get-teams-and-users/").json()
    assert [team["name"] for team in body["teams"]] == ["admins team"]
    assert len(body["profiles"]) == 2


def test_tags_are_made_by_admins(api, alpha_user, alpha_admin):
    body = {"name": "Fresh"}
    assert api(alpha_user).post("/api/tags/", body, format="json").status_code == 403
    assert api(alpha_admin).post("/api/tags/", body, format="json").status_code == 201
    assert api(alpha_user).get("/api/tags/").json()["tags_count"] == 1


def test_teams_are_for_admins(api, alpha_user, alpha_admin):
    assert api(alpha_user).get("/api/teams/").status_code == 403
    assert api(alpha_admin).get("/api/teams/").json() == {"teams": [], "teams_count": 0}


def test_search(api, alpha_user, by_admin, by_user):
    results = api(alpha_user).get("/api/search/", {"q": "users"}).json()["results"]
    kinds = {"lead", "deal", "account", "contact", "ticket", "invoice", "solution"}
    assert {hit["type"] for hit in results} == kinds
    assert api(alpha_user).get("/api/search/", {"q": "u"}).json()["results"] == []


def define(org, key, **values):
    with org_context(org):
        values = {"target_model": "Lead", "field_type": "text", **values}
        CustomFieldDefinition.objects.create(org=org, key=key, label=key.title(), **values)


def test_custom_fields(api, alpha_user, by_user, in_beta):
    org = alpha_user.org
    define(org, "region", is_required=True)
    define(org, "retired", is_active=False)
    define(org, "floor", target_model="Account")
    define(in_beta.profile.org, "secret")

    def listed(**params):
        answer = api(alpha_user).get("/api/custom-fields/", params).json()
        return [each["key"] for each in answer["definitions"]], answer["totals"]

    totals = {"count": 3, "active": 2, "models_extended": 2, "required_with_gaps": 1}
    keys, counted = listed(target_model="Lead")
    assert (set(keys), counted) == ({"region", "retired"}, totals)
    assert listed(target_model="Lead", active_only="true") == (["region"], totals)
    assert listed(target_model="Case", include_counts="false") == ([], None)
