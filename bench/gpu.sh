#!/bin/sh
# All that is measured on a GPU, in one command of at most ten minutes, for a Linux machine with an NVIDIA GPU
# and nothing else: no network, no Deno, no packages.
#
#   OUT=results TORCH_BENCH="python3 torch_bench.py" sh bench/gpu.sh
#
# What has to be carried there beside what git has: node_modules/, and Deno, as a program that DENO names or
# packed as bench/deno.xz (xz --keep "$(command -v deno)"), which is unpacked to a temporary folder.
#
# From the environment:
#   OUT            where results go: runs/gpu unless set
#   DENO           the Deno to use: the one in bench/deno.xz, else the one in PATH
#   VULKAN_DEBS    a folder of Debian packages (libvulkan1, and libglvnd0, libgl1, libglx0, libegl1, which
#                  NVIDIA's driver links to) to use where the machine has no Vulkan loader
#   VK_DRIVER_FILES  the driver's nvidia_icd.json; looked for unless set. A container sees the GPU by Vulkan
#                  only if it was given the graphics capability (NVIDIA_DRIVER_CAPABILITIES=all)
#   TORCH_BENCH    a program that does the same workloads in PyTorch, and takes --workload --batch --steps
#                  --warmup --device --tf32 --amp --compile; left out without it
#   TORCH_DEVICE   cuda
#   SECONDS_ALL    what all of it may take, 590; what comes last is left out
#   STEPS, WARMUP, ROUNDS, W1_BATCHES, W2_BATCH, W3_BATCH, W4_BATCH, LAYERS, CHECKS, TESTS, TEST_SECONDS,
#   COMPILED, COMPILE_SECONDS, TUNE   less, for a try elsewhere
#
# Tests, and what PyTorch compiles beforehand, run beside each other; all that is timed runs alone.
#
# Results: log.txt, all that is printed; tests.txt; kao.jsonl, the steps' reports and comparisons; check.jsonl,
# the first steps next to PyTorch's in float64; roofs.jsonl, layers and kernels against the best product and
# copy; tune.txt, every kernel's best variant next to the static guess, and tuned.jsonl, a step of them;
# torch.jsonl, PyTorch compiled.
cd "$(dirname "$0")/.." || exit 1
OUT=${OUT:-runs/gpu}
mkdir -p "$OUT" || exit 1
OUT=$(cd "$OUT" && pwd)
SECONDS_ALL=${SECONDS_ALL:-590}
STEPS=${STEPS:-200} WARMUP=${WARMUP:-10} ROUNDS=${ROUNDS:-1}
W1_BATCHES=${W1_BATCHES-64 256} W2_BATCH=${W2_BATCH:-256} W3_BATCH=${W3_BATCH:-32} W4_BATCH=${W4_BATCH:-64}
LAYERS=${LAYERS:-acgan64 --batch 64}
COMPILED=${COMPILED-acgan64 64} COMPILE_SECONDS=${COMPILE_SECONDS:-120} TUNE=${TUNE:-120} TEST_SECONDS=${TEST_SECONDS:-120}
CHECKS=${CHECKS:-acgan64 moe-sample acgan32 double-backward}
TESTS=${TESTS:-tests/kernels tests/golden tests/engine/subgroups_test.ts tests/engine/half_test.ts}
TORCH_DEVICE=${TORCH_DEVICE:-cuda}
export NO_COLOR=1
began=$(date +%s)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

find_deno() {
  if [ -n "${DENO:-}" ]; then return; fi
  if [ -f bench/deno.xz ]; then
    xz -dc bench/deno.xz > "$scratch/deno" && chmod +x "$scratch/deno" && DENO=$scratch/deno && return
  fi
  DENO=$(command -v deno) || { echo "No Deno: set DENO, or put bench/deno.xz there"; exit 1; }
}

