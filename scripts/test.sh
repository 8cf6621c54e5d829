#!/usr/bin/env bash
# Runs every test. On Debian, as root, it installs Mesa's software Vulkan where there is no driver.
#
#   bash scripts/test.sh           formatting, lints, docs, tests, doctests, examples, benches
#   bash scripts/test.sh --drivers the shaders by Tint and by the validator of SPIR-V, and the kernels on SwiftShader, which
#                                  comes with Chromium, and under the validation layers
#   bash scripts/test.sh --all     the same with eight times the random schedules, five times the faulted runs, ten times
#                                  the JPEGs and the random networks, and the benches
#
# GAPLESS_DEVICE   the device of the GPU tests: software (default), cpu, or a part of an adapter's name
# GAPLESS_TESTS    no-gpu says that the tests that need a device may be left out
set -euo pipefail
cd "$(dirname "$0")/.."

all=no drivers=no
case "${1:-}" in
  "") ;;
  --all) all=yes ;;
  --drivers) drivers=yes ;;
  *) echo "usage: bash scripts/test.sh [--all | --drivers]" >&2; exit 2 ;;
esac

export GAPLESS_DEVICE="${GAPLESS_DEVICE:-software}"
device="the device $GAPLESS_DEVICE"
[ "${GAPLESS_TESTS:-}" != no-gpu ] || device="no device"
[ "$all" = no ] || export GAPLESS_SCHEDULES=200000 GAPLESS_FAULTED_RUNS=100000

# With the seconds since the beginning.
say() { printf '\n== %4d s: %s\n' "$SECONDS" "$*"; }

has_software_vulkan() {
  # A driver named by the loader's own variables is taken as it is.
  [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || return 0
  local driver
  for driver in /usr/share/vulkan/icd.d/lvp_icd*.json /etc/vulkan/icd.d/lvp_icd*.json; do
    [ -e "$driver" ] && return 0
  done
  return 1
}

# Makes sure that the device of the GPU tests is there, or says that they are left out.
prepare_device() {
  if [ "${GAPLESS_TESTS:-}" = no-gpu ]; then
    say "the tests that need a device are left out: GAPLESS_TESTS=no-gpu"
    return
  fi
  # Elsewhere the tests themselves say which device is missing.
  if [ "$GAPLESS_DEVICE" != software ] || [ "$(uname -s)" != Linux ] || has_software_vulkan; then
    return
  fi
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing a software Vulkan driver (mesa-vulkan-drivers)"
    { apt-get update -q && apt-get install -qy mesa-vulkan-drivers libvulkan1; } >/dev/null || true
    if has_software_vulkan; then return; fi
  fi
  echo "There is no software Vulkan driver, and the GPU tests need one: install mesa-vulkan-drivers," >&2
  echo "or name another device in GAPLESS_DEVICE, or leave these tests out with GAPLESS_TESTS=no-gpu." >&2
  exit 1
}

# What stands in for a tool that is not there and cannot be installed: a failure where everything must be tried.
leave_out() {
  if [ "${CI:-}" = true ]; then
    echo "$2 cannot be tried: install $1." >&2
    exit 1
  fi
  say "NOT TESTED: $2 ($1)"
}

# What shaders, photos and networks are proven with, as far as it is not there and can be installed. It comes while the
# lints run.
tint=target/peers/tint
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
layers=/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json
fetch() {
  local packages=()
  command -v spirv-val >/dev/null || packages+=(spirv-tools)
  command -v npm >/dev/null || packages+=(nodejs npm)
  if runs_on_others; then
    [ -e "$swiftshader" ] || packages+=(chromium)
    [ -e "$layers" ] || packages+=(vulkan-validationlayers)
  fi
  if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -q && apt-get install -qy --no-install-recommends "${packages[@]}"; } || true
  fi
  # It comes compiled: its own scripts would look for what it is built with.
  [ -e "$tint/node_modules/webgpu/index.js" ] ||
    npm install --prefix "$tint" --no-save --no-audit --no-fund --ignore-scripts --silent webgpu@0.6.2 || true
  [ "$drivers" = yes ] || ! command -v python3 >/dev/null || prepare_peers || true
}

