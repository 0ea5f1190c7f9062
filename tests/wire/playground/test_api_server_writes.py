"""UpdateSpec, Patch, Sync and Rollback: sections 7.4 to 7.7 of the Argo CD API facts, over both transports."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from api_client import CallFailed, Client

from generated.application_messages_pb2 import (
    Application,
    ApplicationPatchRequest,
    ApplicationQuery,
    ApplicationRollbackRequest,
    ApplicationSpec,
    ApplicationSyncRequest,
    ApplicationSyncWindowsQuery,
    ApplicationUpdateSpecRequest,
)
from updater.playground.environment import Project
from updater.playground.wire_fields import bytes_field, number_field, text_field
from updater.playground.world import World
from updater.playground.writes import WRITE_ATTEMPTS

pytestmark = pytest.mark.wire

CODE = grpc.StatusCode
KEY = "argocd-image-updater.argoproj.io/image-list"


def read(client: Client, name: str = "shop-web") -> Application:
    found: Application = client.call("Get", ApplicationQuery(name=name, projects=["default"]))
    return found


def write(client: Client, spec: ApplicationSpec, name: str = "shop-web", **fields: Any) -> ApplicationSpec:
    request = ApplicationUpdateSpecRequest(name=name, spec=spec, project="default", **{"validate": False, **fields})
    stored: ApplicationSpec = client.call("UpdateSpec", request)
    return stored


def refusal(client: Client, spec: ApplicationSpec, **fields: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(CallFailed) as caught:
        write(client, spec, **fields)
    return caught.value.code, caught.value.message


def retagged(client: Client, tag: str = "1.0.7") -> ApplicationSpec:
    spec = read(client).spec
    spec.source.helm.parameters[1].value = tag
    return spec


def test_update_spec_replaces_the_whole_spec(world: World, client: Client) -> None:
    spec = retagged(client)
    spec.ClearField("syncPolicy")
    answer = write(client, spec)
    stored = world.application("shop-web").spec
    assert stored.SerializeToString() == answer.SerializeToString()
    assert stored.source.helm.parameters[1].value == "1.0.7"
    assert not stored.HasField("syncPolicy")


def test_what_a_client_drops_is_gone(world: World, client: Client) -> None:
    spec = read(client).spec
    spec.DiscardUnknownFields()
    assert b"kubernetes.default.svc" in world.application("shop-web").spec.SerializeToString()
    write(client, spec)
    assert b"kubernetes.default.svc" not in world.application("shop-web").spec.SerializeToString()


def test_undeclared_fields_of_a_newer_server_survive_a_write(world: World, client: Client) -> None:
    spec = retagged(client)
    spec.source.MergeFromString(text_field(90, "from the future"))
    write(client, spec)
    assert b"from the future" in world.application("shop-web").spec.source.SerializeToString()


def test_the_last_writer_wins_without_a_conflict(world: World, client: Client) -> None:
    spec = retagged(client)
    world.before_next(
        "UpdateSpec",
        lambda: world.edit_application("shop-web", lambda message: setattr(message.spec.source, "path", "rival")),
    )
    write(client, spec)
    assert world.application("shop-web").spec.source.path == "chart"


def test_annotations_changed_after_the_servers_read_are_reverted(world: World, client: Client) -> None:
    spec = retagged(client)
    before = dict(world.application("shop-web").metadata.annotations)
    world.during_next(
        "UpdateSpec",
        lambda: world.edit_application("shop-web", lambda message: message.metadata.annotations.update(new="rival")),
    )
    write(client, spec)
    assert dict(world.application("shop-web").metadata.annotations) == before


def test_annotations_changed_before_the_servers_read_stay(world: World, client: Client) -> None:
    spec = retagged(client)
    world.before_next(
        "UpdateSpec",
        lambda: world.edit_application("shop-web", lambda message: message.metadata.annotations.update(new="rival")),
    )
    write(client, spec)
    assert world.application("shop-web").metadata.annotations["new"] == "rival"


def test_a_write_bumps_the_version_and_an_identical_one_does_not(world: World, client: Client) -> None:
    spec = retagged(client)
    versions = [int(world.application("shop-web").metadata.resourceVersion)]
    for _ in range(2):
        write(client, spec)
        versions.append(int(world.application("shop-web").metadata.resourceVersion))
    assert versions[1] > versions[0]
    assert versions[2] == versions[1]


@pytest.mark.parametrize(
    ("fields", "recorded"),
    [
        pytest.param({"validate": None}, None, id="absent"),
        pytest.param({"validate": True}, True, id="true"),
        pytest.param({"validate": False}, False, id="false"),
    ],
)
def test_only_a_validated_write_meets_an_invalid_source(
    world: World, client: Client, fields: dict[str, Any], *, recorded: bool | None
) -> None:
    world.configure(invalid_because="repository not accessible")
    spec = retagged(client)
    if recorded is False:
        write(client, spec, **fields)
    else:
        code, message = refusal(client, spec, **fields)
        assert code is CODE.INVALID_ARGUMENT
        assert message == "application spec for shop-web is invalid: InvalidSpecError: repository not accessible"
    (call,) = world.calls_of("UpdateSpec")
    request = call.request
    assert isinstance(request, ApplicationUpdateSpecRequest)
    assert (request.validate if request.HasField("validate") else None) is recorded


def test_conflicts_below_the_limit_are_the_servers_business(world: World, client: Client) -> None:
    world.conflict_next("UpdateSpec", WRITE_ATTEMPTS - 1)
    write(client, retagged(client))
    assert world.application("shop-web").spec.source.helm.parameters[1].value == "1.0.7"


def test_the_tenth_conflict_ends_the_call(world: World, client: Client) -> None:
    world.conflict_next("UpdateSpec", WRITE_ATTEMPTS)
    spec = retagged(client)
    assert refusal(client, spec) == (CODE.INTERNAL, "Failed to update application. Too many conflicts")
    assert world.application("shop-web").spec.source.helm.parameters[1].value == "1.0.0"
    write(client, spec)


def test_an_application_deleted_under_the_write_is_gone(world: World, client: Client) -> None:
    spec = retagged(client)
    world.during_next("UpdateSpec", lambda: world.delete("shop-web"))
    assert refusal(client, spec)[0] is CODE.NOT_FOUND


def test_a_planned_refusal_comes_once_and_writes_nothing(world: World, client: Client) -> None:
    spec = retagged(client)
    world.reject_next("UpdateSpec", CODE.UNAVAILABLE, "repo-server is down")
    assert refusal(client, spec) == (CODE.UNAVAILABLE, "repo-server is down")
    assert world.application("shop-web").spec.source.helm.parameters[1].value == "1.0.0"
    write(client, spec)


def test_a_callback_after_the_call_sees_the_write(world: World, client: Client) -> None:
    seen: list[str] = []
    world.after_next(
        "UpdateSpec", lambda: seen.append(world.application("shop-web").spec.source.helm.parameters[1].value)
    )
    write(client, retagged(client))
    assert seen == ["1.0.7"]


def test_moving_to_another_project_needs_create_there(world: World, client: Client) -> None:
    world.add_project(Project("other"))
    spec = read(client).spec
    spec.project = "other"
    code, message = refusal(client, spec)
    assert code is CODE.PERMISSION_DENIED
    assert message.startswith("permission denied: applications, create, other/shop-web, sub: updater, iat: ")
    world.allow("updater", "applications", "create", "other/*")
    assert write(client, spec).project == "other"


def test_moving_to_a_missing_project_is_invalid(world: World, client: Client) -> None:
    world.allow("updater", "applications", "create", "*")
    spec = read(client).spec
    spec.project = "nowhere"
    assert refusal(client, spec)[0] is CODE.INVALID_ARGUMENT


def test_an_empty_project_becomes_default(client: Client) -> None:
    spec = read(client).spec
    spec.project = ""
    assert write(client, spec).project == "default"


def test_source_names_must_be_unique(client: Client) -> None:
    spec = read(client, "shop-all").spec
    spec.sources[1].name = spec.sources[0].name
    assert refusal(client, spec, name="shop-all")[0] is CODE.UNKNOWN


@pytest.mark.parametrize(
    ("added", "is_kept"),
    [
        pytest.param(bytes_field(8, b""), False, id="empty kustomize"),
        pytest.param(bytes_field(8, text_field(1, "")), False, id="kustomize with an empty prefix"),
        pytest.param(bytes_field(8, number_field(7, 1)), False, id="kustomize flag that does not count"),
        pytest.param(bytes_field(8, number_field(17, 1)), True, id="kustomize flag that counts"),
        pytest.param(bytes_field(8, text_field(3, "a:1")), True, id="kustomize image"),
        pytest.param(bytes_field(10, bytes_field(2, b"")), False, id="empty directory"),
        pytest.param(bytes_field(10, number_field(1, 1)), True, id="recursive directory"),
    ],
)
def test_an_empty_block_of_a_single_source_is_removed(client: Client, added: bytes, *, is_kept: bool) -> None:
    spec = read(client).spec
    spec.source.MergeFromString(added)
    assert (added in write(client, spec).source.SerializeToString()) is is_kept


def test_an_emptied_helm_block_is_removed_from_a_single_source_only(client: Client) -> None:
    single, multiple = read(client).spec, read(client, "shop-all").spec
    for source in (single.source, multiple.sources[0]):
        del source.helm.parameters[:]
    assert not write(client, single).source.HasField("helm")
    assert write(client, multiple, name="shop-all").sources[0].HasField("helm")


def test_a_sync_policy_without_content_is_removed_and_an_empty_automated_is_content(client: Client) -> None:
    spec = read(client).spec
    spec.syncPolicy.Clear()
    spec.syncPolicy.SetInParent()
    assert not write(client, spec).HasField("syncPolicy")
    spec.syncPolicy.automated.SetInParent()
    assert write(client, spec).syncPolicy.HasField("automated")


def test_explicit_zeros_are_stored(world: World, client: Client) -> None:
    spec = read(client).spec
    spec.revisionHistoryLimit = 0
    spec.syncPolicy.automated.enabled = False
    write(client, spec)
    stored = world.application("shop-web").spec
    assert stored.HasField("revisionHistoryLimit")
    assert stored.syncPolicy.automated.HasField("enabled")


def patch(client: Client, operations: Any, kind: str = "json", name: str = "shop-api") -> Application:
    request = ApplicationPatchRequest(name=name, patch=json.dumps(operations), patchType=kind, project="default")
    patched: Application = client.call("Patch", request)
    return patched


def test_a_patch_changes_one_image_and_keeps_what_is_undeclared(world: World, client: Client) -> None:
    path = "/spec/source/kustomize/images/0"
    before = world.application("shop-api").spec.source.kustomize.images[0]
    operations = [{"op": "test", "path": path, "value": before}, {"op": "replace", "path": path, "value": "x:2"}]
    assert list(patch(client, operations).spec.source.kustomize.images) == ["x:2"]
    assert b"kubernetes.default.svc" in world.application("shop-api").spec.SerializeToString()


def test_a_failing_test_is_unknown_and_changes_nothing(world: World, client: Client) -> None:
    version = world.application("shop-api").metadata.resourceVersion
    world.before_next(
        "Patch", lambda: world.edit_application("shop-api", lambda message: message.metadata.labels.update(a="b"))
    )
    operations = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/spec/source/kustomize/images", "value": ["x:2"]},
    ]
    with pytest.raises(CallFailed, match="error applying patch") as caught:
        patch(client, operations)
    assert caught.value.code is CODE.UNKNOWN
    assert "x:2" not in world.application("shop-api").spec.source.kustomize.images


def test_empty_lists_are_absent_in_the_json_form(world: World, client: Client) -> None:
    world.edit_application("shop-api", lambda message: message.spec.source.kustomize.ClearField("images"))
    with pytest.raises(CallFailed, match="error applying patch"):
        patch(client, [{"op": "add", "path": "/spec/source/kustomize/images/-", "value": "x:2"}])
    added = patch(client, [{"op": "add", "path": "/spec/source/kustomize/images", "value": ["x:2"]}])
    assert list(added.spec.source.kustomize.images) == ["x:2"]


def test_a_removed_source_takes_its_undeclared_fields_along(world: World, client: Client) -> None:
    world.edit_application("shop-all", lambda message: message.spec.sources[0].MergeFromString(text_field(90, "first")))
    world.edit_application(
        "shop-all", lambda message: message.spec.sources[1].MergeFromString(text_field(90, "second"))
    )
    left = patch(client, [{"op": "remove", "path": "/spec/sources/0"}], name="shop-all").spec.sources
    assert [each.name for each in left] == ["api", "values"]
    assert b"second" in left[0].SerializeToString()
    assert not any(b"first" in each.SerializeToString() for each in left)


def test_a_merge_patch_replaces_lists_and_removes_by_null(client: Client) -> None:
    annotations = {KEY: None, "note": "by patch"}
    result = patch(
        client,
        {"metadata": {"annotations": annotations}, "spec": {"source": {"kustomize": {"images": ["y:3"]}}}},
        kind="merge",
    )
    assert list(result.spec.source.kustomize.images) == ["y:3"]
    assert KEY not in result.metadata.annotations
    assert result.metadata.annotations["note"] == "by patch"


@pytest.mark.parametrize(
    ("operations", "kind", "code"),
    [
        pytest.param([], "strategic", CODE.INVALID_ARGUMENT, id="unknown type"),
        pytest.param({}, "json", CODE.UNKNOWN, id="not a list"),
        pytest.param({"spec": {"source": 5}}, "merge", CODE.INVALID_ARGUMENT, id="wrong type"),
        pytest.param({"spec": {"destination": {"name": "x"}}}, "merge", CODE.UNIMPLEMENTED, id="undeclared field"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(
    client: Client, operations: Any, kind: str, code: grpc.StatusCode
) -> None:
    with pytest.raises(CallFailed) as caught:
        patch(client, operations, kind=kind)
    assert caught.value.code is code


def test_a_patch_that_is_no_json_is_refused(client: Client) -> None:
    with pytest.raises(CallFailed, match="error applying patch: the patch is not JSON"):
        client.call("Patch", ApplicationPatchRequest(name="shop-api", patch="{", patchType="merge"))


def test_the_log_can_be_emptied(world: World, client: Client) -> None:
    read(client)
    assert [each.method for each in world.calls] == ["Get"]
    world.log.clear()
    assert world.calls == ()


def test_a_patch_is_always_validated(world: World, client: Client) -> None:
    world.configure(invalid_because="no access")
    with pytest.raises(CallFailed, match="InvalidSpecError: no access"):
        patch(client, [])


def test_a_patch_needs_get_and_update(world: World, client: Client) -> None:
    world.deny("updater", "applications", "get", "*")
    with pytest.raises(CallFailed) as caught:
        patch(client, [])
    assert caught.value.code is CODE.PERMISSION_DENIED


def test_sync_is_recorded_and_answers_the_application(world: World, client: Client) -> None:
    answer = client.call("Sync", ApplicationSyncRequest(name="shop-web", project="default", prune=False))
    assert answer.metadata.name == "shop-web"
    (call,) = world.calls_of("Sync")
    assert isinstance(call.request, ApplicationSyncRequest)
    assert call.request.HasField("prune")


def test_a_sync_window_blocks_sync_and_is_told(world: World, client: Client) -> None:
    world.add_project(Project("default", windows=(("deny", "* * * * *", "1h", False),)))
    with pytest.raises(CallFailed, match="cannot sync: blocked by sync window"):
        client.call("Sync", ApplicationSyncRequest(name="shop-web"))
    answer = client.call("GetApplicationSyncWindows", ApplicationSyncWindowsQuery(name="shop-web"))
    assert not answer.canSync
    assert [each.kind for each in answer.activeWindows] == ["deny"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"revision": "main"}, None, id="the revision of the spec"),
        pytest.param({"revision": "other"}, CODE.FAILED_PRECONDITION, id="another revision under auto-sync"),
        pytest.param({"sourcePositions": [1], "revisions": []}, CODE.INTERNAL, id="fewer revisions than positions"),
    ],
)
def test_sync_checks_revisions(client: Client, fields: dict[str, Any], code: grpc.StatusCode | None) -> None:
    request = ApplicationSyncRequest(name="shop-web", **fields)
    if code is None:
        assert client.call("Sync", request).metadata.name == "shop-web"
        return
    with pytest.raises(CallFailed) as caught:
        client.call("Sync", request)
    assert caught.value.code is code


def test_sync_needs_its_own_right_and_names_it(world: World, client: Client) -> None:
    world.deny("updater", "applications", "sync", "*")
    with pytest.raises(CallFailed, match="permission denied: applications, sync, default/shop-web, sub: updater"):
        client.call("Sync", ApplicationSyncRequest(name="shop-web"))


def test_an_application_being_deleted_does_not_sync(world: World, client: Client) -> None:
    world.edit_application("shop-web", lambda message: setattr(message.metadata.deletionTimestamp, "seconds", 1))
    with pytest.raises(CallFailed) as caught:
        client.call("Sync", ApplicationSyncRequest(name="shop-web"))
    assert caught.value.code is CODE.FAILED_PRECONDITION


def test_rollback_is_recorded(world: World, client: Client) -> None:
    client.call("Rollback", ApplicationRollbackRequest(name="shop-web", id=3))
    (call,) = world.calls_of("Rollback")
    assert isinstance(call.request, ApplicationRollbackRequest)
    assert call.request.id == 3


def test_the_live_images_follow_a_write_after_a_reconcile(world: World, client: Client) -> None:
    write(client, retagged(client))
    assert list(world.application("shop-web").status.summary.images) == ["registry.example.com/shop/web:1.0.0"]
    world.reconcile("shop-web")
    assert list(read(client).status.summary.images) == ["registry.example.com/shop/web:1.0.7"]
