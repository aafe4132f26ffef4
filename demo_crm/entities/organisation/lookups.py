"""Who is there, and what else the API tells about an organisation."""

from typing import Any
from uuid import UUID

from django.contrib.auth import authenticate
from django.shortcuts import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.access.identity import issue_access_token
from demo_crm.answers import forbidden, invalid
from demo_crm.entities.organisation import dropdowns
from demo_crm.models import (
    CustomFieldDefinition,
    Profile,
)
from demo_crm.serializers import CustomFieldSerializer, OrgSerializer, ProfileSerializer
from demo_crm.services import custom_fields


class Login(APIView):
    """Where the real CRM sends a magic link, the demo takes a password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        sent: Any = request.data
        user = authenticate(
            request._request, email=sent.get("email"), password=sent.get("password")
        )
        profiles = Profile.objects.filter(user=user, is_active=True, org__is_active=True)
        if org := sent.get("org"):
            profiles = profiles.filter(org__name__iexact=org)
        profile = profiles.order_by("created_at").first() if user else None
        if profile is None:
            raise invalid("Unknown e-mail address or password.")
        return Response({"access_token": issue_access_token(profile)})


class Member(APIView):
    @property
    def profile(self) -> Profile:
        profile: Profile = self.request.profile  # type: ignore[attr-defined]
        return profile

    def require_admin(self, refusal: str) -> None:
        if not self.profile.is_admin:
            raise forbidden(refusal)


class TeamsAndUsers(Member):
    def get(self, request: Request) -> Response:
        profiles = Profile.objects.filter(org=self.profile.org, is_active=True)
        people = profiles.select_related("user").order_by("user__email")
        return Response(
            {"teams": dropdowns.teams(), "profiles": ProfileSerializer(people, many=True).data}
        )


class OwnProfile(Member):
    def get(self, request: Request) -> Response:
        shown = dict(ProfileSerializer(self.profile).data)
        shown["teams"] = list(self.profile.teams.values_list("name", flat=True))
        return Response({"user_obj": shown})


class OwnOrgs(Member):
    def get(self, request: Request) -> Response:
        profiles = Profile.objects.filter(user=self.profile.user).select_related("org")
        return Response(
            {
                "error": False,
                "status": 200,
                "profile_org_list": [self._membership(profile) for profile in profiles],
            }
        )

    def _membership(self, profile: Profile) -> dict[str, Any]:
        return {
            "role": profile.role,
            "alternate_phone": None,
            "has_sales_access": False,
            "has_marketing_access": False,
            "is_organization_admin": profile.is_admin,
            "org": OrgSerializer(profile.org).data,
        }


class OrgSettings(Member):
    def get(self, request: Request) -> Response:
        org = self.profile.org
        return Response(
            {
                "id": str(org.pk),
                "name": org.name,
                "default_currency": org.default_currency,
                "timezone": org.timezone,
                "member_count": org.profiles.filter(is_active=True).count(),
                "created_at": org.created_at,
            }
        )


class CustomFields(Member):
    def get(self, request: Request) -> Response:
        params = request.query_params
        every = CustomFieldDefinition.objects.order_by("display_order", "label")
        definitions = every
        if kind := params.get("target_model"):
            definitions = definitions.filter(target_model=kind)
        if params.get("active_only") == "true":
            definitions = definitions.filter(is_active=True)
        rows = [dict(row) for row in CustomFieldSerializer(definitions, many=True).data]
        if params.get("include_counts") == "false":
            return Response({"definitions": rows, "totals": None})
        missing = {str(each.pk): custom_fields.records_without(each) for each in every}
        for row in rows:
            row["records_missing_value"] = missing[str(row["id"])]
        return Response({"definitions": rows, "totals": self._totals(list(every), missing)})

    def post(self, request: Request) -> Response:
        self.require_admin("Only an administrator defines custom fields.")
        serializer = CustomFieldSerializer(data=request.data)
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        serializer.save(org=self.profile.org)
        return Response(serializer.data, status=201)

    def _totals(
        self, every: list[CustomFieldDefinition], missing: dict[str, int]
    ) -> dict[str, int]:
        """On purpose: of all definitions, whichever are listed."""
        active = [each for each in every if each.is_active]
        return {
            "count": len(every),
            "active": len(active),
            "models_extended": len({each.target_model for each in active}),
            "required_with_gaps": sum(
                each.is_required and missing[str(each.pk)] > 0 for each in active
            ),
        }


class CustomField(Member):
    def get(self, request: Request, pk: UUID) -> Response:
        definitions = CustomFieldDefinition.objects.filter(org=self.profile.org)
        definition = get_object_or_404(definitions, pk=pk)
        return Response(CustomFieldSerializer(definition).data)
