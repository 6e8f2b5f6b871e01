#!/usr/bin/python3
"""make-image ROOTFS.tar OUT.tar NAME:TAG [COMMAND...]

A container image of one layer, in an archive which is an OCI layout (Podman,
containerd) and a `docker save` archive (Docker) at once.
"""

import hashlib
import io
import json
import sys
import tarfile

OCI = "application/vnd.oci.image"


class Archive:
    """The archive being written; blobs are named by their content."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w")

    def add(self, name, data):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        self.tar.addfile(info, io.BytesIO(data))

    def add_json(self, name, value):
        self.add(name, json.dumps(value).encode())

    def add_blob(self, media_type, data):
        """Adds the blob and returns the descriptor by which others name it."""
        digest = hashlib.sha256(data).hexdigest()
        self.add("blobs/sha256/" + digest, data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}


def main(rootfs, out, reference, *command):
    archive = Archive(out)
    with open(rootfs, "rb") as tar:
        layer = archive.add_blob(OCI + ".layer.v1.tar", tar.read())
    config = archive.add_blob(OCI + ".config.v1+json", json.dumps({
        "architecture": "amd64",
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Cmd": list(command) or ["/bin/sh"], "Env": ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "make-image"}],
    }).encode())
    manifest = archive.add_blob(OCI + ".manifest.v1+json", json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI + ".manifest.v1+json",
        "config": config,
        "layers": [layer],
    }).encode())
    manifest["platform"] = {"architecture": "amd64", "os": "linux"}
    # containerd names the image by its own annotation, Podman by the OCI one.
    manifest["annotations"] = {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference}
    archive.add_json("oci-layout", {"imageLayoutVersion": "1.0.0"})
    archive.add_json("index.json", {"schemaVersion": 2, "manifests": [manifest]})
    blob = lambda descriptor: descriptor["digest"].replace("sha256:", "blobs/sha256/")
    archive.add_json("manifest.json", [{"Config": blob(config), "RepoTags": [reference], "Layers": [blob(layer)]}])
    archive.tar.close()


if len(sys.argv) < 4:
    sys.exit(__doc__)
main(*sys.argv[1:])
