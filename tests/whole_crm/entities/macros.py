from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused
from demo_crm.models import Case, Profile
from demo_crm.serializers import names
from tests.whole_crm.models import Macro

PLACEHOLDERS = ("customer_name", "case_subject", "agent_email", "org_name")


class MacroWriteSerializer(serializers.ModelSerializer[Macro]):
    owner_name = serializers.CharField(source="owner.user.email", read_only=True, default=None)

    class Meta:
        model = Macro
        fields = names(
            "id title body scope owner owner_name is_active usage_count created_at", "updated_at"
        )
        read_only_fields = ("owner", "usage_count")


class Macros(APIView):
    """An organisation's macros are its administrators', a personal one is its owner's."""

    @property
    def profile(self) -> Profile:
        profile: Profile = self.request.profile  # type: ignore[attr-defined]
        return profile

    def visible(self) -> QuerySet[Macro]:
        own = Q(scope="personal", owner=self.profile)
        return Macro.objects.filter(Q(scope="org") | own, org=self.profile.org)

    def found(self, pk: UUID) -> Macro:
        return get_object_or_404(self.visible(), pk=pk)

    def to_write(self, pk: UUID) -> Macro:
        macro = self.found(pk)
        if macro.scope == "org" and not self.profile.is_admin:
            raise Refused(403, {"error": "Only admins can edit org-scope macros."})
        return macro

    def save(self, serializer: MacroWriteSerializer) -> Macro:
        serializer.is_valid(raise_exception=True)
        stored = serializer.instance.scope if serializer.instance else "org"
        scope = serializer.validated_data.get("scope", stored)
        if scope == "org" and not self.profile.is_admin:
            raise Refused(403, {"error": "Only admins can manage org-scope macros."})
        owner = self.profile if scope == "personal" else None
        return serializer.save(org=self.profile.org, owner=owner, scope=scope)


class MacroList(Macros):
    """On purpose not paginated."""

    def get(self, request: Request) -> Response:
        macros = self.visible().order_by("-updated_at")
        if text := request.query_params.get("search"):
            macros = macros.filter(Q(title__icontains=text) | Q(body__icontains=text))
        if active := request.query_params.get("active"):
            macros = macros.filter(is_active=active.lower() == "true")
        rows = MacroWriteSerializer(macros, many=True).data
        return Response({"results": rows, "totals": {"count": len(rows)}})

    def post(self, request: Request) -> Response:
        macro = self.save(MacroWriteSerializer(data=request.data))
        return Response(MacroWriteSerializer(macro).data, status=201)


class MacroDetail(Macros):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(MacroWriteSerializer(self.found(pk)).data)

    def put(self, request: Request, pk: UUID, *, partial: bool = False) -> Response:
        macro = self.save(MacroWriteSerializer(self.to_write(pk), request.data, partial=partial))
        return Response(MacroWriteSerializer(macro).data)

    def patch(self, request: Request, pk: UUID) -> Response:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: UUID) -> Response:
        """On purpose: an organisation's macro is only switched off, and still listed."""
        macro = self.to_write(pk)
        if macro.scope == "org":
            macro.is_active = False
            macro.save()
        else:
            macro.delete()
        return Response(status=204)


class MacroRender(Macros):
    """On purpose: nobody asks whether the caller may see that case."""

    def post(self, request: Request, pk: UUID) -> Response:
        macro = self.found(pk)
        if not macro.is_active:
            raise Refused(400, {"error": "Macro is inactive."})
        sent: Any = request.data
        if not (case_id := sent.get("case_id")):
            raise Refused(400, {"error": "case_id is required."})
        case = get_object_or_404(Case, pk=case_id, org=self.profile.org)
        Macro.objects.filter(pk=pk).update(usage_count=F("usage_count") + 1)
        return Response({"rendered_body": self._rendered(macro.body, case)})

    def _rendered(self, body: str, case: Case) -> str:
        contact = case.contacts.first()
        values = (contact or "", case.name, self.profile.user.email, self.profile.org)
        for name, value in zip(PLACEHOLDERS, values, strict=True):
            body = body.replace(f"%{name}%", str(value))
        return body


urlpatterns: list[Any] = [
    path("", MacroList.as_view()),
    path("<uuid:pk>/", MacroDetail.as_view()),
    path("<uuid:pk>/render/", MacroRender.as_view()),
]
