#!/usr/bin/env bash
# Times this program on a GPU beside PyTorch, and checks it against the processor, in one go. The table comes last.
#
#   bench/gpu.sh CHECKPOINTS [PEER]
#
# CHECKPOINTS holds sd15-small and sd15-full, diffusers folders with random weights, and sdxl-full if Stable Diffusion XL's LoRA step is wanted
# too; PEER is a Python program that takes a checkpoint and works and prints a line for each (none: PyTorch is not timed). DEVICES, PRECISIONS,
# WORKS and SIZES choose less, SECONDS_EACH how long one of them may take (120); NODE and PYTHON name other programs. lora-step/low is a LoRA's
# step with --memory low. Every figure is the median of five after a warm-up, with the most memory that the card had in use. Results go to
# gpu-results/, a file a program, so that a run that is cut off has left what it measured.
set -uo pipefail
cd "$(dirname "$0")/.."
checkpoints=${1:?folder with sd15-small and sd15-full}
peer=${2:-}
node=${NODE:-node} python=${PYTHON:-python3} out=${OUT:-gpu-results}
mkdir -p "$out"
{ date -u +%F; nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null; "$node" dist/cli/main.js doctor; } | tee "$out/machine.txt"
for device in ${DEVICES:-cuda webgpu}; do
  "$node" dist/tools/devices/main.js "$checkpoints/sd15-small" "$device" --precision float32 --steps 20 | tail -1
  "$node" dist/tools/devices/main.js "$checkpoints/sd15-small" "$device" --precision float32 --steps 5 --memory low | tail -1
  "$node" dist/tools/devices/main.js "$checkpoints/sd15-small" "$device" --precision float32 --steps 5 --adapter full | tail -1
  "$node" dist/tools/devices/main.js "$checkpoints/sd15-small" "$device" --precision mixed-float16 --steps 20 | tail -1
  "$node" dist/tools/devices/main.js "$checkpoints/sd15-small" "$device" --precision mixed-float16 --steps 5 --memory low | tail -1
done 2>&1 | tee "$out/equal.jsonl"
for size in ${SIZES:-small full $([ -d "$checkpoints/sdxl-full" ] && echo sdxl-full)}; do
  case $size in sdxl-*) folder=$checkpoints/$size works='lora-step lora-step/low' ;; *) folder=$checkpoints/sd15-$size works='unet-forward sample lora-step lora-step/low full-step' ;; esac
  for work in ${WORKS:-$works}; do
    case $work in */low) name=${work%/low} memory=low ;; *) name=$work memory=normal ;; esac
    for device in ${DEVICES:-cuda webgpu}; do
      for precision in $([ "$device" = cuda ] && echo ${PRECISIONS:-tf32 float32 float16 mixed-float16} || echo ${PRECISIONS:-float32 float16 mixed-float16}); do
        [ "$name $precision" = "full-step float16" ] && continue # a whole U-Net trains in float32
        nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 200 >"$out/memory" 2>/dev/null &
        sampler=$!
        line=$(timeout ${SECONDS_EACH:-120} "$node" dist/tools/timings/main.js "$name" "$folder" --repeat 5 --memory $memory --device "$device" --precision "$precision" 2>&1 | tail -1)
        kill "$sampler" 2>/dev/null
        most=$(sort -n "$out/memory" | tail -1) # at the most, while it ran
        echo "$size $work $device $precision ${line:-none} ${most:-0} MiB"
      done
    done
    # what capturing its graph saves a training step, and takes of memory
    case "$work ${DEVICES:-cuda webgpu} " in "lora-step "*"webgpu "*)
      nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 200 >"$out/memory" 2>/dev/null &
      sampler=$!
      line=$(RPO_GRAPH_CAPTURE=on timeout ${SECONDS_EACH:-120} "$node" dist/tools/timings/main.js "$name" "$folder" --repeat 5 --memory $memory --device webgpu --precision float32 2>&1 | tail -1)
      kill "$sampler" 2>/dev/null
      echo "$size $work webgpu float32 captured ${line:-none} $(sort -n "$out/memory" | tail -1) MiB" ;;
    esac
    [ -n "$peer" ] && [ "$memory" = normal ] && "$python" "$peer" "$folder" "$work" 2>&1 | sed "s/^/$size PyTorch /"
  done
done | tee "$out/timings.txt"
# where the seconds of a whole run go: 400 steps, 11 validations of 32 pictures; PHOTOS is a folder of some, REWARD an ALIGN
if [ -n "${PHOTOS:-}" ]; then
  for device in ${DEVICES:-cuda webgpu}; do
    for size in ${SIZES:-small full}; do
      timeout "${WHOLE_SECONDS:-600}" "$node" dist/tools/timings/phases.js "$checkpoints/sd15-$size" "${REWARD:-models/tiny/align}" "$PHOTOS" --whole --device "$device" 2>&1 | sed "s/^/$size whole $device /"
    done
  done
fi | tee "$out/phases.txt"
echo; echo "== $out"; cat "$out/machine.txt" | head -3; cat "$out/equal.jsonl" "$out/timings.txt" "$out/phases.txt"