find_vulkan() {
  if [ -n "${VULKAN_DEBS:-}" ] && ! ldconfig -p | grep -q 'libvulkan\.so\.1'; then
    for deb in "$VULKAN_DEBS"/*.deb; do dpkg-deb -x "$deb" "$scratch/vulkan"; done
    for folder in "$scratch"/vulkan/usr/lib/* "$scratch"/vulkan/usr/lib; do
      LD_LIBRARY_PATH=$folder:${LD_LIBRARY_PATH:-}
    done
    export LD_LIBRARY_PATH
  fi
  if [ -z "${VK_DRIVER_FILES:-}" ]; then
    for folder in /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/nvidia/share/vulkan/icd.d; do
      [ -f "$folder/nvidia_icd.json" ] && export VK_DRIVER_FILES="$folder/nvidia_icd.json"
    done
  fi
  echo "Vulkan driver: ${VK_DRIVER_FILES:-what the loader finds}"
}

# part NAME SECONDS FILE COMMAND...: what it prints goes to FILE, too. One that fails, or takes too long, is
# said to, and the next one begins.
part() {
  name=$1 limit=$2 file=$3
  shift 3
  now=$(($(date +%s) - began)) left=$((SECONDS_ALL - $(date +%s) + began))
  [ "$left" -lt "$limit" ] && limit=$left
  if [ "$limit" -lt 10 ]; then echo "== $name: no time is left"; return; fi
  echo "== $name, after $now s"
  code=$scratch/code.$file
  { timeout --kill-after=5 "$limit" "$@"; echo $? > "$code"; } | tee -a "$OUT/$file"
  [ "$(cat "$code")" = 0 ] || echo "== $name ended with status $(cat "$code")"
}

bench() { # part's NAME SECONDS FILE, arguments of the benchmarks
  name=$1 limit=$2 file=$3
  shift 3
  part "$name" "$limit" "$file" "$DENO" run -q --no-prompt --preload=tests/setup.ts -A bench/main.ts --json "$@"
}

# steps WORKLOAD BATCH: kao, and PyTorch in turns with it.
steps() {
  timing="--batch $2 --steps $STEPS --warmup $WARMUP"
  torch="${TORCH_BENCH:-} --workload $1 $timing --device $TORCH_DEVICE"
  set -- "$1, batch $2" 150 kao.jsonl "$1" $timing --rounds "$ROUNDS"
  if [ -n "${TORCH_BENCH:-}" ]; then
    set -- "$@" --peer "torch=$torch" --peer "torch-tf32=$torch --tf32" --peer "torch-amp=$torch --amp"
  fi
  bench "$@"
}

compiled() { # SECONDS STEPS WORKLOAD BATCH: PyTorch's compiler keeps what it made for the next time.
  [ -n "${TORCH_BENCH:-}" ] && [ -n "${3:-}" ] || return
  part "torch.compile, $3, batch $4, $2 steps" "$1" torch.jsonl $TORCH_BENCH --workload "$3" --batch "$4" \
    --steps "$2" --warmup "$WARMUP" --device "$TORCH_DEVICE" --compile
}

everything() {
  nvidia-smi 2>/dev/null || echo "There is no nvidia-smi"
  find_deno
  find_vulkan
  part doctor 60 doctor.txt "$DENO" run -q --no-prompt -A cli.ts doctor
  compiled "$COMPILE_SECONDS" 1 $COMPILED &
  part tests "$TEST_SECONDS" tests.txt "$DENO" test -q --parallel --no-check --no-prompt --preload=tests/setup.ts -A \
    $TESTS > "$scratch/tests" 2>&1 &
  bench "the first steps" 120 check.jsonl --check $CHECKS
  wait
  grep "^== " "$scratch/tests"
  tail -n 40 "$OUT/tests.txt" | grep -E "FAILED|passed"

  for batch in $W1_BATCHES; do steps acgan64 "$batch"; done
  steps moe-sample "$W2_BATCH"
  steps double-backward "$W4_BATCH"
  bench "acgan32, batch $W3_BATCH" 60 kao.jsonl acgan32 --batch "$W3_BATCH" --steps "$STEPS"
  compiled "$COMPILE_SECONDS" "$STEPS" $COMPILED
  bench layers 120 roofs.jsonl layers $LAYERS
  bench roofline 60 roofs.jsonl roofline $LAYERS
  # What the static guess chose between, by measuring.
  part tune "$TUNE" tune.txt "$DENO" run -q --no-prompt -A cli.ts tune --preset acgan64 --batch 64 \
    --seconds $((TUNE - 10)) --fresh --tune-cache "$OUT/tuning.json"
  bench "a tuned step" 60 tuned.jsonl acgan64 --batch 64 --steps "$STEPS" --tune-cache "$OUT/tuning.json"
  bench "layers, tiled" 45 roofs.jsonl layers $LAYERS --variant tiled
  bench "layers, in f16" 45 roofs.jsonl layers $LAYERS --variant tiled --precision f16
  echo "== all of it took $(($(date +%s) - began)) s"
}

everything 2>&1 | tee "$OUT/log.txt"
