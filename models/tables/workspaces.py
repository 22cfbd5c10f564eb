from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Identified, Table


class Workspace(Identified, Table):
    __tablename__ = "workspaces"

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), default="active")