# Whether the kernels run on a second driver and under validation layers.
runs_on_others() {
  [ "${GAPLESS_TESTS:-}" != no-gpu ] && [ "$GAPLESS_DEVICE" = software ] && [ "$(uname -s)" = Linux ]
}

# Every shader by compilers that are not naga, which no device is needed for.
written=target/tmp/shaders
prove_shaders() {
  wait "$fetching"
  say "shaders written for other compilers"
  cargo test --profile testing --locked --workspace --features http,stream,tracing --test languages
  validate_spirv
  compile_by_tint
}

# What naga makes of each shader, by the validator of SPIR-V, as it is for each version of Vulkan.
validate_spirv() {
  if ! command -v spirv-val >/dev/null; then
    leave_out spirv-tools "the SPIR-V of the shaders"
    return
  fi
  local folder
  for folder in "$written"/spirv/*; do
    say "$(find "$folder" -name '*.spv' | wc -l) shaders as SPIR-V for $(basename "$folder")"
    find "$folder" -name '*.spv' -print0 | sort -z | xargs -0 -n 1 -P "$(nproc)" sh -c '
      said=$(spirv-val --target-env "$0" "$1" 2>&1) || { printf "%s: %s\n" "$1" "$said" >&2; exit 1; }
    ' "$(basename "$folder")"
  done
}

# Tint, which compiles WGSL in Chrome, by npm's package of Dawn.
compile_by_tint() {
  if ! [ -e "$tint/node_modules/webgpu/index.js" ]; then
    leave_out "nodejs, npm and its package webgpu" "the shaders by Tint"
    return
  fi
  say "shaders by Tint"
  node scripts/tint.mjs "$tint" "$written/wgsl"
}

# A second implementation of Vulkan, which comes with Chromium, and the layers that check how one is used.
prove_on_others() {
  prove_shaders
  if ! runs_on_others; then
    say "NOT TESTED: the kernels on a second driver and under validation layers, which is done on software Vulkan on Linux"
    return
  fi
  if ! [ -e "$swiftshader" -a -e "$layers" ]; then
    leave_out "chromium vulkan-validationlayers" "the kernels on SwiftShader and under validation layers"
    return
  fi
  say "kernels on SwiftShader"
  [ "$all$drivers" != nono ] || export GAPLESS_CASES=8
  GAPLESS_UNGUARDED=1 VK_DRIVER_FILES="$swiftshader" \
    cargo test --profile testing --locked --workspace --features http,stream,tracing --test kernels
  run_under_layers
  unset GAPLESS_CASES
}

# The layers say at first that they are there and what they look at: what they find is said in the same way.
run_under_layers() {
  local log=target/validation.log settings=target/layers
  say "kernels, and what runs them, under validation layers"
  mkdir -p "$settings"
  printf 'khronos_validation.%s\n' 'enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT' \
    'report_flags = error,warn,info' 'debug_action = VK_DBG_LAYER_ACTION_LOG_MSG' 'log_filename = stdout' \
    > "$settings/vk_layer_settings.txt"
  VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation VK_LAYER_SETTINGS_PATH="$PWD/$settings" \
    cargo test --profile testing --locked --workspace --features http,stream,tracing \
    --test kernels --test gpu > "$log" ||
    { tail -50 "$log"; exit 1; }
  grep -q "Current Enables: .*SYNCHRONIZATION_VALIDATION" "$log" || { echo "No layer looked at the kernels." >&2; exit 1; }
  if grep -n "VUID-\|SYNC-HAZARD\|Validation Error\|Validation Warning" "$log"; then
    echo "The validation layers found what stands above." >&2
    exit 1
  fi
}

# Python with what is compared with, in an environment of its own under target/.
peer=target/peers
prepare_peers() {
  if ! "$peer/venv/bin/python" -c 'import docarray, lz4, google.protobuf, onnxruntime, PIL' 2>/dev/null; then
    rm -rf "$peer/venv"
    python3 -m venv "$peer/venv"
    "$peer/venv/bin/pip" install -q 'docarray==0.21.0' 'numpy<3' 'protobuf<8' 'lz4<5' 'pillow>=11,<14' 'onnx>=1.19,<2' \
      'onnxruntime>=1.23,<2'
  fi
}

# The wire against DocArray itself, and JPEGs and GIFs of every layout against Pillow.
prove_against_peers() {
  if ! command -v python3 >/dev/null; then
    if [ "${CI:-}" = true ]; then
      echo "There is no Python, and wire, photos and networks must be proven against others: install python3." >&2
      exit 1
    fi
    say "NOT TESTED: the wire against DocArray, photos against Pillow, and networks against" \
      "ONNX Runtime, since there is no Python"
    return
  fi
  # Again, where it did not come.
  prepare_peers
  say "the wire against DocArray 0.21.0"
  cargo build --profile testing --locked --workspace --features http,stream,tracing \
    --example wire --example infer --bin jpegs --bin gifs
  "$peer/venv/bin/python" scripts/wire_peer.py target/testing/examples/wire "$peer/files"
  local files=20000
  [ "$all" = no ] || files=200000
  say "$files JPEGs of every layout against Pillow"
  "$peer/venv/bin/python" scripts/photo_peer.py target/testing/jpegs 0 "$files"
  say "GIFs of every kind against Pillow"
  "$peer/venv/bin/python" scripts/photo_peer.py target/testing/gifs 0 5000
  local graphs=5000
  [ "$all" = no ] || graphs=50000
  say "$graphs random networks against ONNX Runtime"
  GAPLESS_DEVICE=cpu "$peer/venv/bin/python" scripts/graph_peer.py target/testing/examples/infer "$peer/graphs" 0 "$graphs"
  prove_against_zoo
}

# Ten architectures as people export them; all, which are hundreds and take an hour, are `python3 scripts/zoo`.
prove_against_zoo() {
  say "networks of PyTorch, through its exporters, against ONNX Runtime"
  python3 scripts/zoo --ten
}

# Each feature of the manifest by itself: the list is read, so that no feature is forgotten.
check_each_feature() {
  local features feature
  features="$(sed -n '/^\[features\]/,/^\[/s/^\([a-z0-9_-]*\) *=.*/\1/p' Cargo.toml)"
  [ -n "$features" ] || { echo "There are no features in Cargo.toml." >&2; exit 1; }
  for feature in $features; do
    cargo check -q --profile testing --locked --no-default-features --features "$feature" --lib ||
      { echo "The feature $feature does not compile by itself." >&2; exit 1; }
  done
}

