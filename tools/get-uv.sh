#!/bin/sh
# Installs uv into a folder of the project: get-uv.sh PYTHON FOLDER. Nothing outside it changes.
set -eu
python=$1 folder=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "error: Racine needs Python 3.11 or newer, and \`$python\` is not." >&2
    echo "Install one (apt-get install python3) or name it: make PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "error: \`$python\` has no venv or pip, which getting uv takes. Debian and Ubuntu give them by:" >&2
    echo "    sudo apt-get install -y python3-venv python3-pip" >&2
    exit 1
fi
echo "Getting uv into $folder …"
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.9"
