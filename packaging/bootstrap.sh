#!/usr/bin/env bash
# Makes .venv in the checkout and installs LieApp into it, editable, with the pinned versions of constraints.txt.
# Idempotent; may be called from any folder. On Debian and Ubuntu it installs the system libraries that a window
# needs, as root or with passwordless sudo; elsewhere it prints what is missing and goes on.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: packaging/bootstrap.sh [--test] [--peers] [--torch auto|cpu|cuda]
  --test    also install what the tests need, a virtual display among it
  --peers   also install the programs that the tests compare with (PyMOL, TM-align, RELION, ASE, Biotite)
  --torch   auto (default): the CUDA build where an NVIDIA device exists, else the CPU build
environment: PYTHON names the interpreter (3.11 or later)
USAGE
}

want_test=0 want_peers=0 torch_build=auto
while [ $# -gt 0 ]; do
    case "$1" in
        --test) want_test=1 ;;
        --peers) want_peers=1 ;;
        --torch)
            torch_build="${2:-}"
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
    shift
done
case "$torch_build" in
    auto | cpu | cuda) ;;
    *)
        usage >&2
        exit 2
        ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'bootstrap: %s\n' "$*"; }

# -- system libraries ---------------------------------------------------------------------------------------------
# Qt's xcb platform, software OpenGL through EGL and GLX, and a font.
packages=(python3-venv libegl1 libgl1 libgl1-mesa-dri libglx-mesa0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libdbus-1-3 fontconfig
    fonts-dejavu-core)
[ "$want_test" = 1 ] && packages+=(xvfb xauth)
[ "$want_peers" = 1 ] && packages+=(pymol tm-align poppler-utils relion)
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    missing=()
    for package in "${packages[@]}"; do
        # A renamed library (libfoo1 -> libfoo1t64) answers under its old name through Provides.
        if ! dpkg-query -W -f='${db:Status-Status} ${Provides}\n' "$package" 2>/dev/null | grep -q '^installed' &&
            ! dpkg-query -W -f='${Provides}\n' 2>/dev/null | grep -qw "$package"; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} -gt 0 ]; then
        as_root=()
        if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
        if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
            say "installing ${missing[*]}"
            "${as_root[@]}" apt-get update -qq
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                "${missing[@]}" >/dev/null
        else
            say "system libraries are missing; as root run:"
            printf '    apt-get install --no-install-recommends %s\n' "${missing[*]}"
        fi
    fi
fi

# -- Python -------------------------------------------------------------------------------------------------------
recent() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
python=""
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && recent "$candidate"; then
        python="$candidate"
        break
    fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or later is needed; set PYTHON to one" >&2
    exit 1
fi
if ! [ -x .venv/bin/python ] || ! recent .venv/bin/python; then
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
pip=(.venv/bin/python -m pip --disable-pip-version-check -q)

# -- torch: the CPU build is 200 MB, the CUDA build several GB ------------------------------------------------------
torch_version="$(sed -n 's/^torch==//p' packaging/constraints.txt)"
if [ "$torch_build" = auto ]; then
    torch_build=cpu
    if [ -e /dev/nvidia0 ] || [ -e /dev/nvidiactl ]; then torch_build=cuda; fi
fi
torch_is() { .venv/bin/python - "$@" <<'PY' >/dev/null 2>&1; }
import importlib.metadata, sys
version, build = sys.argv[1:]
installed = importlib.metadata.version("torch")
cpu = installed.endswith("+cpu")
raise SystemExit(installed.split("+")[0] != version or (build == "cuda" and cpu))
PY
if ! torch_is "$torch_version" "$torch_build"; then
    say "installing torch $torch_version ($torch_build)"
    if [ "$torch_build" = cpu ] && [ "$(uname -s)" = Linux ]; then
        "${pip[@]}" install "torch==$torch_version+cpu" 2>/dev/null ||
            "${pip[@]}" install "torch==$torch_version+cpu" --extra-index-url https://download.pytorch.org/whl/cpu ||
            "${pip[@]}" install "torch==$torch_version"
    else
        "${pip[@]}" install --upgrade "torch==$torch_version"
    fi
fi

# -- LieApp -------------------------------------------------------------------------------------------------------
extras=movie
[ "$want_test" = 1 ] && extras+=,test
[ "$want_peers" = 1 ] && extras+=,peers
say "installing lieapp[$extras]"
"${pip[@]}" install -c packaging/constraints.txt -e ".[$extras]"
say "done: .venv/bin/lieapp"
