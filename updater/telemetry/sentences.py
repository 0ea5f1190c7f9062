"""Event names to the sentences people search for (``runtime.md`` 4.4).

Code logs ``cycle_finished`` and fields; scripts look for ``Processing results: applications=3 ...``. This table is
where the two meet. ``{name}`` takes the field out of the record and into the sentence; ``{name!keep}`` leaves it in
the record as well. An event without a row is its own name with blanks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from updater.ports.log import Field
from updater.telemetry.logfmt import field_text

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "updater_started": (
            "argocd-image-updater {version} starting [loglevel:{loglevel}, interval:{interval}, "
            "healthport:{health_port}]"
        ),
        "argocd_configured": (
            "ArgoCD configuration: [apiKind={api_kind}, server={server}, auth_token={auth_token}, "
            "insecure={insecure}, grpc_web={grpc_web}, plaintext={plaintext}]"
        ),
        "runtime_configured": (
            "Runtime settings: mode={mode} interval={interval} max_concurrency={max_concurrency} "
            "schedule={schedule} cooldown={cooldown} per_repo_cap={per_repo_cap} health_port={health_port} "
            "metrics_port={metrics_port} registries_conf={registries_conf}"
        ),
        "health_server_started": "Starting health probe server TCP port={port}",
        "metrics_server_started": "Starting metrics server on TCP port={port}",
        "webhook_server_started": "Starting webhook server on port {port}",
        "status_server_started": "Starting status server on port {port}",
        "listener_died": "The {listener!keep} server ended unexpectedly, shutting down: {error}",
        "warmup_started": "Warming up image cache",
        "warmup_finished": (
            "Finished cache warm-up, pre-loaded {entries} meta data entries from {registries} registries"
        ),
        "cycle_started": (
            "Starting image update cycle, considering {applications} annotated application(s) for update"
        ),
        "concurrency_chosen": "Auto concurrency selected: {workers} workers (cpus={cpus} apps={applications})",
        "cycle_finished": (
            "Processing results: applications={applications} images_considered={images_considered} "
            "images_skipped={images_skipped} images_updated={images_updated} errors={errors}"
        ),
        "application_started": "continuous: start processing",
        "application_succeeded": "continuous: finished processing: success, duration={duration}",
        "application_failed": "continuous: finished processing: failed, duration={duration}",
        "image_failed": "Could not update image '{image_name!keep}': {error}",
        "registry_failed": (
            "Could not ask registry {registry!keep} about {images!keep} images, such as {examples}: {error}"
        ),
        "fleet_empty": "{text}",
        "image_skipped": "Image '{image_name!keep}' skipped: {text}",
        "image_set": "Setting new image to {image}",
        "image_updated": "Successfully updated image '{old}' to '{new}' (dry run={dry_run})",
        "image_up_to_date": "Image '{image}' already on latest allowed version",
        "image_not_live": "Image '{image}' seems not to be live in this application, skipping",
        "image_without_tag": "No suitable image tag for upgrade found in list of available tags.",
        "labels_unknown": ("Could not read the labels of {image!keep}, so its change is written without them: {error}"),
        "write_started": "Committing {changes} parameter update(s) for application {application!keep}",
        "write_finished": "Successfully updated the live application spec",
        "write_queued": (
            "Queuing {changes} parameter update(s) for application {application!keep} (git write pending)"
        ),
        "values_file_made": "{text}",
        "write_unneeded": (
            "Nothing to write for application {application!keep}: the change is stored already, and the cluster has "
            "not followed it yet"
        ),
        "write_skipped_dry_run": "Dry run - not committing {changes} changes to application",
        "write_failed": "Could not update application spec: {error}",
        "repository_failed": "Could not write to {repository!keep}: {error}",
        "application_skipped": "skipping app '{application!keep}': {text}",
        "application_failed_to_plan": "Could not process application {application!keep}: {error}",
        "application_type_unsupported": "skipping app '{application!keep}' of type '{type}'",
        "git_branch_behind": (
            "Branch {branch!keep} of {repository!keep} is behind {base!keep}, and changes made there do not reach it: "
            "merge {base!keep} into it, or let --git-write-branch-strategy reset make it anew"
        ),
        "webhook_accepted": "Received valid webhook event",
        "webhook_processed": "Processing webhook event for {registry!keep}/{repository!keep}:{tag!keep}",
        "webhook_matched": "Found {applications} applications watching image",
        "webhook_triggered": "Triggering image update check for application",
        "webhook_finished": (
            "Update result: processed={processed} updated={updated} errors={errors} skipped={skipped}"
        ),
        "webhook_failed": "Failed to process webhook: {error}",
        "webhook_ignored": "Ignoring webhook: {error}",
        "fleet_unreadable": "Error: {error}",
        "image_test_started": "retrieving information about image",
        "rate_limit_overridden": "Overriding registry rate-limit to {limit} requests per second",
        "tags_wanted": "Fetching available tags and metadata from registry",
        "tags_counted": "Found {count} tags in registry",
        "latest_image_found": "latest image according to constraint is {image}",
        "newer_image_missing": "no newer version of image found",
        "setting_remarked": "{text}",
        "setting_changed": "{key} is now {value}",
        "setting_needs_restart": "{key} has changed to {value}, which needs a restart",
        "config_refused": "The mounted configuration cannot be used, so the last good one holds: {error}",
        "annotation_remarked": "{text}",
        "argocd_token_expiry": "{text}",
        "spec_answer_differs": "{text}",
        "output_lost": "records go to standard error from here on: {error}",
        "start_refused": "{error}",
        "bug_found": "This is a bug in argocd-image-updater, please report it: {error}",
        "stopping": "stopping after a signal: nothing more is begun, running work may end, a second signal abandons it",
        "registry_cache_failed": (
            "What registries say cannot be kept in --registry-cache-dir, so it is kept in {goes_on_in!keep}: {error}; "
            "name a folder that we may write to, on a disk that is not full"
        ),
        "work_cut_off": (
            "The shutdown timeout of {timeout} is over, what still runs is given up: {writes!keep} write(s) "
            "({applications!keep}); the next start finds what is missing"
        ),
        "shutdown_incomplete": "Work was still running after its connections were cut",
        "end_forced": "Ended by force {waited} after the end was asked for, because this hangs: {threads}",
        "webhook_events_unfinished": "Not all webhook events could be finished before the end",
        "webhook_events_left": "{count!keep} webhook event(s) are lost with the end; polls find what they were about",
        "updater_finished": "Finished.",
    }
)

_PLACE = re.compile(r"\{(\w+)(!keep)?\}")


def sentence(event: str, fields: Mapping[str, Field]) -> tuple[str, dict[str, Field]]:
    """The message of an event, and the fields that are left for the record.

    A field that a sentence wants and the event lacks shows as ``?``: a record is never lost over its wording.
    """
    template = SENTENCES.get(event)
    if template is None:
        return event.replace("_", " "), dict(fields)
    taken = {match[1] for match in _PLACE.finditer(template) if not match[2]}
    message = _PLACE.sub(lambda match: field_text(fields[match[1]]) if match[1] in fields else "?", template)
    return message, {key: value for key, value in fields.items() if key not in taken}
