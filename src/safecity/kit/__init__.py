"""Clock, ids, errors, logs, retry and task groups: no domain."""
