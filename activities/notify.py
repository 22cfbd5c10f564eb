"""Leaves notifications."""

from activities.call import Call, Performers
from models.stores import notifications
from racine import platform


def notify(call: Call, given: platform.NotifyInput) -> platform.NotifyResult:
    with call.db.write() as session:
        made = notifications.leave(
            session,
            call.context.workspace_id,
            run_id=call.context.run_id,
            task_key=call.task_key,
            **given.model_dump(),
        )
    return platform.NotifyResult(notification_id=made)


PERFORMS: Performers = {platform.NOTIFY: notify}
