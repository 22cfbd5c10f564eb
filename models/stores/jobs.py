"""Queries over jobs and their versions."""

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.jobs import Job, JobVersion
from racine.errors import NotFound
from racine.ids import new_id


def content_hash(document: dict[str, Any]) -> str:
    """Return the hash of a document's meaning: its layout takes no part."""
    meaning = {key: value for key, value in document.items() if key != "ui"}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def save(session: Session, workspace_id: str, document: dict[str, Any], actor: str) -> Job:
    """Store a document as its job's next version; the same content again changes nothing."""
    job = session.scalar(
        select(Job).where(Job.workspace_id == workspace_id, Job.name == document["name"])
    )
    digest = content_hash(document)
    if job is None:
        job = Job(id=new_id("job"), workspace_id=workspace_id, name=document["name"], version=0)
        session.add(job)
        session.flush()
    elif get_version(session, job.id, job.version).content_hash == digest:
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
        )
    )
    return job


def get(session: Session, job_id: str) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job


def get_version(session: Session, job_id: str, number: int) -> JobVersion:
    version = session.scalar(
        select(JobVersion).where(JobVersion.job_id == job_id, JobVersion.number == number)
    )
    if version is None:
        raise NotFound(f"Job {job_id!r} has no version {number}.")
    return version
