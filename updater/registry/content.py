"""Content of a repository: what a tag points to, and the facts behind a digest, fetched at most once.

Rules: ``registries.md`` 3.6, 3.9 and 6.2. HEAD asks whether a tag has moved; a body is fetched by tag only when nothing
is known, by digest only when the digest is new. Every body is checked against its digest before it is believed.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cachetools import TTLCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryError, RegistryProtocolError
from updater.model.images import ImageLabels
from updater.ports.log import EventLog
from updater.registry.answers import Answer
from updater.registry.authorization import Visit
from updater.registry.calls import RegistryCalls
from updater.registry.connections import RegistryRequest
from updater.registry.contents import ConfigFacts, Facts, IndexFacts, ManifestFacts
from updater.registry.digests import digest_of, is_sha256, names
from updater.registry.failures import bad_response, error_codes, refusal
from updater.registry.flights import SingleFlight
from updater.registry.label_memory import LabelMemory
from updater.registry.manifests import ACCEPT, parse_config, parse_labels, parse_manifest
from updater.registry.measures import RegistryMeasures
from updater.registry.object_memory import ObjectMemory
from updater.registry.options import RegistryOptions
from updater.registry.pull_limits import limits_pulls
from updater.registry.retries import Attempts
from updater.transport.trust import TlsOptions

MAX_MANIFEST_BYTES = 8 * 1024 * 1024
MAX_CONFIG_BYTES = 8 * 1024 * 1024
_HEADLESS_S = 3600.0
"""How long it is remembered that a registry does not answer HEAD with a digest."""
_MAX_ORIGINS = 1_000
_HEAD_REFUSED = frozenset({400, 404, 405, 406, 501})

T = TypeVar("T")


class ContentMissing(RegistryError):
    """The registry has the repository but not this tag, manifest or blob."""

    code = "content_missing"


@dataclass(frozen=True, slots=True)
class ContentContext:
    """What reading content needs beside a way to ask."""

    clock: Clock
    log: EventLog
    options: RegistryOptions
    measures: RegistryMeasures


class RepositoryContent:
    """Reads manifests and configs. Thread-safe; callers who want the same at the same time share one request."""

    def __init__(self, calls: RegistryCalls, attempts: Attempts, memory: ObjectMemory, context: ContentContext) -> None:
        clock, measures = context.clock, context.measures
        self._calls = calls
        self._attempts = attempts
        self._memory = memory
        self._clock = context.clock
        self._log = context.log
        self._options = context.options
        self._measures = measures
        self._heads: SingleFlight[str] = SingleFlight("head", measures)
        self._digests: SingleFlight[str] = SingleFlight("manifest", measures)
        self._manifests: SingleFlight[Facts] = SingleFlight("manifest", measures)
        self._blobs: SingleFlight[Facts] = SingleFlight("blob", measures)
        self._label_blobs: SingleFlight[ImageLabels] = SingleFlight("blob", measures)
        self._labels = LabelMemory()
        self._lock = threading.Lock()
        self._headless: TTLCache[str, bool] = TTLCache(_MAX_ORIGINS, _HEADLESS_S, timer=clock.monotonic_s)
        self._warned: TTLCache[str, bool] = TTLCache(_MAX_ORIGINS, _HEADLESS_S, timer=clock.monotonic_s)

    def fetch_digest(self, visit: Visit, tag: str, deadline: Deadline, *, is_new: bool) -> str:
        """The digest a tag points to now; raises ``RegistryError``, ``ContentMissing`` when there is no such tag.

        ``is_new``: little is known of the repository, so a body is needed anyway and HEAD would save nothing.
        """
        url = visit.remote.manifest_url(tag)
        key = _flight_key(visit, url)
        if not is_new and self._answers_head(visit):
            digest = self._heads.fetch(key, deadline, lambda: self._head(visit, url, deadline))
            if digest and self._is_served(visit, digest, deadline):
                return digest
        return self._digests.fetch(key, deadline, lambda: self._read_tag(visit, url, deadline))

    def fetch_manifest(self, visit: Visit, digest: str, deadline: Deadline) -> IndexFacts | ManifestFacts:
        """The facts of a manifest or index that this visit has just been told of; raises ``RegistryError``."""
        url = visit.remote.manifest_url(digest)
        known = self._recall("manifest", digest)
        facts = known or self._manifests.fetch(
            _flight_key(visit, url), deadline, lambda: self._read_manifest(visit, url, digest, deadline)
        )
        if isinstance(facts, ConfigFacts):
            raise _confused(visit)
        return facts

    def fetch_config(self, visit: Visit, manifest: ManifestFacts, deadline: Deadline) -> ConfigFacts:
        """The facts of the config that a manifest names; raises ``RegistryError``."""
        _check_size(visit, manifest)
        digest = manifest.config_digest
        url = visit.remote.blob_url(digest)
        known = self._recall("config", digest)
        facts = known or self._blobs.fetch(
            _flight_key(visit, url), deadline, lambda: self._read_config(visit, url, digest, deadline)
        )
        if not isinstance(facts, ConfigFacts):
            raise _confused(visit)
        return facts

    def fetch_labels(self, visit: Visit, manifest: ManifestFacts, deadline: Deadline) -> ImageLabels:
        """The labels in the config that a manifest names; raises ``RegistryError``."""
        _check_size(visit, manifest)
        digest = manifest.config_digest
        url = visit.remote.blob_url(digest)
        known = self._labels.recall(digest)
        self._measures.looked_up("labels", was_known=known is not None)
        if known is not None:
            return known
        return self._label_blobs.fetch(
            _flight_key(visit, url), deadline, lambda: self._read_labels(visit, url, digest, deadline)
        )

    def _recall(self, cache: str, digest: str) -> Facts | None:
        known = self._memory.recall(digest)
        self._measures.looked_up(cache, was_known=known is not None)
        return known

    def _answers_head(self, visit: Visit) -> bool:
        with self._lock:
            return visit.origin not in self._headless

    def _is_served(self, visit: Visit, digest: str, deadline: Deadline) -> bool:
        """Whether the content that HEAD announced is there; then its facts are known. Raises ``RegistryError``."""
        try:
            self.fetch_manifest(visit, digest, deadline)
        except ContentMissing:
            # Announced wrongly, or gone since: the tag itself has to tell.
            return False
        return True

    def _head(self, visit: Visit, url: str, deadline: Deadline) -> str:
        """The digest in the header of an answer to HEAD, empty when the body has to tell."""
        request = RegistryRequest(url, str(visit.remote), method="HEAD", accept=ACCEPT)
        answer = self._run("manifest", visit, deadline, lambda: self._ask(visit, request, deadline, also=_HEAD_REFUSED))
        digest = answer.header("docker-content-digest")
        if answer.status == 200 and is_sha256(digest):
            return digest
        if answer.status != 404:
            with self._lock:
                self._headless[visit.origin] = True
        return ""

    def _read_tag(self, visit: Visit, url: str, deadline: Deadline) -> str:
        request = _manifest_request(visit, url)

        def read() -> str:
            answer = self._ask(visit, request, deadline)
            digest = digest_of(answer.body)
            facts = parse_manifest(answer.header("content-type"), answer.body, str(visit.remote))
            self._compare(visit, answer.header("docker-content-digest"), digest)
            self._memory.remember(digest, facts)
            return digest

        return self._run("manifest", visit, deadline, read)

    def _read_manifest(self, visit: Visit, url: str, digest: str, deadline: Deadline) -> Facts:
        # Within the flight: who looked into memory before another flight landed would fetch once more.
        known = self._memory.recall(digest)
        if known is not None:
            return known
        request = _manifest_request(visit, url)

        def read() -> Facts:
            answer = self._ask_for(visit, request, digest, deadline)
            return parse_manifest(answer.header("content-type"), answer.body, str(visit.remote))

        facts = self._run("manifest", visit, deadline, read)
        self._memory.remember(digest, facts)
        return facts

    def _read_config(self, visit: Visit, url: str, digest: str, deadline: Deadline) -> Facts:
        known = self._memory.recall(digest)
        if known is not None:
            return known

        def parse(body: bytes) -> Facts:
            return parse_config(body, str(visit.remote))

        facts = self._read_blob(visit, url, digest, deadline, parse)
        self._memory.remember(digest, facts)
        return facts

    def _read_labels(self, visit: Visit, url: str, digest: str, deadline: Deadline) -> ImageLabels:
        known = self._labels.recall(digest)
        if known is not None:
            return known

        def parse(body: bytes) -> ImageLabels:
            return parse_labels(body, str(visit.remote))

        labels = self._read_blob(visit, url, digest, deadline, parse)
        self._labels.remember(digest, labels)
        return labels

    def _read_blob(self, visit: Visit, url: str, digest: str, deadline: Deadline, parse: Callable[[bytes], T]) -> T:
        """What ``parse`` makes of a blob whose content is what the digest names."""
        request = RegistryRequest(url, str(visit.remote), cap_bytes=MAX_CONFIG_BYTES, accept="*/*")
        return self._run("blob", visit, deadline, lambda: parse(self._ask_for(visit, request, digest, deadline).body))

    def _ask_for(self, visit: Visit, request: RegistryRequest, digest: str, deadline: Deadline) -> Answer:
        """An answer whose body is what the digest names."""
        answer = self._ask(visit, request, deadline)
        if answer.header("content-type").startswith("text/html"):
            raise bad_response("the registry answers with a page in place of content", str(visit.remote))
        if not names(digest, answer.body):
            raise _mismatch(visit, digest)
        return answer

    def _ask(
        self, visit: Visit, request: RegistryRequest, deadline: Deadline, *, also: frozenset[int] = frozenset()
    ) -> Answer:
        """An answer of 200 or of a status in ``also``; raises ``RegistryError`` for any other."""
        request = dataclasses.replace(request, timeout_s=self._options.manifest_timeout_s)
        answer = self._calls.send(visit, request, deadline)
        if answer.status == 200 or answer.status in also:
            return answer
        if answer.status == 404 and "NAME_UNKNOWN" not in error_codes(answer):
            raise ContentMissing("the registry does not have this tag or content", where=str(visit.remote))
        raise refusal(answer, str(visit.remote), self._clock.now(), has_credentials=visit.credentials is not None)

    def _compare(self, visit: Visit, announced: str, computed: str) -> None:
        """Say once that a registry announces wrong digests; what counts is the content (``registries.md`` 3.9)."""
        if not is_sha256(announced) or announced == computed:
            return
        with self._lock:
            is_known = visit.origin in self._warned
            self._warned[visit.origin] = True
        if not is_known:
            self._log.warning("digest_header_wrong", repository=str(visit.remote), announced=announced, now=computed)

    def _run(self, operation: str, visit: Visit, deadline: Deadline, work: Callable[[], T]) -> T:
        return self._attempts.run(operation, visit.remote.endpoint, self._options.manifest_backoff, deadline, work)


def _check_size(visit: Visit, manifest: ManifestFacts) -> None:
    """Refuse a config that is too large by its descriptor, before anything is sent."""
    if manifest.config_size_bytes > MAX_CONFIG_BYTES:
        text = f"the image config has {manifest.config_size_bytes} bytes, at most {MAX_CONFIG_BYTES} are accepted"
        raise RegistryProtocolError(text, where=str(visit.remote), code="too_large")


def _flight_key(visit: Visit, url: str) -> tuple[str, str, TlsOptions]:
    return url, visit.credentials_id, visit.remote.endpoint.tls


def _manifest_request(visit: Visit, url: str) -> RegistryRequest:
    pull_id = visit.credentials_id if limits_pulls(visit.remote.endpoint) else ""
    return RegistryRequest(url, str(visit.remote), cap_bytes=MAX_MANIFEST_BYTES, accept=ACCEPT, pull_id=pull_id)


def _mismatch(visit: Visit, digest: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the content is not what {digest} names",
        where=str(visit.remote),
        hint="the registry's storage or something on the way changes content",
        code="digest_mismatch",
    )


def _confused(visit: Visit) -> RegistryProtocolError:
    return RegistryProtocolError(
        "one digest is named as a manifest and as a config", where=str(visit.remote), code="bad_manifest"
    )
