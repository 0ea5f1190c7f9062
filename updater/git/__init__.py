"""Git: the one package that runs git and reads repositories.

Belongs here: processes with deadlines, mirrors, refs, objects, commits, pushes, and how a remote is authenticated.
Never: what is written into files, which branch an Application wants, grouping and messages (``updater.writeback``).
Imported by the assembly and by tests; write-back sees it through ``updater.ports.git``.

What a repository contains, configures or hooks is not trusted: nothing of it is ever checked out or run
(``docs/adr/0004-git-without-a-worktree.md``).
"""