prepare_device
mkdir -p target
fetch > target/fetched.log 2>&1 &
fetching=$!
if [ "$drivers" = yes ]; then
  prove_on_others
  say "all passed, on a second driver and under the validation layers"
  exit
fi
say "formatting"
cargo fmt --all --check
say "lints"
cargo clippy --profile testing --locked --workspace --all-targets --features http,stream,tracing -- -D warnings
cargo clippy --profile testing --locked --workspace --no-default-features --lib -- -D warnings
say "each feature by itself"
check_each_feature
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --profile testing --locked --workspace --no-deps --features http,stream,tracing
say "examples and tests"
# That the benches compile is known from the lints.
cargo build --profile testing --locked --workspace --features http,stream,tracing --lib --examples --tests
say "tests on $device"
cargo test --profile testing --locked --workspace --features http,stream,tracing --lib --tests
say "examples of the documentation"
cargo test --profile testing --locked --workspace --features http,stream,tracing --doc
prove_on_others
prove_against_peers
if [ "$all" = yes ]; then
  say "benches"
  # A network on a software driver takes over twenty minutes, and says nothing of speed.
  measured="$GAPLESS_DEVICE"
  [ "$measured" != software ] || measured=cpu
  GAPLESS_DEVICE="$measured" cargo bench --locked --bench engine --bench peers --bench photos --bench auto
  [ "${GAPLESS_TESTS:-}" = no-gpu ] || cargo bench --locked --bench ring --bench kernels
fi
say "all passed, on $device"
