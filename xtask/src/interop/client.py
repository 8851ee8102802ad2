"""Other people's clients, one step each: client.py KIND URL TOKEN STEP OID SIZE FILE.

It ends with 0 when the step went well, with 1 and one line when the client refused or was refused."""

import io
import sys
import warnings

warnings.simplefilter("ignore")
kind, url, token, step, oid, size, file = sys.argv[1:]


def dulwich():
    from dulwich.lfs import HTTPLFSClient

    class WithToken(HTTPLFSClient):
        """It has no way to be given a token for the API."""

        def _make_request(self, method, path, data=None, headers=None):
            login = {"Authorization": f"Bearer {token}"}
            return super()._make_request(method, path, data, {**login, **(headers or {})})

    client = WithToken(url)
    if step == "up":
        with open(file, "rb") as content:
            client.upload(oid, int(size), content.read())
    elif step == "has":
        if not client.has_object(oid, int(size)):
            raise ValueError("the client says that the server lacks it")
    else:
        with open(file, "wb") as content:
            content.write(client.download(oid, int(size)))


def giftless():
    from giftless_client import LfsClient

    place, team, repository = url.rsplit("/", 2)
    client = LfsClient(place, token)
    if step == "up":
        with open(file, "rb") as content:
            client.upload(content, team, repository)
    elif step == "has":
        # It has no question of its own: what needs no upload is there.
        answer = client.batch(f"{team}/{repository}", "upload", [{"oid": oid, "size": int(size)}])
        if answer["objects"][0].get("actions"):
            raise ValueError("the server wants it again")
    else:
        content = io.BytesIO()
        client.download(content, oid, int(size), team, repository)
        with open(file, "wb") as out:
            out.write(content.getvalue())


try:
    {"dulwich": dulwich, "giftless": giftless}[kind]()
except Exception as error:  # Whatever a client raises is its way to refuse.
    print(f"{type(error).__name__}: {error}".splitlines()[0])
    sys.exit(1)
