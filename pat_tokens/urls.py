from django.urls import path

from pat_tokens.views import TokenDetailView, TokenListView

app_name = "pat_tokens"

urlpatterns = [
    path("", TokenListView.as_view(), name="list"),
    path("<uuid:pk>/", TokenDetailView.as_view(), name="detail"),
]
