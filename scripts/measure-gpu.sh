#!/usr/bin/env bash
# Measures a GPU, checks its results first, and says which goals it reaches. It ends within ten minutes.
#
#   bash scripts/measure-gpu.sh                  EfficientNet-Lite0, ResNet-50 and ViT-B/16, beside PyTorch where it is
#   bash scripts/measure-gpu.sh MODEL.onnx...    these networks too; halves where MODEL.half.onnx stands beside one
#   bash scripts/measure-gpu.sh --quick …        rough figures, to see that everything runs
#
# All of it goes to a folder below target/measured: measured.md, the table that is printed last; measured.json; what each
# part printed.
# Every part that did not run, or not to its end, stands in the table with the reason.
#
# GAPLESS_DEVICE    software, cpu, or a part of an adapter's name; the best there is by default
# GAPLESS_BINARIES  a folder with `measure` and `kernels`, the program of the test of that name, where nothing is to be
#                   built: `cargo build --release --example measure`, `cargo test --release --test kernels --no-run`
# GAPLESS_NETWORKS  a folder that scripts/make_networks.py made, where Python has no onnx
# GAPLESS_SECONDS   seconds for everything; 570 by default
# PYTHON            a Python with torch, torchvision and timm (or onnx2torch); python3 by default
set -uo pipefail
cd "$(dirname "$0")/.."

limit="${GAPLESS_SECONDS:-570}" python="${PYTHON:-python3}" target="${CARGO_TARGET_DIR:-target}"
out="$target/measured/$(date -u +%Y-%m-%dT%H%M%SZ)"
binaries="${GAPLESS_BINARIES:-}" networks="${GAPLESS_NETWORKS:-}"
seconds=1 failed=no
measure=("$target/release/examples/measure")
[ -z "$binaries" ] || measure=("$binaries/measure")
[ -z "${GAPLESS_DEVICE:-}" ] || measure+=(--device "$GAPLESS_DEVICE")
if [ "${1:-}" = --quick ]; then measure+=(--quick) seconds=0.2; shift; fi
# Variants are chosen for every batch size anew: nothing is taken from other processes, and nothing left for them.
export GAPLESS_CACHE=

say() { printf '\n== %s\n' "$*"; }

# What became of a part.
note() {
  printf '%s\t%s\n' "$1" "$2" >> "$out/parts.tsv"
  say "$1: $2"
}

# Runs a command for so many seconds at most, or for what is left: part NAME SECONDS COMMAND...
part() {
  local name="$1" most="$2" left=$((limit - 10 - SECONDS)) began=$SECONDS status
  shift 2
  [ "$most" -le "$left" ] || most=$left
  if [ "$most" -lt 5 ]; then
    note "$name" "NOT RUN: no time was left"
    return 1
  fi
  say "$name"
  timeout -k 5 "$most" "$@" 2>&1 | tee "$out/${name// /-}.log"
  status="${PIPESTATUS[0]}"
  case "$status" in
    0) note "$name" "done in $((SECONDS - began)) s" ;;
    124 | 137) note "$name" "NOT FINISHED: ended after $((SECONDS - began)) s" ;;
    *)
      failed=yes
      note "$name" "FAILED with status $status: $(tail -n 1 "$out/${name// /-}.log" | tr '|\t' '  ')"
      ;;
  esac
  return "$status"
}

has() { "$python" -c "import importlib.util, sys; sys.exit(not importlib.util.find_spec('$1'))" 2> /dev/null; }

build() {
  cargo build --release --locked --example measure && cargo test --release --locked --test kernels --no-run
}
export -f build

check_kernels() {
  local program=(cargo test --release --locked --test kernels) adapter="${GAPLESS_DEVICE:-}"
  [ -z "$binaries" ] || program=("$binaries/kernels")
  if [ -n "$binaries" ] && ! [ -x "$binaries/kernels" ]; then
    note "tests of the kernels" "NOT RUN: there is no $binaries/kernels"
    return
  fi
  # Where none is named the tests would take the software driver, and not what is measured.
  [ -n "$adapter" ] || adapter="$(sed -nE 's/^measured   (.*) \([a-z]+[,)].*/\1/p' "$out/machine.log")"
  part "tests of the kernels" 120 env GAPLESS_DEVICE="$adapter" "${program[@]}"
}

# Where the networks of full size are: made here unless a folder was given.
prepare_networks() {
  [ -z "$networks" ] || return
  networks="$out/networks"
  if has onnx; then
    part "making networks" 60 "$python" scripts/make_networks.py "$networks"
  else
    note "making networks" "NOT RUN: $python has no onnx, and GAPLESS_NETWORKS names no folder"
  fi
}

# One network in one precision: measure_network NAME full|half FILE
measure_network() {
  if ! [ -e "$3" ]; then
    note "$1 $2" "NOT RUN: there is no $3"
    return
  fi
  part "$1 $2" 60 "${measure[@]}" --network "$3" --precision "$2" --batches 1,16,64 \
    --json "$out/$1.$2.json"
}

# The same in PyTorch: compare NAME FILE [PACKAGE.NETWORK]
compare() {
  if ! has torch; then
    note "$1 PyTorch" "NOT RUN: $python has no torch"
  elif ! [ -e "$out/$1.full.json" ]; then
    note "$1 PyTorch" "NOT RUN: there is nothing to compare with"
  else
    local words=("$2" "$out/$1.full.json" --ways f32 tf32 half --seconds "$seconds" --json "$out/$1.torch.json")
    [ -z "${3:-}" ] || ! has "${3%%.*}" || words+=(--package "$3")
    part "$1 PyTorch" 60 "$python" scripts/compare-torch.py "${words[@]}"
  fi
}

command -v timeout > /dev/null || {
  say "there is no timeout: parts run to their ends, however long they take"
  timeout() { shift 3 && "$@"; }
}
mkdir -p "$out"
printf '{"date": "%s", "commit": "%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  "$(git rev-parse --short HEAD 2> /dev/null || echo unknown)" > "$out/about.json"
[ -n "$binaries" ] || part build 400 bash -c build
if ! [ -x "${measure[0]}" ]; then
  say "there is no ${measure[0]}, and nothing can be measured"
  exit 1
fi
part machine 90 "${measure[@]}" --kernels --json "$out/machine.json"
check_kernels
prepare_networks
lite0=models/efficientnet-lite0.onnx
measure_network efficientnet-lite0 full "$lite0"
measure_network resnet50 full "$networks/resnet50.onnx"
measure_network vit_b_16 full "$networks/vit_b_16.onnx"
compare efficientnet-lite0 "$lite0" timm.efficientnet_lite0
compare resnet50 "$networks/resnet50.onnx" torchvision.resnet50
compare vit_b_16 "$networks/vit_b_16.onnx" torchvision.vit_b_16
measure_network efficientnet-lite0 half "$lite0"
measure_network resnet50 half "$networks/resnet50.half.onnx"
measure_network vit_b_16 half "$networks/vit_b_16.half.onnx"
for model in "$@"; do
  name="$(basename "$model" .onnx)"
  measure_network "$name" full "$model"
  compare "$name" "$model"
  [ ! -e "${model%.onnx}.half.onnx" ] || measure_network "$name" half "${model%.onnx}.half.onnx"
done
say "$out/measured.md, after $SECONDS s"
"${measure[0]}" --table "$out" --json "$out/measured.json" | tee "$out/measured.md"
[ "$failed" = no ]
