"""Failures that stay until somebody changes something: the class *config* of ``write-back.md`` 7.1.

They are met again in every round. The counters always count; the log says them once, and again when they change.
"""

from __future__ import annotations

SHUTTING_DOWN = "shutting_down"
"""The code of what was left out because the updater was told to end."""

_ANNOTATIONS = frozenset(
    (
        "invalid_method",
        "invalid_credentials",
        "invalid_target",
        "kustomization_without_prefix",
        "invalid_git_branch",
        "invalid_branch_name",
        "secret_namespace_denied",
        "target_required",
        "repo_not_git",
        "repo_url_refused",
        "pr_config_invalid",
        "template_parse",
        "template_exec",
        "empty_branch_name",
        "write_back_unavailable",
    )
)
_SOURCES = frozenset(("unsupported_source_type", "no_source", "no_matching_source", "source_not_found"))
_FILES = frozenset(
    (
        "path_escapes_repo",
        "path_in_git_dir",
        "invalid_path",
        "symlink_escapes_repo",
        "symlink_loop",
        "parent_not_directory",
        "target_is_directory",
        "target_too_large",
        "target_not_utf8",
        "target_is_lfs_pointer",
        "target_is_encrypted",
        "target_not_override_file",
        "kustomization_not_found",
        "multiple_kustomization_files",
        "images_not_a_list",
        "image_entry_not_mapping",
        "parse_error",
        "multiple_documents",
        "root_not_mapping",
        "not_a_mapping",
        "not_a_list",
        "not_a_scalar",
        "index_required",
        "index_out_of_range",
        "bad_index",
        "bad_key",
        "empty_key",
        "list_missing",
    )
)
_REMOTES = frozenset(
    (
        "no_credentials",
        "invalid_secret",
        "secret_not_found",
        "credentials_scheme_mismatch",
        "repo_not_found",
        "repo_untrusted",
        "host_key_unknown",
        "host_key_mismatch",
        "tls_failed",
        "no_default_branch",
        "branch_not_found",
        "revision_is_tag",
        "revision_is_commit",
        "commit_failed",
        "signing_failed",
        "push_denied",
        "git_missing",
        "fetch_too_large",
        "pr_token_missing",
        "pr_denied",
        "update_denied",
        "update_invalid",
    )
)
_STANDING = _ANNOTATIONS | _SOURCES | _FILES | _REMOTES


def is_standing(code: str) -> bool:
    """Whether a failure with this code comes again until an owner or the operator mends something."""
    return code in _STANDING


def is_mild(code: str) -> bool:
    """Whether a failure with this code is a warning: the Application has no source that could be written."""
    return code in _SOURCES
