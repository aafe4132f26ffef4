"""Sign-in by a mailed code, as BottleCRM has it: its paths, answers and limits.

On purpose: whoever asks gets the same answer; the right code makes a user of an address that had
none; an answer names a current organisation only where there is no choice. BottleCRM keeps codes
in a table, the demo in its cache.
"""

from secrets import randbelow
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.core.mail import send_mail
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.access.identity import issue_access_token
from demo_crm.models import Profile, User

CODE_SECONDS, HOUR = 600, 3600
CODES_PER_HOUR, ATTEMPTS = 5, 5
SAID = {"message": "If this email is valid, you will receive a sign-in link."}
WRONG = {"error": "Invalid or expired code"}


class AddressSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    delivery = serializers.ChoiceField(["link", "code"], default="link")


class CodeSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    code = serializers.RegexField(r"^\d{6}$")


class Public(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class RequestCode(Public):
    def post(self, request: Request) -> Response:
        serializer = AddressSerializer(data=request.data)
        if serializer.is_valid():
            _mail_code(serializer.validated_data["email"].lower())
        return Response(SAID)


class VerifyCode(Public):
    def post(self, request: Request) -> Response:
        serializer = CodeSerializer(data=request.data)
        if not serializer.is_valid():
            return Response({"error": "Invalid request"}, status=400)
        email = serializer.validated_data["email"].lower()
        if not _is_right(email, serializer.validated_data["code"]):
            return Response(WRONG, status=400)
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        if not user.is_active:
            return Response({"error": "User account is disabled"}, status=403)
        return Response(_signed_in(user))


def _mail_code(email: str) -> None:
    sent = f"codes-sent:{email}"
    cache.add(sent, 0, HOUR)
    if cache.incr(sent) > CODES_PER_HOUR:
        return
    code = f"{randbelow(10**6):06d}"
    cache.set(f"code:{email}", {"hash": make_password(code), "attempts": 0}, CODE_SECONDS)
    send_mail(
        f"Your sign-in code: {code}", f"The code is good for ten minutes: {code}", None, [email]
    )


def _is_right(email: str, code: str) -> bool:
    kept = cache.get(f"code:{email}")
    if kept is None:
        return False
    right = check_password(code, kept["hash"])
    kept["attempts"] += 1
    if right or kept["attempts"] >= ATTEMPTS:
        cache.delete(f"code:{email}")
    else:
        cache.set(f"code:{email}", kept, CODE_SECONDS)
    return right


def _signed_in(user: User) -> dict[str, Any]:
    profiles = list(
        Profile.objects.filter(user=user, is_active=True)
        .select_related("org")
        .order_by("org__name")
    )
    orgs = [{"id": str(each.org_id), "name": each.org.name, "role": each.role} for each in profiles]
    only = profiles[0] if len(profiles) == 1 else None
    return {
        "access_token": issue_access_token(only) if only else "",
        "user": {"id": str(user.pk), "email": user.email, "is_active": user.is_active},
        "organizations": orgs,
        **({"current_org": orgs[0]} if only else {}),
    }
