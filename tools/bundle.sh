#!/usr/bin/env bash
# Write dist/safecity-bundle-VERSION.tar.gz: wheels of everything and an installer, for a site without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
version="$($python -c 'import safecity; print(safecity.__version__)')"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/safecity-$version"
mkdir -p "$root/wheels" dist
$python -m build --wheel --outdir "$root/wheels" . >/dev/null
$python -m pip download -q -d "$root/wheels" "$(ls "$root"/wheels/safecity-*.whl)[av,vision,roads]" pip
second="$($python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["second"])')"
$python -m pip download -q -d "$root/wheels" --no-deps "$second"
cat > "$root/install.sh" <<'EOI'
#!/usr/bin/env bash
# ./install.sh [FOLDER]: installs into FOLDER (default ./safecity), from this archive alone.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="${1:-./safecity}"
python="${PYTHON:-python3}"
"$python" - @MINOR@ <<'EOP'
import sys
if sys.version_info[:2] != (3, int(sys.argv[1])):
    sys.exit(f"This archive was made for CPython 3.{sys.argv[1]}, this is {sys.version.split()[0]}; set PYTHON=/path/to/python3.{sys.argv[1]}")
EOP
"$python" -m venv --without-pip "$target"
pip() { PYTHONPATH="$(ls "$here"/wheels/pip-*.whl)" "$target/bin/python" -m pip install -q --no-index --find-links "$here/wheels" "$@"; }
pip --upgrade 'safecity[av,vision,roads]'
pip --no-deps 'rapidocr<3.9'  # the file of the second reader of plates
pip --force-reinstall --no-deps safecity  # also over an older build of the same version
echo "Installed. Start it with: $target/bin/safecity run --data DATA_FOLDER --demo"
EOI
sed -i "s/@MINOR@/$($python -c 'import sys; print(sys.version_info[1])')/" "$root/install.sh"
chmod +x "$root/install.sh"
cp README.md README.zh-CN.md LICENSE CHANGELOG.md "$root/"
tar -C "$work" -czf "dist/safecity-bundle-$version.tar.gz" "safecity-$version"
echo "dist/safecity-bundle-$version.tar.gz"
