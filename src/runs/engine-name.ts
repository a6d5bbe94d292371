/** What computed a run: config.json's `versions.onnxruntime` is ONNX Runtime's number, or another engine's word and number, "openvino 2026.4.1". */
export function engineOf({ onnxruntime }: { readonly onnxruntime: string }): {
  readonly name: string;
  readonly version: string;
} {
  const [word, version] = onnxruntime.split(" ");
  return word === "openvino" ? { name: "OpenVINO", version } : { name: "ONNX Runtime", version: onnxruntime };
}
