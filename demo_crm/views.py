"""Views that belong to no kind of record."""

from django.http import HttpRequest, HttpResponse, JsonResponse

FAILED = "The demo failed on this request. Its log says why."


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: JSON for programs, a plain line for people."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": True, "errors": FAILED}, status=500)
    return HttpResponse(f"{FAILED}\n", "text/plain", status=500)
