#!/usr/bin/env bash
# Builds the image without a container daemon or registry, and runs what was built: as root, on Debian.
#
# The base image is a stand-in under the real one's name: Debian with its own Python, from this machine's
# package sources. The build sees this machine's pip settings and certificates.
set -euo pipefail
cd "$(dirname "$0")/../.."

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
readonly BASE=python:3.13-slim-trixie IMAGE=localhost/lexgate:here
work=$(mktemp -d)
container=

leave() {
    [[ -z "$container" ]] || buildah rm "$container" >/dev/null
    rm -rf "$work"
}
trap leave EXIT

make_stand_in() {
    local suite root stand_in sources=()
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
        [[ -s "$file" ]] && sources+=("$file")
    done
    root=$work/root.tar
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-venv "$suite" "$root" "${sources[@]}"
    stand_in=$(buildah from scratch)
    buildah add --quiet "$stand_in" "$root" / >/dev/null
    buildah run "$stand_in" -- ln -s python3 /usr/bin/python
    buildah commit --quiet --rm "$stand_in" "localhost/$BASE" >/dev/null
    rm "$root"
}

build() {
    local index certificates
    index=$(python3 -m pip config get global.index-url 2>/dev/null) || index=
    certificates=$(python3 -c 'import ssl; print(ssl.get_default_verify_paths().cafile or "")')
    printf '[global]\ncert = /etc/ssl/here.crt\n%s' "${index:+index-url = $index}" >"$work/pip.conf"
    BUILDER=buildah deploy/build-image --quiet --pull-never --tag "$IMAGE" \
        --volume "$work/pip.conf:/etc/pip.conf:ro" --volume "$certificates:/etc/ssl/here.crt:ro" >/dev/null
}

for tool in buildah mmdebstrap; do
    command -v "$tool" >/dev/null || apt-get install -qq -y --no-install-recommends "$tool" >/dev/null
done
buildah inspect --type image "localhost/$BASE" >/dev/null 2>&1 || make_stand_in
build
container=$(buildah from --pull-never "$IMAGE")
.venv/bin/python -m tests.container.run_here "$container"
