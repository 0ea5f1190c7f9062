"""git-http-backend behind nginx and fcgiwrap: smart HTTP with TLS and Basic authentication."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.git.programs import Server, need_program, stop
from tests.ports import free_port

USER, PASSWORD, TOKEN = "bot", "pass word'\"", "token-1234567890"

_CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log stderr notice; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; client_max_body_size 0;
  client_body_temp_path {folder}/b; fastcgi_temp_path {folder}/f;
  proxy_temp_path {folder}/p; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_authorization $is_bearer {{ default 0; "Bearer {token}" 1; }}
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    location /moved/ {{ rewrite ^/moved(/.*)$ https://localhost:{port}$1 redirect; }}
    location /token/ {{
      if ($is_bearer = 0) {{ return 401; }}
      rewrite ^/token(/.*)$ $1 break;
      {backend}
    }}
    location / {{ auth_basic git; auth_basic_user_file {folder}/users; {backend} }}
  }}
}}
"""
_BACKEND = """
      fastcgi_pass unix:{folder}/cgi.socket; fastcgi_buffering off; fastcgi_request_buffering off;
      fastcgi_param SCRIPT_FILENAME {program}; fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL ""; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER bot;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param GIT_PROTOCOL $http_git_protocol; fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
"""


class HttpServer:
    """Serves every repository below ``root`` at ``https://127.0.0.1:<port>/<name>``."""

    def __init__(self, folder: Path, root: Path, *, is_root: bool) -> None:
        nginx, wrap = need_program("nginx", "nginx-light"), need_program("fcgiwrap", "fcgiwrap")
        program = _backend_program()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(folder / "server.key"))
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        backend = _BACKEND.format(folder=folder, root=root, program=program)
        text = _CONFIGURATION.format(
            folder=folder, port=self.port, backend=backend, token=TOKEN, user="user root;" if is_root else ""
        )
        (folder / "nginx.conf").write_text(text)
        self._programs = _listening_programs(wrap, folder / "cgi.socket")
        self._arguments = (nginx, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf")
        self.start()

    def start(self) -> None:
        """Take connections, at the address it had before if it was stopped."""
        self.server = Server(self._arguments, "start worker process ", self.folder / "nginx.log")

    @property
    def ca_pem(self) -> str:
        return self.authority.cert_pem.bytes().decode()

    def url(self, name: str, prefix: str = "") -> str:
        return f"https://127.0.0.1:{self.port}/{prefix}{name}"

    def login(self, url: str, **more: object) -> dict[str, object]:
        """An entry for ``url`` of the credential file."""
        return {"url": url, "username": USER, "password": PASSWORD, "caCert": self.ca_pem, **more}

    def close(self) -> None:
        self.server.stop()
        stop(self._programs)


def _listening_programs(wrap: str, address: Path) -> subprocess.Popen[bytes]:
    """fcgiwrap on a socket that listens already, which it takes for its standard input."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        return subprocess.Popen([wrap, "-c", "4"], stdin=listener, start_new_session=True)


def _backend_program() -> str:
    where = subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True).stdout.strip()
    return f"{where}/git-http-backend"


@contextmanager
def serving_repositories(folder: Path) -> Iterator[HttpServer]:
    """Serves every repository below the folder ``repositories`` in ``folder``."""
    root = folder / "repositories"
    root.mkdir()
    server = HttpServer(folder, root, is_root=os.getuid() == 0)
    try:
        yield server
    finally:
        server.close()
