import type { InstalledFile } from "../runtime/cuda/installation.ts";

/** Which files of which Python packages ONNX Runtime's CUDA provider needs, on each platform. */

export interface Package {
  /** As Python's index has it. */
  readonly name: string;
  /** Its versions that will do, where onnxruntime-gpu itself does not say. */
  readonly range: string;
  readonly files: readonly WantedFile[];
}

export interface WantedFile {
  /** Without its folder; a `*` stands for a version that is not known beforehand. */
  readonly name: string;
  readonly role: Exclude<InstalledFile["role"], "runtime">;
}

/** ONNX Runtime with its CUDA provider; its version is always that of ONNX Runtime here. */
export const PROVIDER = "onnxruntime-gpu";

const preload = (name: string): WantedFile => ({ name, role: "preload" });
const beside = (name: string): WantedFile => ({ name, role: "beside" });

/**
 * In the order in which they are loaded. The provider is linked to the runtime, cuBLAS and cuRAND (readelf -d), and opens cuDNN by its name when a
 * convolution needs it. cuDNN opens its parts, all but libcudnn_adv (recurrent nets, attention) and libcudnn_ext, and NVRTC, which
 * opens its own builtins. cuFFT is opened for Fourier transforms alone, of which there are none here.
 */
const LINUX: readonly Package[] = [
  { name: "nvidia-cuda-runtime", range: "~=13.0", files: [preload("libcudart.so.13")] },
  { name: "nvidia-cublas", range: "~=13.0", files: [preload("libcublasLt.so.13"), preload("libcublas.so.13")] },
  { name: "nvidia-curand", range: "~=10.0", files: [preload("libcurand.so.10")] },
  {
    name: "nvidia-cuda-nvrtc",
    range: "~=13.0",
    files: [beside("libnvrtc-builtins.so.13.*"), preload("libnvrtc.so.13")],
  },
  {
    name: "nvidia-cudnn-cu13",
    range: "~=9.0",
    files: [
      beside("libcudnn_graph.so.9"),
      beside("libcudnn_ops.so.9"),
      beside("libcudnn_cnn.so.9"),
      beside("libcudnn_heuristic.so.9"),
      beside("libcudnn_engines_precompiled.so.9"),
      beside("libcudnn_engines_runtime_compiled.so.9"),
      beside("libcudnn_engines_tensor_ir.so.9"),
      preload("libcudnn.so.9"),
    ],
  },
  {
    name: PROVIDER,
    range: "",
    files: [beside("libonnxruntime_providers_shared.so"), beside("libonnxruntime_providers_cuda.so")],
  },
];

/** Windows finds a library that is loaded by its name, and others only in folders that it knows: so all are loaded. */
const WINDOWS: readonly Package[] = [
  { name: "nvidia-cuda-runtime", range: "~=13.0", files: [preload("cudart64_13.dll")] },
  { name: "nvidia-cublas", range: "~=13.0", files: [preload("cublasLt64_13.dll"), preload("cublas64_13.dll")] },
  { name: "nvidia-curand", range: "~=10.0", files: [preload("curand64_10.dll")] },
  {
    name: "nvidia-cuda-nvrtc",
    range: "~=13.0",
    files: [preload("nvrtc-builtins64_13*.dll"), preload("nvrtc64_130_0.dll")],
  },
  {
    name: "nvidia-cudnn-cu13",
    range: "~=9.0",
    files: [
      preload("cudnn_graph64_9.dll"),
      preload("cudnn_ops64_9.dll"),
      preload("cudnn_cnn64_9.dll"),
      preload("cudnn_heuristic64_9.dll"),
      preload("cudnn_engines_precompiled64_9.dll"),
      preload("cudnn_engines_runtime_compiled64_9.dll"),
      preload("cudnn_engines_tensor_ir64_9.dll"),
      preload("cudnn64_9.dll"),
    ],
  },
  {
    name: PROVIDER,
    range: "",
    files: [beside("onnxruntime_providers_shared.dll"), beside("onnxruntime_providers_cuda.dll")],
  },
];

export interface Platform {
  /** "linux x64" */
  readonly name: string;
  /** Whether a wheel with such a tag runs on it. */
  readonly tag: RegExp;
  readonly packages: readonly Package[];
}

/** Where both npm's ONNX Runtime and the provider are to be had. */
export const PLATFORMS: readonly Platform[] = [
  { name: "linux x64", tag: /^manylinux\w*_x86_64$/, packages: LINUX },
  { name: "win32 x64", tag: /^win_amd64$/, packages: WINDOWS },
];

/** Whether a file of a package is one that is wanted. @param path with "/" between its parts */
export function isFile({ name }: WantedFile, path: string): boolean {
  const [before, after] = name.split("*");
  const base = path.slice(path.lastIndexOf("/") + 1);
  if (after === undefined) return base === name;
  return base.length > name.length - 1 && base.startsWith(before) && base.endsWith(after);
}
