"""One request of each sender, with the fields that its documentation shows, most of which mean nothing to us."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECRET = "s3cret-of-a-sender"
DIGEST = "sha256:" + "ab" * 32
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Sent:
    """What a sender sends, and the registry, repository and tag that we read in it."""

    type: str
    body: Mapping[str, Any]
    read: tuple[str, str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    @property
    def content(self) -> bytes:
        return json.dumps(self.body, indent=1).encode()

    @property
    def target(self) -> str:
        return f"/webhook?type={self.type}{self.query}"

    @property
    def sent_headers(self) -> dict[str, str]:
        signature = hmac.new(SECRET.encode(), self.content, hashlib.sha256).hexdigest()
        return {name: value.replace("SIGNATURE", f"sha256={signature}") for name, value in self.headers.items()}


DISTRIBUTION = {
    "events": [
        {
            "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
            "timestamp": "2026-03-09T14:44:26.402973972-08:00",
            "action": "push",
            "target": {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "size": 708,
                "digest": DIGEST,
                "length": 708,
                "repository": "team/api",
                "url": "https://reg.example.com/v2/team/api/manifests/" + DIGEST,
                "tag": "1.2",
            },
            "request": {
                "id": "6df24a34-0959-4923-81ca-14f09767db19",
                "addr": "192.168.64.11:42961",
                "host": "reg.example.com:5000",
                "method": "PUT",
                "useragent": "curl/7.38.0",
            },
            "actor": {"name": "ci"},
            "source": {"addr": "xtal.local:5000", "instanceID": "a53db899-3b4b-4a62-a067-8dd013beaca4"},
        }
    ]
}
EVENTS_TYPE = {"Content-Type": "application/vnd.docker.distribution.events.v1+json"}

SENT = (
    Sent(
        "docker.io",
        {
            "callback_url": "https://registry.hub.docker.com/u/acme/api/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/",
            "push_data": {"pushed_at": 1_417_566_161, "pusher": "ci", "images": [], "tag": "1.2"},
            "repository": {
                "comment_count": 0,
                "date_created": 1_417_494_799,
                "is_official": False,
                "is_private": True,
                "name": "api",
                "namespace": "acme",
                "owner": "acme",
                "repo_name": "acme/api",
                "repo_url": "https://registry.hub.docker.com/r/acme/api",
                "star_count": 0,
                "status": "Active",
            },
        },
        ("docker.io", "acme/api", "1.2"),
        query=f"&secret={SECRET}",
    ),
    Sent(
        "ghcr.io",
        {
            "action": "published",
            "package": {
                "id": 10_696,
                "name": "api",
                "namespace": "acme",
                "ecosystem": "CONTAINER",
                "package_type": "CONTAINER",
                "owner": {"login": "Acme", "id": 1, "type": "Organization"},
                "package_version": {
                    "id": 1,
                    "version": DIGEST,
                    "container_metadata": {"tag": {"name": "1.2", "digest": DIGEST}, "labels": {}, "manifest": {}},
                },
                "registry": {"name": "GitHub CONTAINER registry", "type": "CONTAINER"},
            },
            "organization": {"login": "Acme"},
            "sender": {"login": "ci"},
        },
        ("ghcr.io", "acme/api", "1.2"),
        {**JSON, "X-GitHub-Event": "package", "X-Hub-Signature-256": "SIGNATURE", "X-GitHub-Delivery": "1"},
    ),
    Sent(
        "harbor",
        {
            "type": "PUSH_ARTIFACT",
            "occur_at": 1_586_922_308,
            "operator": "admin",
            "event_data": {
                "resources": [{"digest": DIGEST, "tag": "1.2", "resource_url": "hub.example.com/prj/api:1.2"}],
                "repository": {
                    "date_created": 1_586_922_308,
                    "name": "api",
                    "namespace": "prj",
                    "repo_full_name": "prj/api",
                    "repo_type": "private",
                },
            },
        },
        ("hub.example.com", "prj/api", "1.2"),
        {**JSON, "Authorization": SECRET},
    ),
    Sent(
        "quay.io",
        {
            "name": "api",
            "repository": "acme/api",
            "namespace": "acme",
            "docker_url": "quay.io/acme/api",
            "homepage": "https://quay.io/repository/acme/api",
            "updated_tags": ["1.2"],
        },
        ("quay.io", "acme/api", "1.2"),
        JSON,
        f"&secret={SECRET}",
    ),
    Sent(
        "acr",
        {
            "id": "cb8c3971-9adc-488b-xxxx-43cbb4974ff5",
            "timestamp": "2026-11-17T16:52:01.343145347Z",
            "action": "push",
            "target": {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "size": 524,
                "digest": DIGEST,
                "length": 524,
                "repository": "team/api",
                "tag": "1.2",
            },
            "request": {
                "id": "3cbb6949-7549-4fa1-xxxx-a6d5451dffc7",
                "host": "acme.azurecr.io",
                "method": "PUT",
                "useragent": "docker/17.09.0-ce",
            },
        },
        ("acme.azurecr.io", "team/api", "1.2"),
        {"Content-Type": "application/json; charset=utf-8", "Authorization": SECRET},
    ),
    Sent(
        "aliyun-acr",
        {
            "push_data": {"digest": DIGEST, "pushed_at": "2026-11-29 16:01:38", "tag": "1.2"},
            "repository": {
                "date_created": "2026-10-28 21:31:42",
                "name": "api",
                "namespace": "team",
                "region": "cn-hangzhou",
                "repo_authentication_type": "NO_CERTIFIED",
                "repo_full_name": "team/api",
                "repo_origin_type": "NO_CERTIFIED",
                "repo_type": "PUBLIC",
            },
        },
        ("registry.cn-hangzhou.aliyuncs.com", "team/api", "1.2"),
        JSON,
        f"&secret={SECRET}",
    ),
    Sent(
        "cloudevents",
        {
            "specversion": "1.0",
            "id": "13cde686-328b-6117-af20-0e5566167482",
            "type": "com.amazon.ecr.image.push",
            "time": "2026-11-16T01:54:34Z",
            "source": "urn:aws:ecr:us-west-2:123456789012:repository/team/api",
            "subject": "team/api:1.2",
            "datacontenttype": "application/json",
            "data": {
                "repositoryName": "team/api",
                "imageTag": "1.2",
                "imageDigest": DIGEST,
                "registryId": "123456789012",
            },
        },
        ("123456789012.dkr.ecr.us-west-2.amazonaws.com", "team/api", "1.2"),
        {**JSON, "X-Webhook-Secret": SECRET},
    ),
    Sent(
        "registry",
        DISTRIBUTION,
        ("reg.example.com:5000", "team/api", "1.2"),
        {**EVENTS_TYPE, "Authorization": f"Bearer {SECRET}"},
    ),
    Sent(
        "gitlab",
        DISTRIBUTION,
        ("reg.example.com:5000", "team/api", "1.2"),
        {**EVENTS_TYPE, "Authorization": SECRET},
    ),
    Sent(
        "native",
        {"name": "ghcr.io/acme/api", "tag": "1.2"},
        ("ghcr.io", "acme/api", "1.2"),
        {"X-Hub-Signature-256": "SIGNATURE"},
    ),
)
