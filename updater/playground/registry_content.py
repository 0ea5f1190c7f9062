"""What the playground's registry holds: repositories, and the images that tests push into them.

Images follow the OCI image-spec 1.1: a config, a manifest that names it, an index that names manifests. Not
thread-safe: its owner locks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_CREATED_ANNOTATION = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class HeldManifest:
    """A manifest or index as it is served."""

    media_type: str
    body: bytes


@dataclass(slots=True)
class HeldRepository:
    """``tags`` maps names to digests."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, HeldManifest] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def put_manifest(self, reference: str, manifest: HeldManifest) -> str:
        """Keep a manifest under a tag, or under its digest alone; returns the digest."""
        digest = digest_of(manifest.body)
        self.manifests[digest] = manifest
        if ":" not in reference:
            self.tags[reference] = digest
        return digest

    def put_blob(self, blob: bytes) -> dict[str, str | int]:
        """Keep a blob; returns its digest and size as a descriptor holds them."""
        digest = digest_of(blob)
        self.blobs[digest] = blob
        return {"digest": digest, "size": len(blob)}

    def put_image(
        self, reference: str, platform: str, created: str, build: str, labels: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Keep an image of one platform; returns its descriptor. ``build`` makes its content differ from others."""
        os, _, rest = platform.partition("/")
        architecture, _, variant = rest.partition("/")
        config: dict[str, Any] = {"architecture": architecture, "os": os, "author": f"push {build}"}
        config |= {"variant": variant} if variant else {}
        config |= {"created": created} if created else {}
        config |= {"config": {"Labels": dict(labels)}} if labels is not None else {}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, **self.put_blob(json.dumps(config).encode())},
            "layers": [{"mediaType": LAYER_TYPE, **self.put_blob(f"layer {build}".encode())}],
        }
        body = json.dumps(manifest).encode()
        self.put_manifest(reference or digest_of(body), HeldManifest(MANIFEST_TYPE, body))
        return {"mediaType": MANIFEST_TYPE, "digest": digest_of(body), "size": len(body)}

    def put_index(self, tag: str, created_by_platform: Mapping[str, str], annotated: str, build: str) -> str:
        """Keep an index with one image per platform and, as BuildKit makes it, an attestation; returns its digest.

        The labels ``platform`` and ``build`` say which image is which.
        """
        entries = []
        for platform, created in created_by_platform.items():
            os, _, rest = platform.partition("/")
            architecture, _, variant = rest.partition("/")
            fields = {"os": os, "architecture": architecture} | ({"variant": variant} if variant else {})
            labels = {"platform": platform, "build": build}
            image = self.put_image("", platform, created, f"{build} {platform}", labels)
            entries.append({**image, "platform": fields})
        entries.append(
            {
                **self.put_image("", "unknown/unknown", "2099-01-01T00:00:00Z", f"{build} attestation"),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            }
        )
        index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
        index |= {"annotations": {_CREATED_ANNOTATION: annotated}} if annotated else {}
        return self.put_manifest(tag, HeldManifest(INDEX_TYPE, json.dumps(index).encode()))


def digest_of(content: bytes) -> str:
    """The sha256 digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
