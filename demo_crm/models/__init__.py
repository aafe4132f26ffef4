from demo_crm.models.people import Org, Profile, Tag, Team, User

__all__ = ["Org", "Profile", "Tag", "Team", "User"]
