"""One module per sender: its headers, its secret, its payload. ``SENDERS`` is all of them.

Belongs here: what ``runtime.md`` 7.5 says of one sender. Never: anything about more than one request.
"""

from sidecar.webhooks.senders.acr import ACR
from sidecar.webhooks.senders.aliyun import ALIYUN
from sidecar.webhooks.senders.cloudevents import CLOUD_EVENTS
from sidecar.webhooks.senders.distribution import GITLAB, REGISTRY
from sidecar.webhooks.senders.dockerhub import DOCKER_HUB
from sidecar.webhooks.senders.ghcr import GHCR
from sidecar.webhooks.senders.harbor import HARBOR
from sidecar.webhooks.senders.native import NATIVE
from sidecar.webhooks.senders.quay import QUAY

SENDERS = (DOCKER_HUB, GHCR, HARBOR, QUAY, ACR, ALIYUN, CLOUD_EVENTS, REGISTRY, GITLAB, NATIVE)

__all__ = ["SENDERS"]
