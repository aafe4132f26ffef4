"""Models of people: users, organisations, memberships, teams and tags."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.text import slugify

from demo_crm.models.base import OrgOwned, TimeStamped


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, TimeStamped):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.email


class Org(TimeStamped):
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    timezone = models.CharField(max_length=64, default="UTC")
    default_currency = models.CharField(max_length=3, default="USD")

    def __str__(self) -> str:
        return self.name


class Profile(TimeStamped):
    """One person's membership of one organisation."""

    class Role(models.TextChoices):
        ADMIN = "ADMIN"
        USER = "USER"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="profiles")
    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="profiles")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.USER)
    phone = models.CharField(max_length=25, null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "org"], name="one_profile_per_org"),)

    def __str__(self) -> str:
        return f"{self.user} ({self.org})"

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN


class Team(OrgOwned):
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    users = models.ManyToManyField(Profile, related_name="teams")

    def __str__(self) -> str:
        return self.name


class Tag(OrgOwned):
    name = models.CharField(max_length=50)
    slug = models.CharField(max_length=60, editable=False)
    color = models.CharField(max_length=20, default="blue")
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["org", "slug"], name="one_tag_per_slug"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = slugify(self.name)
        super().save(*args, **kwargs)
