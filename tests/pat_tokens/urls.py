"""A host with two mounts of the app, an endpoint that tells who is asking, and other API roots."""

from typing import Any

from django.db import connection
from django.urls import include, path, re_path
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.views import APIView


class WhoAmI(APIView):
    permission_classes = ()

    def get(self, request: Any) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.current_org', true)")
            row = cursor.fetchone()
        return Response(
            {
                "profile": str(request.profile.pk),
                "user": str(request.user.pk),
                "org": row[0],
                "timezone": timezone.get_current_timezone_name(),
                "token": request.META.get("pat_token_id"),
            }
        )

    post = get


who_am_i = WhoAmI.as_view()

urlpatterns = [
    path("api/", include("pat_tokens.urls")),
    path("settings/api-tokens/", include("pat_tokens.urls", namespace="elsewhere")),
    path("api/", include([path("leads/", who_am_i), path("profile/", who_am_i)])),
    path("api/org/", include([path("api-key/", who_am_i)])),
    re_path(r"^api/boards/$", who_am_i),
    path("outside/", who_am_i),
]
