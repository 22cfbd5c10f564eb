"""Queries over jobs and their versions."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.jobs import Job as Job
from models.tables.jobs import JobVersion as JobVersion
from racine.errors import NotFound
from racine.ids import new_id


def content_hash(document: dict[str, Any]) -> str:
    """Return the hash of a document's meaning: its layout takes no part."""
    meaning = {key: value for key, value in document.items() if key != "ui"}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def save(session: Session, workspace_id: str, document: dict[str, Any], actor: str) -> Job:
    """Store a document as its job's next version; the same content again changes nothing.

    A job that was archived comes back with its versions.
    """
    job = find(session, workspace_id, document["name"])
    digest = content_hash(document)
    if job is None:
        job = Job(id=new_id("job"), workspace_id=workspace_id, name=document["name"], version=0)
        session.add(job)
        session.flush()
    job.archived = False
    if job.version and _same(get_version(session, job.id, job.version), digest, document):
        return job
    job.version += 1
    session.add(
        JobVersion(
            id=new_id("jv"),
            job_id=job.id,
            number=job.version,
            content_hash=digest,
            document=document,
            created_by=actor,
            bundle=document.get("bundle"),
        )
    )
    session.flush()
    return job


def _same(version: JobVersion, digest: str, document: dict[str, Any]) -> bool:
    return version.content_hash == digest and version.document.get("ui") == document.get("ui")


def find(session: Session, workspace_id: str, name: str) -> Job | None:
    """Return the job of that name, archived or not."""
    return session.scalar(select(Job).where(Job.workspace_id == workspace_id, Job.name == name))


def get(session: Session, job_id: str) -> Job:
    """Return the job; raise NotFound."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job


def listed(
    session: Session, workspace_id: str, *, name: str | None, limit: int, cursor: str | None
) -> Page[Job]:
    """Return a workspace's jobs that are not archived, newest first."""
    query = select(Job).where(Job.workspace_id == workspace_id, Job.archived.is_(False))
    if name is not None:
        query = query.where(Job.name == name)
    return page(session, query, Job, limit=limit, cursor=cursor)


def latest_documents(session: Session, workspace_id: str) -> list[dict[str, Any]]:
    """Return the latest document of every job of a workspace that is not archived."""
    query = (
        select(JobVersion.document)
        .join(Job, (Job.id == JobVersion.job_id) & (Job.version == JobVersion.number))
        .where(Job.workspace_id == workspace_id, Job.archived.is_(False))
        .order_by(Job.name)
    )
    return list(session.scalars(query))


def get_version(session: Session, job_id: str, number: int) -> JobVersion:
    """Return that version of the job; raise NotFound."""
    version = session.scalar(
        select(JobVersion).where(JobVersion.job_id == job_id, JobVersion.number == number)
    )
    if version is None:
        raise NotFound(f"Job {job_id!r} has no version {number}.")
    return version


def version_at(session: Session, job_id: str, moment: datetime) -> JobVersion | None:
    """Return the version that was the latest at a moment; None when there was none."""
    query = select(JobVersion).where(JobVersion.job_id == job_id, JobVersion.created_at <= moment)
    return session.scalar(query.order_by(JobVersion.number.desc()).limit(1))


def versions(session: Session, job_id: str, *, limit: int, cursor: str | None) -> Page[JobVersion]:
    """Return a job's versions, newest first."""
    query = select(JobVersion).where(JobVersion.job_id == job_id)
    return page(session, query, JobVersion, limit=limit, cursor=cursor)
